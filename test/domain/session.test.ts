import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minutesOf, peopleOf, sessionsOf, sumOf, type Fact } from '../../src/domain/session.ts';
import { MINUTE, plus, SECOND } from '../../src/domain/time.ts';

const T0 = new Date('2026-12-01T10:00:00Z');
const at = (minutes: number): Date => plus(T0, minutes * MINUTE);

const run = (kind: 'started' | 'ended', minute: number, changes: Partial<Fact> = {}): Fact => ({
  instanceId: 'run-1',
  kind,
  at: at(minute),
  participantId: null,
  side: 'unknown',
  customerId: null,
  limitReached: false,
  source: 'vendor',
  ...changes,
});
const move = (kind: 'joined' | 'left', who: 'host' | 'customer' | 'unknown', minute: number, changes: Partial<Fact> = {}): Fact => ({
  ...run('started', minute),
  kind,
  participantId: who,
  side: who,
  customerId: who === 'customer' ? 'cus_1' : null,
  ...changes,
});
const minutes = (facts: readonly Fact[], now = at(600)) => sumOf(sessionsOf(facts).map((session) => minutesOf(session, now)));
const only = (facts: readonly Fact[]) => {
  const sessions = sessionsOf(facts);
  expect(sessions).toHaveLength(1);
  return sessions[0]!;
};

describe('sessions', () => {
  it('count the minutes of each side and of both together', () => {
    const facts = [
      run('started', 0),
      move('joined', 'customer', 1),
      move('joined', 'host', 5),
      move('left', 'customer', 20),
      move('left', 'host', 30),
      run('ended', 30),
    ];
    expect(minutes(facts)).toEqual({ total: 30, host: 25, customer: 19, joint: 15 });
    expect(only(facts)).toMatchObject({ startedAt: at(0), endedAt: at(30), estimated: false, limitReached: false, source: 'vendor' });
  });

  it('go on while no end is known, and then count up to now', () => {
    const facts = [run('started', 0), move('joined', 'host', 0)];
    expect(only(facts)).toMatchObject({ endedAt: null, participants: [{ stays: [{ joinedAt: at(0), leftAt: null }] }] });
    expect(minutes(facts, at(12))).toEqual({ total: 12, host: 12, customer: 0, joint: 0 });
    // The vendor's clock may be ahead of ours.
    expect(minutes(facts, at(-1))).toEqual({ total: 0, host: 0, customer: 0, joint: 0 });
  });

  it('begin with the first thing that is known of them, and are over with the last', () => {
    const facts = [run('started', 1), move('joined', 'host', 0), run('ended', 30), move('left', 'host', 30.5)];
    expect(only(facts)).toMatchObject({ startedAt: at(0), endedAt: at(30.5) });
    expect(minutes(facts)).toEqual({ total: 30.5, host: 30.5, customer: 0, joint: 0 });
  });

  it('do without what got lost: a start, an arrival, a departure', () => {
    expect(only([move('joined', 'host', 3), run('ended', 30)])).toMatchObject({ startedAt: at(3), endedAt: at(30) });
    expect(minutes([run('started', 0), move('left', 'customer', 10), run('ended', 30)]).customer).toBe(10);
    expect(minutes([run('started', 0), move('joined', 'customer', 10), run('ended', 30)]).customer).toBe(20);
    expect(only([run('ended', 30)])).toMatchObject({ startedAt: at(30), endedAt: at(30) });
  });

  it('a lost end is concluded from the next run, and replaced when it is told after all', () => {
    const second = { instanceId: 'run-2' };
    const facts = [run('started', 0), move('joined', 'host', 0), run('started', 50, second), run('ended', 90, second)];
    expect(sessionsOf(facts)).toMatchObject([
      { endedAt: at(50), estimated: true },
      { endedAt: at(90), estimated: false },
    ]);
    expect(sessionsOf([...facts, run('ended', 40)])).toMatchObject([
      { endedAt: at(40), estimated: false },
      { endedAt: at(90), estimated: false },
    ]);
  });

  it('an end by the clock gives way to the word of the vendor', () => {
    const closed = [run('started', 0), run('ended', 60, { source: 'estimate' })];
    expect(only(closed)).toMatchObject({ endedAt: at(60), estimated: true, source: 'vendor' });
    expect(only([...closed, run('ended', 31)])).toMatchObject({ endedAt: at(31), estimated: false });
  });

  it('clicks count only where nothing better is known', () => {
    const click = { instanceId: 'clicks', source: 'estimate' } as const;
    const clicks = [move('joined', 'customer', -3, click), move('joined', 'host', 0, click), run('ended', 30, click)];
    expect(only(clicks)).toMatchObject({ source: 'estimate', estimated: true });
    expect(minutes(clicks)).toEqual({ total: 33, host: 30, customer: 33, joint: 30 });
    const report = { instanceId: 'report', source: 'attendance' } as const;
    expect(sessionsOf([...clicks, run('started', 2, report), run('ended', 28, report)])).toMatchObject([
      { source: 'attendance', estimated: false, startedAt: at(2), endedAt: at(28) },
    ]);
  });

  it('second devices and second comings are one person, and their minutes count once', () => {
    const facts = [
      run('started', 0),
      move('joined', 'customer', 0, { participantId: 'phone' }),
      move('joined', 'customer', 5, { participantId: 'laptop' }),
      move('left', 'customer', 10, { participantId: 'phone' }),
      move('left', 'customer', 20, { participantId: 'laptop' }),
      move('joined', 'unknown', 1, { participantId: 'a' }),
      move('joined', 'unknown', 1, { participantId: 'b' }),
      run('ended', 30),
    ];
    expect(minutes(facts).customer).toBe(20);
    expect(peopleOf(only(facts)).map(({ side, stays }) => [side, stays.length])).toEqual([
      ['unknown', 1],
      ['unknown', 1],
      ['customer', 2],
    ]);
  });

  it('who leaves and comes back within one second of the vendor has two stays', () => {
    const facts = [run('started', 0), move('joined', 'host', 0), move('left', 'host', 10), move('joined', 'host', 10), run('ended', 30)];
    expect(only(facts).participants[0]!.stays).toEqual([
      { joinedAt: at(0), leftAt: at(10) },
      { joinedAt: at(10), leftAt: at(30) },
    ]);
  });

  it('the limit is reached when the vendor says so of anybody', () => {
    expect(only([run('started', 0), move('left', 'customer', 40, { limitReached: true }), run('ended', 40)]).limitReached).toBe(true);
  });
});

/** Any facts that a vendor might tell of one meeting, sensible or not. */
const anyFacts = fc.array(
  fc
    .record({
      instanceId: fc.constantFrom('run-1', 'run-2', 'run-3'),
      kind: fc.constantFrom('started' as const, 'ended' as const, 'joined' as const, 'left' as const),
      second: fc.integer({ min: 0, max: 400 }),
      who: fc.constantFrom('host' as const, 'customer' as const, 'unknown' as const),
      source: fc.constantFrom('vendor' as const, 'vendor' as const, 'attendance' as const, 'estimate' as const),
      limitReached: fc.boolean(),
    })
    .map(({ kind, second, who, ...rest }): Fact => {
      const common = { ...rest, at: plus(T0, second * SECOND) };
      return kind === 'started' || kind === 'ended' ? { ...run(kind, 0), ...common } : { ...move(kind, who, 0), ...common };
    }),
  { minLength: 1, maxLength: 24 },
);

describe('a set of facts', () => {
  it('case 35: has one meaning, in whatever order and however often the facts are told', () => {
    const told = anyFacts.chain((facts) =>
      fc.tuple(fc.constant(facts), fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2 })),
    );
    fc.assert(
      fc.property(told, ([facts, shuffled]) => {
        expect(sessionsOf(shuffled)).toEqual(sessionsOf(facts));
      }),
      { numRuns: 5_000 },
    );
  });

  it('never gives more joint minutes than minutes of a side, more of a side than in all, or a stay outside its run', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const now = plus(T0, 500 * SECOND);
        for (const session of sessionsOf(facts)) {
          const { total, host, customer, joint } = minutesOf(session, now);
          expect(joint).toBeGreaterThanOrEqual(0);
          expect(joint).toBeLessThanOrEqual(Math.min(host, customer) + 1e-9);
          expect(Math.max(host, customer)).toBeLessThanOrEqual(total + 1e-9);
          const until = session.endedAt ?? now;
          for (const { joinedAt, leftAt } of session.participants.flatMap(({ stays }) => stays)) {
            const known = [session.startedAt, joinedAt, leftAt ?? until, until].map((moment) => moment.getTime());
            expect(known).toEqual(known.toSorted((a, b) => a - b));
            // Nobody is still there when it is over.
            expect(leftAt === null && session.endedAt !== null).toBe(false);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('has at most one run that goes on, the newest', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const open = sessionsOf(facts).map(({ endedAt }) => endedAt === null);
        expect(open.slice(0, -1)).not.toContain(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
