import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  endsAt,
  isOver,
  joinWindow,
  live,
  MEETING_STATES,
  purchaseBy,
  type Happening,
  type MeetingLife,
} from '../../src/domain/meeting.ts';
import type { MeetingState } from '../../src/domain/meeting.ts';
import { PRESETS } from '../../src/domain/presets/index.ts';
import { plus } from '../../src/domain/time.ts';

const T0 = new Date('2026-12-01T10:00:00Z');
const at = (minutes: number): Date => plus(T0, minutes * 60_000);

const HAPPENINGS = {
  link_made: { type: 'link_made' },
  purchased: { type: 'purchased' },
  deadline_passed: { type: 'deadline_passed' },
  cancelled: { type: 'cancelled' },
  running: { type: 'ran', startedAt: at(0), endedAt: null },
  over: { type: 'ran', startedAt: at(0), endedAt: at(30) },
  closed: { type: 'closed', at: at(50) },
} as const satisfies Record<string, Happening>;

/** Where each happening leads; what is not named changes nothing. */
const WAYS: Readonly<Record<MeetingState, Partial<Record<keyof typeof HAPPENINGS, MeetingState>>>> = {
  link_pending: { link_made: 'awaiting_purchase', deadline_passed: 'expired', cancelled: 'cancelled' },
  awaiting_purchase: { purchased: 'confirmed', deadline_passed: 'expired', cancelled: 'cancelled' },
  confirmed: { cancelled: 'cancelled', running: 'live', over: 'ended', closed: 'ended' },
  live: { cancelled: 'cancelled', over: 'ended', closed: 'ended' },
  ended: { running: 'live' },
  expired: {},
  cancelled: {},
};

/** A life in the state as it is really reached. */
const lifeIn = (state: MeetingState): MeetingLife => ({
  state,
  startedAt: state === 'live' || state === 'ended' ? at(0) : null,
  endedAt: state === 'ended' ? at(30) : null,
});

const TABLE = MEETING_STATES.flatMap((state) =>
  (Object.keys(HAPPENINGS) as (keyof typeof HAPPENINGS)[]).map((happening) => ({
    state,
    happening,
    to: WAYS[state][happening] ?? state,
  })),
);

describe('the life of a meeting', () => {
  it.each(TABLE)('G04 $state and $happening give $to', ({ state, happening, to }) => {
    const before = lifeIn(state);
    const after = live(before, HAPPENINGS[happening]);
    expect(after.state).toBe(to);
    // What changes nothing gives back the very same life, so that nobody writes or tells it.
    expect(after === before).toBe(to === state);
  });

  it('knows which states are over', () => {
    expect(MEETING_STATES.filter(isOver)).toEqual(['ended', 'expired', 'cancelled']);
  });

  it('takes start and end from the runs as they are known now, and keeps a life that they do not change', () => {
    const ended = lifeIn('ended');
    expect(live(ended, { type: 'ran', startedAt: at(-5), endedAt: at(90) })).toEqual({
      state: 'ended',
      startedAt: at(-5),
      endedAt: at(90),
    });
    expect(live(ended, { type: 'ran', startedAt: at(0), endedAt: at(30) })).toBe(ended);
    expect(live(ended, { type: 'ran', startedAt: at(0), endedAt: null })).toEqual({ state: 'live', startedAt: at(0), endedAt: null });
  });

  it('is not closed twice, and what the vendor tells afterwards replaces the time of the clock', () => {
    const closed = live(lifeIn('confirmed'), { type: 'closed', at: at(50) });
    expect(closed).toEqual({ state: 'ended', startedAt: null, endedAt: at(50) });
    expect(live(closed, { type: 'closed', at: at(60) })).toBe(closed);
    expect(live(closed, { type: 'ran', startedAt: at(1), endedAt: at(44) })).toEqual({ state: 'ended', startedAt: at(1), endedAt: at(44) });
  });

  it('is never left again once it is cancelled or expired', () => {
    const any = fc.constantFrom(...Object.values(HAPPENINGS));
    fc.assert(
      fc.property(fc.constantFrom('cancelled' as const, 'expired' as const), fc.array(any, { maxLength: 20 }), (state, happenings) => {
        const before = lifeIn(state);
        expect(happenings.reduce<MeetingLife>(live, before)).toBe(before);
      }),
    );
  });
});

describe('deadlines and windows', () => {
  const guide = PRESETS.guide;
  const meeting = { startsAt: at(0), durationMinutes: 50 };

  it('G04 gives 48 hours to buy, counted from the confirmation', () => {
    expect(purchaseBy(guide, { ...meeting, kind: 'one_to_one', confirmedAt: at(-5_000) })).toEqual(at(-5_000 + 48 * 60));
    expect(purchaseBy(guide, { ...meeting, kind: 'private_group', confirmedAt: at(-5_000) })).toEqual(at(-5_000 + 48 * 60));
  });

  it('G03 sells places at an event until its end', () => {
    expect(purchaseBy(guide, { ...meeting, kind: 'event', confirmedAt: at(-50_000) })).toEqual(at(50));
  });

  it('opens the way in before the start and closes it after the end', () => {
    expect(endsAt(meeting)).toEqual(at(50));
    expect(joinWindow(guide, meeting)).toEqual({ opensAt: at(-15), closesAt: at(110) });
  });
});
