/**
 * What a metered meeting has used (T04 to T08, docs/decisions/0017-metered-sessions.md). Nothing here depends on the order in which the facts
 * came: what is counted follows from the runs as they are known now, and what to tell is the difference to what was told before.
 */
import { togetherIn, type Session, type Span } from './session.ts';
import { plus } from './time.ts';

export interface MeterRules {
  readonly blockMs: number;
  readonly graceMs: number;
  /** Before the end of the last paid block; 0: no warning. */
  readonly warnMs: number;
}

export interface Block {
  readonly instanceId: string;
  /** From 1 in each session. */
  readonly number: number;
  readonly startsAt: Date;
}

/** As it is stored. A block of which `voidedAt` is `startsAt` was never charged: it began unpaid, and the meeting was ended for it. */
export interface ToldBlock extends Block {
  readonly voidedAt: Date | null;
}

/** What the runs come to, whoever pays. */
export interface Count {
  /** Oldest first. */
  readonly blocks: readonly Block[];
  /** The first session, left within the grace: it did not take place. */
  readonly abandoned: Block | null;
  /** The first session while it may still be left without counting, until then. */
  readonly pending: (Block & { readonly until: Date }) | null;
  /** When the next block begins if both stay; null while they are not together. */
  readonly nextStart: Date | null;
}

/**
 * The blocks of the runs, oldest run first. A block begins when one is due and host and customer are both there; absences neither stop it nor
 * give anything back, and a block that would begin in one begins with the return. So each joint moment lies in exactly one block.
 * `first`: no other meeting of the booking had a session before.
 */
export function countBlocks(
  sessions: readonly Session[],
  { blockMs, graceMs }: Pick<MeterRules, 'blockMs' | 'graceMs'>,
  { first, now }: { first: boolean; now: Date },
): Count {
  const held = sessions.map((session) => ({ session, spans: togetherIn(session) })).filter(({ spans }) => spans.length > 0);
  const blocks: Block[] = [];
  let [abandoned, pending]: [Count['abandoned'], Count['pending']] = [null, null];
  let nextStart: Date | null = null;
  for (const [index, { session, spans }] of held.entries()) {
    const { instanceId } = session;
    let counted = spans;
    if (first && index === 0 && graceMs > 0) {
      const begun = { instanceId, number: 1, startsAt: new Date(spans[0]![0]) };
      const until = plus(begun.startsAt, graceMs);
      const verdict = afterGrace(spans, until.getTime(), { over: session.endedAt !== null, now: now.getTime() });
      if (verdict === 'open') pending = { ...begun, until };
      if (verdict === 'left') abandoned = begun;
      if (verdict !== 'stayed') counted = spans.filter(([from]) => from >= until.getTime());
    }
    const { starts, next } = blockStarts(counted, blockMs, now.getTime());
    blocks.push(...starts.map((start, position) => ({ instanceId, number: position + 1, startsAt: new Date(start) })));
    if (next !== null) nextStart = new Date(next);
  }
  return { blocks, abandoned, pending, nextStart };
}

/** Whoever leaves with the last moment of the grace has stayed for all of it. */
function afterGrace(spans: readonly Span[], until: number, { over, now }: { over: boolean; now: number }): 'open' | 'stayed' | 'left' {
  const across = spans.find(([from, to]) => from < until && to >= until);
  if (across !== undefined && (now >= until || across[1] !== Infinity)) return 'stayed';
  return across !== undefined || (now < until && !over) ? 'open' : 'left';
}

/** A time that nobody has told the end of counts up to `now`, one with an end wholly: the vendor's clock may be ahead of ours. */
function blockStarts(spans: readonly Span[], blockMs: number, now: number): { starts: number[]; next: number | null } {
  const starts: number[] = [];
  let due = -Infinity;
  for (const [from, to] of spans) {
    const last = to === Infinity ? now : to - 1;
    let start = Math.max(from, due);
    for (; start <= last; start += blockMs) {
      starts.push(start);
      due = start + blockMs;
    }
    if (to === Infinity) return { starts, next: start };
  }
  return { starts, next: null };
}

export interface Credit {
  /** Blocks paid for; null: not limited. */
  readonly blocks: number | null;
  /** Whether a meeting without credit is ended. Then a block that is not paid does not begin; elsewhere it is counted all the same. */
  readonly ends: boolean;
}

/** What is to be told and stored, given what was. */
export interface Reading {
  readonly started: readonly (Block & { readonly endsAt: Date; readonly paid: boolean; readonly used: number })[];
  /** `grace`: the session did not take place. `not_run`: told, but by what is known now both were not there any more. */
  readonly voided: readonly (Block & { readonly reason: 'grace' | 'not_run' })[];
  /** Told, and by what is known now they began at another moment: the same block, and no news. */
  readonly moved: readonly Block[];
  /** Began unpaid in a session that is over: kept, so that a later credit does not pay for it. */
  readonly waived: readonly Block[];
  readonly used: number;
  /** The block that runs, or the last one while its time runs; null where none does. */
  readonly blockEndsAt: Date | null;
  /** The last paid block ends soon. */
  readonly low: (Block & { readonly endsAt: Date }) | null;
  /** The first block that nobody has paid for. */
  readonly unpaid: Block | null;
  /** When the clock alone has something to say next. */
  readonly nextAt: Date | null;
}

export function readMeter(
  sessions: readonly Session[],
  count: Count,
  told: readonly ToldBlock[],
  { rules, credit, now }: { rules: MeterRules; credit: Credit; now: Date },
): Reading {
  const { blockMs, warnMs } = rules;
  const known = new Map(told.map((block) => [keyOf(block), block]));
  const ran = new Set(count.blocks.map(keyOf));
  const lost = told.filter((block) => block.voidedAt === null && !ran.has(keyOf(block)));
  const running = sessions.findLast(({ endedAt }) => endedAt === null);
  const limit = credit.blocks ?? Infinity;

  let used = told.length - told.filter(({ voidedAt }) => voidedAt !== null).length - lost.length;
  const started: Reading['started'][number][] = [];
  const moved: Block[] = [];
  const waived: Block[] = [];
  let unpaid: Block | null = null;
  let current: Block | null = null;
  for (const block of count.blocks) {
    const before = known.get(keyOf(block));
    if (before !== undefined && isWaived(before)) continue;
    if (before?.voidedAt !== null) {
      if (used >= limit) unpaid ??= block;
      if (used >= limit && credit.ends) {
        if (block.instanceId !== running?.instanceId) waived.push(block);
        continue;
      }
      used += 1;
      started.push({ ...block, endsAt: plus(block.startsAt, blockMs), paid: used <= limit, used });
    } else if (before.startsAt.getTime() !== block.startsAt.getTime()) moved.push(block);
    if (block.instanceId === running?.instanceId) current = block;
  }
  const { pending } = count;
  if (pending !== null && used >= limit) unpaid ??= pending;

  const shown = current ?? (unpaid === pending ? null : pending);
  const endsAt = shown === null ? null : plus(shown.startsAt, blockMs);
  const blockEndsAt = endsAt !== null && endsAt > now ? endsAt : null;
  const last = current !== null && blockEndsAt !== null && used >= limit && warnMs > 0;
  const warnAt = last ? plus(blockEndsAt, -warnMs) : null;
  const { abandoned } = count;
  return {
    started,
    voided: [
      ...lost.map((block) => ({
        ...block,
        reason: abandoned !== null && isSame(block, abandoned) ? ('grace' as const) : ('not_run' as const),
      })),
      ...(abandoned !== null && !known.has(keyOf(abandoned)) && !ran.has(keyOf(abandoned))
        ? [{ ...abandoned, reason: 'grace' as const }]
        : []),
    ],
    moved,
    waived,
    used,
    blockEndsAt,
    low: warnAt !== null && warnAt <= now ? { ...current!, endsAt: blockEndsAt! } : null,
    unpaid,
    nextAt: earliest([pending?.until ?? null, warnAt, count.nextStart], now),
  };
}

/** A block that was told and is taken back is voided after its start, whatever the clocks say. */
export const voidedAt = ({ startsAt }: Block, now: Date): Date => (now > startsAt ? now : plus(startsAt, 1));

const isWaived = ({ startsAt, voidedAt: at }: ToldBlock): boolean => at?.getTime() === startsAt.getTime();

const keyOf = ({ instanceId, number }: Pick<Block, 'instanceId' | 'number'>): string => `${number} ${instanceId}`;
const isSame = (a: Block, b: Block): boolean => keyOf(a) === keyOf(b);

const earliest = (moments: readonly (Date | null)[], now: Date): Date | null =>
  moments.reduce<Date | null>((first, one) => (one !== null && one > now && (first === null || one < first) ? one : first), null);
