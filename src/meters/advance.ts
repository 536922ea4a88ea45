/** Brings the meters of meetings in step with their runs and with the clock: what is due is stored and told, once. */
import { countBlocks, readMeter, voidedAt, type Block, type Credit, type MeterRules, type Reading } from '../domain/meter.ts';
import type { Policy } from '../domain/policy.ts';
import { togetherIn, type Session } from '../domain/session.ts';
import { MINUTE, SECOND } from '../domain/time.ts';
import { emitAll, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { isEndable } from '../meetings/link.ts';
import { meetingEvent } from '../meetings/tell.ts';
import type { Reader, Writer } from '../store/database.ts';
import { scheduleJobs } from '../store/jobs.ts';
import type { TimedMeeting } from '../store/meetings.ts';
import {
  firstBlocksElsewhere,
  listMeterBlocks,
  listMeters,
  saveMeterBlocks,
  saveMeters,
  type Meter,
  type MeterBlock,
} from '../store/meters.ts';

/** Ends the vendor's meeting because nobody has paid for more. */
export const END = 'meter.end';

/** As much of a meeting as its meter needs. */
export type Metered = Pick<
  TimedMeeting,
  'id' | 'marketplaceId' | 'bookingId' | 'professionalId' | 'provider' | 'state' | 'linkSource' | 'runningSince' | 'endedBy'
>;

export interface Counted {
  readonly meeting: Metered;
  /** What the vendor told or reported, oldest first; clicks are no ground to charge anybody. */
  readonly sessions: readonly Session[];
}

/** What becomes of a meeting whose credit is used up. */
export type Ending = 'gateway' | 'not_capable' | 'policy';

export function endingOf({ providers }: Pick<Gateway, 'providers'>, { meter }: Policy, { provider, linkSource }: Metered): Ending {
  if (meter.on_exhausted === 'tell') return 'policy';
  return isEndable({ providers }, { provider, linkSource }) ? 'gateway' : 'not_capable';
}

export const newMeter = ({ id, marketplaceId, bookingId }: Metered): Meter => ({
  meetingId: id,
  marketplaceId,
  bookingId,
  creditBlocks: null,
  usedBlocks: 0,
  blockEndsAt: null,
  exhaustedAt: null,
  balanceText: null,
});

/** What is stored of meters, by meeting. */
export interface Ledgers {
  readonly meters: ReadonlyMap<string, Meter>;
  /** Oldest first. */
  readonly blocks: ReadonlyMap<string, readonly MeterBlock[]>;
  /** When other meetings of the same booking had their first block. */
  readonly elsewhere: ReadonlyMap<string, Date>;
}

export async function readLedgers(db: Reader, meetingIds: readonly string[]): Promise<Ledgers> {
  const [meters, blocks, elsewhere] = await Promise.all([
    listMeters(db, meetingIds),
    listMeterBlocks(db, meetingIds),
    firstBlocksElsewhere(db, meetingIds),
  ]);
  return { meters, blocks, elsewhere };
}

/**
 * The number of statements does not grow with the number of meetings, which are locked. When the clock alone has something to say next, by
 * meeting.
 */
export async function advanceMeters(
  tx: Writer,
  gateway: Gateway,
  counted: readonly Counted[],
  { meters, blocks, elsewhere }: Ledgers,
  policyOf: (owned: Pick<Metered, 'marketplaceId'>) => Promise<Policy>,
): Promise<Map<string, Date>> {
  const now = gateway.now();
  const looks = new Map<string, Date>();
  const changed: Meter[] = [];
  const rows: MeterBlock[] = [];
  const events: NewEvent[] = [];
  const ends: string[] = [];
  for (const { meeting, sessions } of counted) {
    const policy = await policyOf(meeting);
    if (isBeingEnded(meeting) || !policy.meter.enabled) continue;
    const before = meters.get(meeting.id);
    if (before === undefined && firstTogether(sessions) === Infinity) continue;
    const meter = before ?? newMeter(meeting);
    const told = blocks.get(meeting.id) ?? [];
    const ending = endingOf(gateway, policy, meeting);
    const reading = read(sessions, told, {
      rules: rulesOf(policy),
      credit: { blocks: meter.creditBlocks, ends: ending === 'gateway' },
      first: isFirst(sessions, elsewhere.get(meeting.id)),
      now,
    });
    const after = {
      ...meter,
      usedBlocks: reading.used,
      blockEndsAt: reading.blockEndsAt,
      exhaustedAt: reading.unpaid?.startsAt ?? (reading.used >= (meter.creditBlocks ?? Infinity) ? meter.exhaustedAt : null),
    };
    if (before === undefined || isChanged(before, after)) changed.push(after);
    rows.push(...rowsOf(meeting, reading, now));
    events.push(...eventsOf({ meeting, meter: after, told, reading, ending, now }));
    const isNew = after.exhaustedAt !== null && after.exhaustedAt.getTime() !== meter.exhaustedAt?.getTime();
    if (isNew && ending === 'gateway' && meeting.state === 'live') ends.push(meeting.id);
    if (reading.nextAt !== null) looks.set(meeting.id, reading.nextAt);
  }
  await Promise.all([
    saveMeters(tx, changed),
    saveMeterBlocks(tx, rows),
    scheduleJobs(
      tx,
      ends.map((subjectId) => ({ kind: END, subjectId, dueAt: now })),
    ),
    emitAll(tx, gateway, events),
  ]);
  return looks;
}

/** Of the sessions of the booking; `elsewhere`: when another meeting's began. */
const isFirst = (sessions: readonly Session[], elsewhere: Date | undefined): boolean =>
  elsewhere === undefined || firstTogether(sessions) < elsewhere.getTime();

/** Milliseconds; `Infinity`: host and customer have never been there at the same time. */
const firstTogether = (sessions: readonly Session[]): number =>
  Math.min(...sessions.flatMap((session) => togetherIn(session).map(([from]) => from)));

/** Somebody has ended it at the vendor, or is about to: what it comes to is known once its end is. */
const isBeingEnded = ({ state, endedBy }: Metered): boolean => state === 'live' && endedBy !== null;

const rulesOf = ({ meter }: Policy): MeterRules => ({
  blockMs: meter.block_minutes * MINUTE,
  graceMs: meter.grace_seconds * SECOND,
  warnMs: meter.warn_seconds * SECOND,
});

/** `first`: no other meeting of the booking had a block before. */
function read(
  sessions: readonly Session[],
  told: readonly MeterBlock[],
  { first, ...by }: { rules: MeterRules; credit: Credit; first: boolean; now: Date },
): Reading {
  return readMeter(sessions, countBlocks(sessions, by.rules, { first, now: by.now }), told, by);
}

const isChanged = (a: Meter, b: Meter): boolean =>
  a.usedBlocks !== b.usedBlocks ||
  a.blockEndsAt?.getTime() !== b.blockEndsAt?.getTime() ||
  a.exhaustedAt?.getTime() !== b.exhaustedAt?.getTime();

function rowsOf({ id, marketplaceId, bookingId }: Metered, { started, voided, moved, waived }: Reading, now: Date): MeterBlock[] {
  const row = ({ instanceId, number, startsAt }: Block, voided: Date | null): MeterBlock => ({
    meetingId: id,
    marketplaceId,
    bookingId,
    instanceId,
    number,
    startsAt,
    voidedAt: voided,
  });
  return [
    ...[...started, ...moved].map((block) => row(block, null)),
    ...voided.map((block) => row(block, voidedAt(block, now))),
    ...waived.map((block) => row(block, block.startsAt)),
  ];
}

/** A block that is told once more, because it ran after all, is another event than the first time. */
function eventsOf({
  meeting,
  meter,
  told,
  reading: { started, voided, low, unpaid, used },
  ending,
  now,
}: {
  meeting: Metered;
  meter: Meter;
  told: readonly MeterBlock[];
  reading: Reading;
  ending: Ending;
  now: Date;
}): NewEvent[] {
  const credit = { credit_blocks: meter.creditBlocks };
  const sessionOf = ({ instanceId }: Block) => ({ session_id: instanceId });
  const again = ({ instanceId, number }: Block): string => {
    const before = told.find((one) => one.instanceId === instanceId && one.number === number);
    return before?.voidedAt == null ? '' : ` after ${before.voidedAt.toISOString()}`;
  };
  const keyOf = ({ instanceId, number }: Block): string => `${instanceId} ${number}`;
  return [
    ...voided.map((block) =>
      meetingEvent(meeting, 'meter.voided', `${keyOf(block)} ${now.toISOString()}`, {
        ...sessionOf(block),
        number: block.number,
        starts_at: block.startsAt.toISOString(),
        reason: block.reason,
        used_blocks: used - started.length,
      }),
    ),
    ...started.map((block) =>
      meetingEvent(meeting, 'meter.block_started', `${keyOf(block)}${again(block)}`, {
        ...sessionOf(block),
        number: block.number,
        starts_at: block.startsAt.toISOString(),
        ends_at: block.endsAt.toISOString(),
        used_blocks: block.used,
        ...credit,
        paid: block.paid,
      }),
    ),
    ...(low === null || meter.creditBlocks === null
      ? []
      : [
          meetingEvent(meeting, 'meter.credit_low', `${keyOf(low)} ${meter.creditBlocks}`, {
            ...sessionOf(low),
            ends_at: low.endsAt.toISOString(),
            used_blocks: used,
            credit_blocks: meter.creditBlocks,
            ending,
          }),
        ]),
    ...(unpaid === null || meter.creditBlocks === null
      ? []
      : [
          meetingEvent(meeting, 'meter.credit_exhausted', `${unpaid.instanceId} ${meter.creditBlocks}`, {
            ...sessionOf(unpaid),
            at: unpaid.startsAt.toISOString(),
            used_blocks: used,
            credit_blocks: meter.creditBlocks,
            ending,
          }),
        ]),
  ];
}
