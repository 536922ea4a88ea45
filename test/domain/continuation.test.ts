import { describe, expect, it } from 'vitest';
import { leadsOn, remainingMinutes, wasCutOff, whyNotContinued, type Continuable } from '../../src/domain/continuation.ts';
import { MEETING_STATES } from '../../src/domain/meeting.ts';
import { policyOf } from '../../src/domain/presets/index.ts';
import type { Session } from '../../src/domain/session.ts';

const at = (time: string): Date => new Date(`2026-12-01T${time}:00Z`);
const policy = policyOf({ preset: 'guide', policyPatch: {} });
const meeting: Continuable = {
  state: 'ended',
  provider: 'google-meet',
  lockedAt: at('08:00'),
  startsAt: at('10:00'),
  durationMinutes: 50,
  startedAt: at('10:00'),
  endedAt: at('10:40'),
  limitMinutes: 40,
};
const run = (from: string, to: string | null, limitReached = false): Session => ({
  instanceId: from,
  startedAt: at(from),
  endedAt: to === null ? null : at(to),
  limitReached,
  source: 'vendor',
  estimated: false,
  participants: [],
});

describe('G14 the minutes of a continuation', () => {
  it.each([
    ['what is left of the booked time', {}, '10:20', 30],
    ['as booked, when it started early', { startedAt: at('09:50') }, '10:30', 20],
    ['as long as booked, when it started late', { startedAt: at('10:15') }, '10:55', 10],
    ['a begun minute is a whole one', { durationMinutes: 90 }, '10:40:30', 50],
    ['never less than ten', {}, '10:49', 10],
    ['never less than ten, also when the time is over', {}, '11:30', 10],
  ])('%s', (_name, changes, now, minutes) => {
    const moment = new Date(`2026-12-01T${now.length === 5 ? `${now}:00` : now}Z`);
    expect(remainingMinutes({ ...meeting, ...changes }, moment)).toBe(minutes);
  });
});

describe('G14 a meeting was cut off by the limit', () => {
  it.each([
    ['by the clock', true, {}, []],
    ['by the clock, half a minute late', true, { endedAt: new Date('2026-12-01T10:40:30Z') }, []],
    ['not when it ended before', false, { endedAt: at('10:30') }, []],
    ['not when it is as long as the limit and ended as booked', false, { durationMinutes: 40 }, []],
    ['not when hardly anything was left', false, { durationMinutes: 44 }, []],
    ['with little left of the booked time, and all of the late one', true, { startedAt: at('10:08'), endedAt: at('10:48') }, []],
    ['not by the clock where the vendor would have said it', false, { provider: 'zoom' }, [run('10:00', '10:40')]],
    ['with nothing left, by the word of the vendor', true, { provider: 'zoom', durationMinutes: 40 }, [run('10:00', '10:40', true)]],
    ['not when no limit is known', false, { limitMinutes: null }, []],
    ['not while it runs', false, { endedAt: null }, [run('10:00', null)]],
    [
      'by the word of the vendor, whatever the clock says',
      true,
      { limitMinutes: null, endedAt: at('10:31') },
      [run('10:00', '10:31', true)],
    ],
    [
      'in its second run, by the clock',
      true,
      { durationMinutes: 120, endedAt: at('11:25') },
      [run('10:00', '10:40', true), run('10:45', '11:25')],
    ],
    ['not when it was started again and then ended', false, { endedAt: at('10:50') }, [run('10:00', '10:40', true), run('10:45', '10:50')]],
  ] as const)('%s', (_name, expected, changes, sessions) => {
    expect(wasCutOff({ ...meeting, ...changes }, sessions)).toBe(expected);
  });
});

describe('G14 why a meeting is not continued', () => {
  it.each([
    [undefined, {}, '11:49'],
    ['window_over', {}, '11:50'],
    ['window_over', { state: 'live', endedAt: null }, '11:50'],
    [undefined, { state: 'live', endedAt: null }, '10:10'],
    ['not_started', { state: 'confirmed', startedAt: null, endedAt: null }, '10:10'],
    ['not_started', { state: 'link_pending', startedAt: null, endedAt: null }, '10:10'],
    ['not_bought', { state: 'awaiting_purchase', lockedAt: null, startedAt: null, endedAt: null }, '10:10'],
    ['ended', { endedAt: at('10:20') }, '10:25'],
    ['expired', { state: 'expired', lockedAt: null }, '10:10'],
    ['cancelled', { state: 'cancelled' }, '10:10'],
  ] as const)('%s', (reason, changes, now) => {
    expect(whyNotContinued(policy, { ...meeting, ...changes }, { sessions: [], now: at(now) })).toBe(reason);
  });
});

describe('G14 pages lead on to a continuation', () => {
  it('that has its link and was not called off', () => {
    expect(MEETING_STATES.filter(leadsOn)).toEqual(['awaiting_purchase', 'confirmed', 'live', 'ended']);
  });
});
