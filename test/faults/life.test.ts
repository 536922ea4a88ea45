/** How the real program lives on after a bug, or ends by it, and how it ends when somebody keeps it waiting. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeOnBothDatabases, raw, useDatabases } from '../support/databases.ts';
import { built } from '../support/support.ts';
import { rows, story, tell } from './outage.ts';
import { createStage } from './stage.ts';

beforeAll(built);

const folder = mkdtempSync(join(tmpdir(), 'gateway-bugs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loaded before the program: a bug that somebody else's code has, when the test says so. */
const BUGS = {
  'a rejection that nobody handles': `void Promise.reject(new Error('a bug with access_token=plain-secret-4711'))`,
  'an exception in a callback': `setImmediate(() => { throw new Error('a bug with access_token=plain-secret-4711'); })`,
};
function withBug(statement: string): Record<string, string> {
  const file = join(folder, `${statement.length}.mjs`);
  writeFileSync(file, `process.on('SIGUSR2', () => { ${statement}; });\n`);
  return { NODE_OPTIONS: `--import=${file}` };
}

describeOnBothDatabases('a bug', (_open, engine) => {
  const isFile = engine.dialect === 'sqlite';
  const now = () => (isFile ? String(Date.now()) : 'now()');

  it('case 22: in one job fails that job, and the process goes on', { timeout: 60_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    await stage.start();
    const values = [`('no.such:x', 'no.such', 'x', ${now()}, 0)`, `('gateway.pulse:all', 'gateway.pulse', 'all', ${now()}, 15)`];
    await raw(
      stage.databaseUrl,
      `insert into jobs (id, kind, subject_id, due_at, attempts) values ${values.join()}
      on conflict (id) do update set due_at = excluded.due_at, attempts = excluded.attempts, leased_until = null`,
    );
    await vi.waitFor(
      async () => {
        const [failed] = await raw(
          stage.databaseUrl,
          `select attempts, leased_until, dead_at, last_error from jobs where kind = 'no.such'`,
        );
        expect(failed).toMatchObject({ attempts: 1, leased_until: null, dead_at: null, last_error: expect.stringContaining('internal') });
        // Fifteen runs that nobody told the end of: their processes died in it. It is not run again.
        const [deadly] = await raw(stage.databaseUrl, `select dead_at, last_error from jobs where kind = 'gateway.pulse'`);
        expect(deadly!['dead_at']).not.toBeNull();
        expect(deadly!['last_error']).toContain('internal');
      },
      { timeout: 20_000, interval: 100 },
    );
    expect((await tell(stage, story[0]!)).status).toBe(200);
    // Nobody knows the meeting, which is looked at all the same.
    await vi.waitFor(async () => expect(await raw(stage.databaseUrl, 'select reason from inbox')).toEqual([{ reason: 'unmatched' }]), {
      timeout: 10_000,
    });
  });

  it.each(Object.entries(BUGS))('case 22: %s ends the process at once, not half', { timeout: 60_000 }, async (_, statement) => {
    const stage = await createStage(await engine.createUrl());
    const program = await stage.start({ environment: withBug(statement) });
    expect((await tell(stage, story[0]!)).status).toBe(200);
    program.kill('SIGUSR2');
    expect(await program.exit).toEqual({ code: 1, signal: null });
    // In the log, and through its mask.
    expect(program.stdout()).toContain('"msg":"ended by a bug"');
    expect(program.stdout() + program.stderr()).not.toContain('plain-secret-4711');

    await stage.start();
    expect(await rows(stage)).toBe(1);
    for (const told of story) expect((await tell(stage, told)).status).toBe(200);
    expect(await rows(stage)).toBe(story.length);
  });
});

describe('a program that is asked to stop while a marketplace keeps it waiting', () => {
  const engines = [useDatabases('sqlite').engine, useDatabases('postgres').engine];

  it('case 21: gives up the delivery after its time, keeps no lease and exits with 0 within the grace', { timeout: 60_000 }, async () => {
    await Promise.all(
      engines.map(async (engine) => {
        const stage = await createStage(await engine.createUrl());
        const running = await stage.serve();
        const endpoint = await stage.api('POST', '/v1/webhook-endpoints', { url: stage.ledger.url });
        await running.close();
        const program = await stage.start();
        const arrived = new Promise<void>((resolve) => {
          stage.ledger.onArrival = resolve;
        });
        stage.ledger.hold = new Promise(() => {});
        expect((await stage.api('POST', `/v1/webhook-endpoints/${String(endpoint.json['id'])}/test`)).status).toBeLessThan(300);
        await arrived;
        const asked = performance.now();
        program.kill('SIGTERM');
        expect(await program.exit).toEqual({ code: 0, signal: null });
        expect(performance.now() - asked).toBeLessThan(25_000);
        expect(await raw(stage.databaseUrl, 'select state, leased_until from deliveries')).toEqual([
          { state: 'pending', leased_until: null },
        ]);
        expect(await raw(stage.databaseUrl, 'select status from delivery_attempts')).toEqual([{ status: null }]);
      }),
    );
  });
});
