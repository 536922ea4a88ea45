import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countBlocks, readMeter, voidedAt, type Credit, type Reading, type ToldBlock } from '../../src/domain/meter.ts';
import { sessionsOf, togetherIn, type Fact } from '../../src/domain/session.ts';
import { MINUTE, plus, SECOND } from '../../src/domain/time.ts';

const T0 = new Date('2026-12-01T10:00:00Z');
const at = (seconds: number): Date => plus(T0, seconds * SECOND);
const secondsOf = (moment: Date): number => (moment.getTime() - T0.getTime()) / SECOND;
const RULES = { blockMs: 15 * MINUTE, graceMs: 60 * SECOND, warnMs: 60 * SECOND };
const UNLIMITED: Credit = { blocks: null, ends: false };

const fact = (kind: Fact['kind'], who: 'host' | 'customer' | null, seconds: number, instanceId = 'run 1'): Fact => ({
  instanceId,
  kind,
  at: at(seconds),
  participantId: who,
  side: who ?? 'unknown',
  customerId: null,
  limitReached: false,
  source: 'vendor',
});
/** The host comes ten seconds before the customer; both stay together for so many seconds, or still are (null). */
const session = (from: number, seconds: number | null, instanceId = 'run 1'): Fact[] => [
  fact('started', null, from - 10, instanceId),
  fact('joined', 'host', from - 10, instanceId),
  fact('joined', 'customer', from, instanceId),
  ...(seconds === null ? [] : [fact('left', 'customer', from + seconds, instanceId), fact('ended', null, from + seconds + 5, instanceId)]),
];

interface Look {
  readonly now?: number;
  readonly first?: boolean;
  readonly credit?: Credit;
  readonly told?: readonly ToldBlock[];
}
function look(facts: readonly Fact[], { now = 100_000, first = true, credit = UNLIMITED, told = [] }: Look = {}): Reading {
  const sessions = sessionsOf(facts);
  return readMeter(sessions, countBlocks(sessions, RULES, { first, now: at(now) }), told, { rules: RULES, credit, now: at(now) });
}
const starts = ({ started }: Reading): string[] =>
  started.map(({ instanceId, number, startsAt }) => `${instanceId} #${number} ${secondsOf(startsAt)}`);

/** What is stored after a look. */
function keep(told: readonly ToldBlock[], { started, voided, moved, waived }: Reading, now: Date): ToldBlock[] {
  const rows = new Map(told.map((row) => [`${row.instanceId} ${row.number}`, row]));
  const fresh: ToldBlock[] = [
    ...[...started, ...moved].map((block) => ({ ...block, voidedAt: null })),
    ...voided.map((block) => ({ ...block, voidedAt: voidedAt(block, now) })),
    ...waived.map((block) => ({ ...block, voidedAt: block.startsAt })),
  ];
  for (const { instanceId, number, startsAt, voidedAt: voided_ } of fresh) {
    rows.set(`${instanceId} ${number}`, { instanceId, number, startsAt, voidedAt: voided_ });
  }
  return [...rows.values()];
}

describe('blocks of a metered session', () => {
  it.each([
    [0, 'nothing', []],
    [1, 'void', []],
    [59, 'void', []],
    [60, 'counts', ['run 1 #1 0']],
    [61, 'counts', ['run 1 #1 0']],
    [899, 'counts', ['run 1 #1 0']],
    [900, 'counts', ['run 1 #1 0']],
    [901, 'counts', ['run 1 #1 0', 'run 1 #2 900']],
    [1800, 'counts', ['run 1 #1 0', 'run 1 #2 900']],
    [1801, 'counts', ['run 1 #1 0', 'run 1 #2 900', 'run 1 #3 1800']],
  ] as const)('T05 T06 of the first session, left after %i s: %s', (seconds, verdict, blocks) => {
    const reading = look(session(0, seconds));
    expect(starts(reading)).toEqual(blocks);
    expect(reading.voided.map(({ reason }) => reason)).toEqual(verdict === 'void' ? ['grace'] : []);
  });

  it.each([
    [0, []],
    [1, ['run 1 #1 0']],
    [59, ['run 1 #1 0']],
    [900, ['run 1 #1 0']],
    [901, ['run 1 #1 0', 'run 1 #2 900']],
  ] as const)('T05 T06 of a later session of the booking, left after %i s, there is no grace', (seconds, blocks) => {
    const reading = look(session(0, seconds), { first: false });
    expect(starts(reading)).toEqual(blocks);
    expect(reading.voided).toEqual([]);
  });

  it.each([
    [0, [], 60],
    [59, [], 60],
    [60, ['run 1 #1 0'], 900],
    [61, ['run 1 #1 0'], 900],
    [899, ['run 1 #1 0'], 900],
    [900, ['run 1 #1 0', 'run 1 #2 900'], 1800],
  ] as const)('T04 T06 of a session that goes on, at second %i', (now, blocks, next) => {
    const reading = look(session(0, null), { now });
    expect(starts(reading)).toEqual(blocks);
    expect(secondsOf(reading.nextAt!)).toBe(next);
    expect(secondsOf(reading.blockEndsAt!)).toBe(now < 900 ? 900 : 1800);
  });

  it('T04 begin with whoever comes last, and never while the host or the customer is alone', () => {
    const early = [fact('started', null, 0), fact('joined', 'customer', 0), fact('joined', 'host', 400)];
    expect(starts(look(early, { now: 460 }))).toEqual(['run 1 #1 400']);
    expect(look([fact('started', null, 0), fact('joined', 'customer', 0)])).toMatchObject({ started: [], used: 0, nextAt: null });
  });

  it('T05 a customer who comes back within the grace has not left; one who comes back later begins anew, without grace', () => {
    const back = [...session(0, null), fact('left', 'customer', 20), fact('joined', 'customer', 50)];
    expect(starts(look(back, { now: 70 }))).toEqual(['run 1 #1 0']);
    const gone = [...session(0, null), fact('left', 'customer', 20)];
    expect(look(gone, { now: 59 })).toMatchObject({ started: [], voided: [] });
    const told = keep([], look(gone, { now: 60 }), at(60));
    expect(told).toMatchObject([{ number: 1, voidedAt: at(60) }]);
    expect(starts(look([...gone, fact('joined', 'customer', 300)], { now: 301, told }))).toEqual(['run 1 #1 300']);
  });

  it('T06 go on through an absence, and one that is due in it begins with the return', () => {
    const away = [...session(0, null), fact('left', 'customer', 300), fact('joined', 'customer', 500)];
    expect(starts(look(away, { now: 900 }))).toEqual(['run 1 #1 0', 'run 1 #2 900']);
    const longer = [...session(0, null), fact('left', 'customer', 300), fact('joined', 'customer', 1_000)];
    expect(starts(look(longer, { now: 2_000 }))).toEqual(['run 1 #1 0', 'run 1 #2 1000', 'run 1 #3 1900']);
  });

  it('T07 are numbered in each of any number of sessions', () => {
    const facts = [...session(0, 1_000), ...session(2_000, 10, 'run 2'), ...session(3_000, 901, 'run 3')];
    expect(starts(look(facts))).toEqual(['run 1 #1 0', 'run 1 #2 900', 'run 2 #1 2000', 'run 3 #1 3000', 'run 3 #2 3900']);
  });

  it('T06 a departure that is told late takes back the block that had not begun by then, and nothing else', () => {
    const told = keep([], look(session(0, null), { now: 900 }), at(900));
    const late = look(session(0, 880), { now: 905, told });
    expect(late).toMatchObject({ started: [], voided: [{ number: 2, reason: 'not_run' }], used: 1 });
    const again = look([...session(0, null), fact('left', 'customer', 880), fact('joined', 'customer', 890)], {
      now: 910,
      told: keep(told, late, at(905)),
    });
    expect(starts(again)).toEqual(['run 1 #2 900']);
    expect(again.used).toBe(2);
  });
});

describe('the credit of a metered session', () => {
  const TWO: Credit = { blocks: 2, ends: true };
  const told = keep([], look(session(0, null), { now: 900, credit: TWO }), at(900));

  it('T08 warns before the last paid block ends, and a block that nobody paid for does not begin', () => {
    expect(look(session(0, null), { now: 1_739, credit: TWO, told })).toMatchObject({ low: null, unpaid: null, nextAt: at(1_740) });
    expect(look(session(0, null), { now: 1_740, credit: TWO, told })).toMatchObject({
      low: { number: 2, endsAt: at(1_800) },
      nextAt: at(1_800),
    });
    expect(look(session(0, null), { now: 1_800, credit: TWO, told })).toMatchObject({
      started: [],
      low: null,
      unpaid: { startsAt: at(1_800) },
      used: 2,
    });
  });

  it('T08 that comes while the session still runs pays for the block from its second 0', () => {
    const reading = look(session(0, null), { now: 1_803, credit: { blocks: 3, ends: true }, told });
    expect(starts(reading)).toEqual(['run 1 #3 1800']);
    expect(reading.unpaid).toBeNull();
  });

  it('T08 the seconds until the vendor has ended the meeting are never charged, whatever is paid later', () => {
    const over = look(session(0, 1_803), { now: 1_810, credit: TWO, told });
    expect(over).toMatchObject({ started: [], waived: [{ number: 3 }], used: 2 });
    const later = [...session(0, 1_803), ...session(4_000, null, 'run 2')];
    const reading = look(later, { now: 4_000, credit: { blocks: 4, ends: true }, told: keep(told, over, at(1_810)) });
    expect(starts(reading)).toEqual(['run 2 #1 4000']);
    expect(reading.used).toBe(3);
  });

  it('T08 where the meeting cannot be ended, blocks go on and say that they are not paid', () => {
    const reading = look(session(0, null), { now: 1_800, credit: { blocks: 1, ends: false } });
    expect(reading.started.map(({ number, paid }) => [number, paid])).toEqual([
      [1, true],
      [2, false],
      [3, false],
    ]);
    expect(reading.unpaid).toMatchObject({ number: 2 });
  });

  it('T08 nothing paid: the session is over before it begins', () => {
    expect(look(session(0, null), { now: 0, credit: { blocks: 0, ends: true } })).toMatchObject({
      started: [],
      unpaid: { number: 1 },
      blockEndsAt: null,
    });
  });
});

describe('any order, loss and repetition of the facts', () => {
  const move = fc.record({
    instanceId: fc.constantFrom('run 1', 'run 2'),
    kind: fc.constantFrom('joined' as const, 'left' as const),
    who: fc.constantFrom('host' as const, 'customer' as const),
    seconds: fc.integer({ min: 0, max: 4_000 }),
  });
  /** Two runs of the vendor's meeting, one after the other, with people who come and go. */
  const stories = fc
    .array(move, { maxLength: 14 })
    .map((moves) => [
      fact('started', null, 0),
      fact('ended', null, 4_000),
      fact('started', null, 5_000, 'run 2'),
      fact('ended', null, 9_000, 'run 2'),
      ...moves.map(({ instanceId, kind, who, seconds }) => fact(kind, who, instanceId === 'run 1' ? seconds : seconds + 5_000, instanceId)),
    ]);
  const deliveries = stories.chain((facts) =>
    fc.record({
      facts: fc.constant(facts),
      // Each fact once at least, in any order, some of them again.
      order: fc
        .tuple(fc.shuffledSubarray(facts, { minLength: facts.length }), fc.array(fc.constantFrom(...facts), { maxLength: 5 }))
        .map(([all, again]) => [...all, ...again]),
      first: fc.boolean(),
      nows: fc.array(fc.integer({ min: 0, max: 12_000 }), { minLength: 1, maxLength: 30 }),
    }),
  );

  it('T06 end with the blocks that the facts come to, each charged once at any moment', () => {
    fc.assert(
      fc.property(deliveries, ({ facts, order, first, nows }) => {
        const clock = nows.toSorted((a, b) => a - b);
        let told: ToldBlock[] = [];
        const charged = new Map<string, number>();
        const charge = (reading: Reading, now: number): void => {
          for (const { instanceId, number, reason } of reading.voided) {
            const key = `${instanceId} ${number}`;
            if (reason === 'not_run' || charged.has(key)) charged.set(key, (charged.get(key) ?? 0) - 1);
          }
          for (const { instanceId, number } of reading.started)
            charged.set(`${instanceId} ${number}`, (charged.get(`${instanceId} ${number}`) ?? 0) + 1);
          for (const count of charged.values()) expect(count === 0 || count === 1).toBe(true);
          told = keep(told, reading, at(now));
        };
        for (let known = 1; known <= order.length; known++) {
          const now = clock[Math.min(known - 1, clock.length - 1)]!;
          const reading = look([...new Set(order.slice(0, known))], { now, first, told });
          charge(reading, now);
          // A look that is repeated says nothing.
          expect(look([...new Set(order.slice(0, known))], { now, first, told })).toMatchObject({
            started: [],
            voided: [],
            waived: [],
            used: reading.used,
          });
        }
        charge(look(facts, { now: 20_000, first, told }), 20_000);
        const truth = look(facts, { now: 20_000, first });
        const counted = told.filter((block) => block.voidedAt === null).map(({ instanceId, number }) => `${instanceId} ${number}`);
        const moments = (blocks: readonly { startsAt: Date }[]): number[] =>
          blocks.map(({ startsAt }) => startsAt.getTime()).toSorted((a, b) => a - b);
        expect(moments(told.filter((block) => block.voidedAt === null))).toEqual(moments(truth.started));
        expect(counted.toSorted()).toEqual(truth.started.map(({ instanceId, number }) => `${instanceId} ${number}`).toSorted());
        expect(
          [...charged]
            .filter(([, count]) => count === 1)
            .map(([key]) => key)
            .toSorted(),
        ).toEqual(counted.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it('T06 each moment that both are there lies in exactly one block, and each block begins in such a moment', () => {
    fc.assert(
      fc.property(stories, (facts) => {
        const spans = sessionsOf(facts).flatMap(togetherIn);
        const blocks = look(facts, { first: false }).started.map(({ startsAt, endsAt }) => [startsAt.getTime(), endsAt.getTime()] as const);
        for (const [start] of blocks) expect(spans.some(([from, to]) => start >= from && start < to)).toBe(true);
        for (const [from, to] of spans) {
          for (const moment of [from, Math.floor((from + to) / 2), to - 1, ...blocks.flat().filter((one) => one >= from && one < to)]) {
            const around = blocks.filter(([start, end]) => moment >= start && moment < end);
            // Sessions have blocks of their own: the last one of an earlier session may reach into the next.
            expect(around.length >= 1 && around.length <= 2).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('T08 credit is never overdrawn where the meeting is ended, and what was charged stays charged', () => {
    fc.assert(
      fc.property(
        stories,
        fc.array(fc.record({ now: fc.integer({ min: 0, max: 10_000 }), credit: fc.integer({ min: 0, max: 12 }) }), {
          minLength: 1,
          maxLength: 12,
        }),
        (facts, looks) => {
          let told: ToldBlock[] = [];
          let used = 0;
          for (const { now, credit } of looks.toSorted((a, b) => a.now - b.now)) {
            const known = facts.filter((one) => one.at <= at(now));
            if (known.length === 0) continue;
            const reading = look(known, { now, first: false, credit: { blocks: credit, ends: true }, told });
            expect(reading.used).toBeLessThanOrEqual(Math.max(used, credit));
            expect(reading.used).toBeGreaterThanOrEqual(used);
            expect(reading.voided).toEqual([]);
            used = reading.used;
            told = keep(told, reading, at(now));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
