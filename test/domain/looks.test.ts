import { expect, it } from 'vitest';
import { deadlineOf, firstLookAt, LAST_LOOK_MS, nextLookAt, settledAt } from '../../src/domain/looks.ts';
import { DAY, HOUR, MINUTE, plus } from '../../src/domain/time.ts';

const endedAt = new Date('2026-11-02T11:00:00Z');

const allLooks = (first: Date, chance: number): Date[] => {
  const looks: Date[] = [];
  for (let at: Date | undefined = first; at !== undefined; at = nextLookAt({ endedAt, now: at, chance })) looks.push(at);
  return looks;
};

it.each([0, 0.5, 0.999])('G13 a meeting is looked at some twenty times in two weeks, often at first (chance %s)', (chance) => {
  const looks = allLooks(firstLookAt('google-meet', { endedAt, lengthMs: HOUR, chance }), chance);
  expect(looks.length).toBeLessThanOrEqual(22);
  expect(looks.filter((at) => at < plus(endedAt, 2 * HOUR)).length).toBeGreaterThanOrEqual(3);
  expect(looks.at(-1)).toEqual(plus(endedAt, LAST_LOOK_MS));
  for (const [index, at] of looks.slice(1).entries()) expect(at.getTime() - looks[index]!.getTime()).toBeLessThanOrEqual(1.2 * DAY);
});

it('G13 Zoom gets the length of the meeting before the first look, the others a quarter of an hour', () => {
  const first = (provider: 'zoom' | 'microsoft-teams' | 'google-meet', lengthMs: number) =>
    firstLookAt(provider, { endedAt, lengthMs, chance: 0 });
  expect(first('zoom', 2 * HOUR)).toEqual(plus(endedAt, 2 * HOUR));
  expect(first('zoom', MINUTE)).toEqual(plus(endedAt, 15 * MINUTE));
  for (const other of ['microsoft-teams', 'google-meet'] as const) expect(first(other, 2 * HOUR)).toEqual(plus(endedAt, 15 * MINUTE));
});

it('G13 a look before the first wait is over plans none at once', () => {
  for (const now of [endedAt, plus(endedAt, -HOUR), plus(endedAt, MINUTE)])
    expect(nextLookAt({ endedAt, now, chance: 0 })!.getTime()).toBeGreaterThanOrEqual(now.getTime() + 15 * MINUTE);
});

it('G13 the last look after a recording was found comes before anybody is told that none was', () => {
  for (const provider of ['zoom', 'microsoft-teams', 'google-meet'] as const)
    expect(settledAt(endedAt) <= deadlineOf(provider, endedAt)).toBe(true);
});
