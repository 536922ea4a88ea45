/** A storage that takes nothing for a while: what the program has to answer meanwhile, and that it goes on afterwards. */
import { expect, vi } from 'vitest';
import { signZoom } from '../providers/zoom-vendor.ts';
import { raw } from '../support/databases.ts';
import type { Program } from './program.ts';
import { ZOOM_SECRET, type Stage } from './stage.ts';
import { zoomStory, type Told } from './zoom-story.ts';

/** Zoom waits three seconds for its answer. */
export const BUDGET_MS = 3_000;

export const story = zoomStory('81234567890', { startsAt: new Date(), people: 5 });

export async function tell({ publicUrl }: Stage, { bytes }: Told): Promise<{ status: number; retryAfter: string | null; ms: number }> {
  const startedAt = performance.now();
  const answer = await fetch(`${publicUrl}/webhooks/zoom`, {
    method: 'POST',
    headers: signZoom(ZOOM_SECRET, bytes, new Date()),
    body: new Uint8Array(bytes),
  });
  await answer.arrayBuffer();
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), ms: performance.now() - startedAt };
}

export const rows = async ({ databaseUrl }: Stage): Promise<number> => (await raw(databaseUrl, 'select key from inbox')).length;

interface Options {
  readonly start?: () => Promise<Program>;
  /** While it lasts, with the program that suffers it. */
  readonly meanwhile?: (program: Program) => Promise<void>;
}

/** While `stop` holds: 503, nothing else and nothing stored. After `release`: as before, in the same process. */
export async function expectOutage(
  stage: Stage,
  stop: (program: Program) => Promise<() => Promise<void>>,
  { start = () => stage.start(), meanwhile = async () => {} }: Options = {},
): Promise<void> {
  const program = await start();
  expect((await tell(stage, story[0]!)).status).toBe(200);
  const release = await stop(program);
  const answers = [];
  for (const told of story.slice(1, 4)) answers.push(await tell(stage, told));
  const ready = await fetch(`${stage.publicUrl}/readyz`);
  const alive = await fetch(`${stage.publicUrl}/healthz`);
  await meanwhile(program);
  await release();
  for (const { status, retryAfter, ms } of answers) {
    expect(status).toBe(503);
    expect(Number(retryAfter)).toBeGreaterThan(0);
    expect(ms).toBeLessThan(BUDGET_MS);
  }
  expect([ready.status, alive.status]).toEqual([503, 200]);
  expect(await rows(stage)).toBe(1);

  await vi.waitFor(async () => expect((await fetch(`${stage.publicUrl}/readyz`)).status).toBe(200), { timeout: 10_000, interval: 200 });
  for (const told of story.slice(1, 4)) expect((await tell(stage, told)).status).toBe(200);
  expect(await rows(stage)).toBe(4);
  program.kill('SIGTERM');
  expect(await program.exit).toEqual({ code: 0, signal: null });
}
