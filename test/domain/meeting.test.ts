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
  started: { type: 'started', at: at(0) },
  ended: { type: 'ended', at: at(30) },
} as const satisfies Record<string, Happening>;

/** Where each happening leads; what is not named changes nothing. */
const WAYS: Readonly<Record<MeetingState, Partial<Record<keyof typeof HAPPENINGS, MeetingState>>>> = {
  link_pending: { link_made: 'awaiting_purchase', deadline_passed: 'expired', cancelled: 'cancelled' },
  awaiting_purchase: { purchased: 'confirmed', deadline_passed: 'expired', cancelled: 'cancelled' },
  confirmed: { cancelled: 'cancelled', started: 'live', ended: 'ended' },
  live: { cancelled: 'cancelled', ended: 'ended' },
  ended: {},
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

  it('starts again when the vendor starts the ended meeting once more, and not by late news', () => {
    const ended = lifeIn('ended');
    expect(live(ended, { type: 'started', at: at(31) })).toEqual({ state: 'live', startedAt: at(0), endedAt: null });
    expect(live(ended, { type: 'started', at: at(29) })).toBe(ended);
    expect(live(ended, { type: 'started', at: at(-1) })).toEqual({ state: 'ended', startedAt: at(-1), endedAt: at(30) });
  });

  it('keeps the latest end and the earliest start', () => {
    expect(live(lifeIn('ended'), { type: 'ended', at: at(29) }).endedAt).toEqual(at(30));
    expect(live(lifeIn('ended'), { type: 'ended', at: at(31) }).endedAt).toEqual(at(31));
    expect(live(lifeIn('live'), { type: 'started', at: at(-5) }).startedAt).toEqual(at(-5));
    expect(live(lifeIn('live'), { type: 'started', at: at(5) }).startedAt).toEqual(at(0));
  });

  const vendorNews = fc.array(
    fc.record({ type: fc.constantFrom('started' as const, 'ended' as const), minute: fc.integer({ min: 0, max: 500 }) }),
    { minLength: 1, maxLength: 8 },
  );
  const apply = (news: readonly { type: 'started' | 'ended'; minute: number }[]): MeetingLife =>
    news.reduce<MeetingLife>((life, { type, minute }) => live(life, { type, at: at(minute) }), lifeIn('confirmed'));

  it('comes to the same state, start and end in whatever order and however often one session is told', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.boolean(), { minLength: 2, maxLength: 10 }),
        (start, length, told) => {
          const session = told.map((isStart) =>
            isStart ? { type: 'started' as const, minute: start } : { type: 'ended' as const, minute: start + length },
          );
          fc.pre(told.includes(true) && told.includes(false));
          expect(apply(session)).toEqual({ state: 'ended', startedAt: at(start), endedAt: at(start + length) });
        },
      ),
    );
  });

  it('comes to the state of the latest news in whatever order different sessions are told', () => {
    fc.assert(
      fc.property(
        vendorNews.chain((news) => fc.tuple(fc.constant(news), fc.shuffledSubarray(news, { minLength: news.length }))),
        ([news, shuffled]) => {
          // Two sessions never begin or end in the same moment.
          fc.pre(new Set(news.map(({ minute }) => minute)).size === news.length);
          const sorted = apply(news.toSorted((a, b) => a.minute - b.minute));
          const mixed = apply(shuffled);
          const starts = news.filter(({ type }) => type === 'started').map(({ minute }) => minute);
          expect(mixed.startedAt).toEqual(starts.length === 0 ? null : at(Math.min(...starts)));
          expect(mixed.startedAt).toEqual(sorted.startedAt);
          expect(['live', 'ended']).toContain(mixed.state);
          // An end is known exactly when it is over.
          expect(mixed.state === 'ended').toBe(mixed.endedAt !== null);
          // News may be lost in between, but never the last word of an ended meeting.
          const last = news.reduce((one, other) => (other.minute > one.minute ? other : one));
          const end = last.type === 'ended' ? at(last.minute) : mixed.endedAt;
          expect(mixed.endedAt).toEqual(end);
        },
      ),
    );
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
