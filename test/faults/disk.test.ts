/** The real program on a disk that is full, broken, or about to lose its power. PostgreSQL answers for its own disk (`storage.test.ts`). */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { signZoom } from '../providers/zoom-vendor.ts';
import { raw, useDatabases } from '../support/databases.ts';
import { built } from '../support/support.ts';
import { expectOutage, rows, story, tell } from './outage.ts';
import { createStage, ZOOM_SECRET, type Stage } from './stage.ts';
import { attach, canAttach } from './strace.ts';
import { zoomStory, type Told } from './zoom-story.ts';

const METRICS_TOKEN = 'a-token-for-the-figures-of-this-test';

beforeAll(built);

describe.skipIf(!canAttach)('the disk under a SQLite file (needs strace)', () => {
  const { engine } = useDatabases('sqlite');
  const logOf = ({ databaseUrl }: Stage) => `${databaseUrl}-wal`;
  /** The log's calls of these kinds fail in this way. */
  const failing = (stage: Stage, calls: string, error: string) => ['-P', logOf(stage), '-e', `inject=${calls}:error=${error}`];

  const startMeasured = (stage: Stage) => () => stage.start({ environment: { METRICS_TOKEN } });
  async function storageFailures({ publicUrl }: Stage): Promise<number> {
    const answer = await fetch(`${publicUrl}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
    return Number(/^gateway_storage_failures_total (\d+)$/m.exec(await answer.text())?.[1]);
  }

  it.each([
    [
      'case 8: is full: 503 with a time to come again, and it goes on by itself when there is room',
      'pwrite64',
      'ENOSPC',
      'database or disk is full',
    ],
    ['case 9: does not sync: what was not synced is not acknowledged, then or later', 'fsync,fdatasync', 'EIO', 'disk I/O error'],
  ])('%s', { timeout: 60_000 }, async (_, calls, error, words) => {
    const stage = await createStage(await engine.createUrl({ onDisk: true }));
    await expectOutage(stage, ({ pid }) => attach(pid, ...failing(stage, calls, error)), {
      start: startMeasured(stage),
      async meanwhile(program) {
        expect(await storageFailures(stage)).toBeGreaterThan(3);
        expect(program.stdout()).toContain(words);
      },
    });
    expect(await raw(stage.databaseUrl, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });

  it(
    'case 9: a process killed while nothing syncs leaves a sound file, in which repeats are stored once',
    { timeout: 60_000 },
    async () => {
      const stage = await createStage(await engine.createUrl({ onDisk: true }));
      const first = await stage.start();
      expect((await tell(stage, story[0]!)).status).toBe(200);
      const letGo = await attach(first.pid, ...failing(stage, 'fsync,fdatasync', 'EIO'));
      for (const told of story.slice(1)) expect((await tell(stage, told)).status).toBe(503);
      first.kill('SIGKILL');
      await first.exit;
      await letGo();

      await stage.start();
      expect(await raw(stage.databaseUrl, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      for (const told of story) expect((await tell(stage, told)).status).toBe(200);
      expect(await rows(stage)).toBe(story.length);
    },
  );

  it(
    'case 7: no acknowledgement leaves before everything written is synced, and a burst shares its syncs',
    { timeout: 60_000 },
    async () => {
      const stage = await createStage(await engine.createUrl({ onDisk: true }));
      const program = await stage.start();
      const agent = new Agent({ keepAlive: true, maxSockets: 64 });
      const told = ['81', '82', '83', '84', '85', '86'].flatMap((number) => zoomStory(number, { startsAt: new Date(), people: 30 }));
      const [oneByOne, burst] = [told.slice(0, 20), told.slice(20)];
      // Its connections are open before it begins.
      await Promise.all(burst.slice(0, 64).map((one) => post(stage, agent, one)));

      const calls = async (send: () => Promise<void>): Promise<string[]> => {
        const file = `${stage.databaseUrl}.strace`;
        const letGo = await attach(program.pid, '-y', '-s', '16', '-o', file, '-e', 'trace=pwrite64,fsync,fdatasync,write,writev');
        await send();
        await letGo();
        return readFileSync(file, 'utf8').split('\n');
      };
      const alone = order(
        await calls(async () => {
          for (const one of oneByOne) await post(stage, agent, one);
        }),
      );
      expect(alone.acknowledged).toBe(oneByOne.length);
      expect(alone.unsynced).toEqual([]);
      expect(alone.syncs).toBeGreaterThanOrEqual(oneByOne.length);

      const together = order(await calls(async () => void (await Promise.all(burst.slice(64).map((one) => post(stage, agent, one))))));
      expect(together.acknowledged).toBe(burst.length - 64);
      expect(together.unsynced).toEqual([]);
      expect(together.syncs).toBeGreaterThan(0);
      expect(together.syncs).toBeLessThan(together.acknowledged / 2);
      agent.destroy();
    },
  );
});

/** The acknowledgements that left while the log had something that was not synced, and how many syncs and acknowledgements there were. */
function order(lines: readonly string[]): { unsynced: string[]; syncs: number; acknowledged: number } {
  let [waiting, syncs, acknowledged] = [false, 0, 0];
  const unsynced: string[] = [];
  for (const line of lines) {
    if (/ pwrite64\(\d+<[^>]*-wal>/.test(line)) waiting = true;
    else if (/ f(?:data)?sync\(\d+<[^>]*-wal>/.test(line)) [waiting, syncs] = [false, syncs + 1];
    else if (line.includes('HTTP/1.1 200 OK')) {
      acknowledged++;
      if (waiting) unsynced.push(line);
    }
  }
  return { unsynced, syncs, acknowledged };
}

/** Through connections that stay open. */
function post({ publicUrl }: Stage, agent: Agent, { bytes }: Told): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${publicUrl}/webhooks/zoom`,
      { method: 'POST', agent, headers: { 'content-length': bytes.length, ...signZoom(ZOOM_SECRET, bytes, new Date()) } },
      (answer) => {
        answer.resume().on('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`${answer.statusCode}`));
        });
      },
    );
    call.on('error', reject).end(bytes);
  });
}
