/** Numbers the events about one meeting, from 1, in the order in which they are written. */
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { returnSequences, setSequence, skipSequences, takeSequences } from '../store/events.ts';

/** More events than are told of one meeting between a backup and its loss; chosen. */
const MOST_LOST = 1_000;

interface Numbered {
  readonly id: string;
  /** Null: about no meeting, without a number. */
  readonly meetingId: string | null;
}

/** Whose sequence an event counts in. */
export const meetingOf = (data: Readonly<Record<string, unknown>>): string | null =>
  typeof data['meeting_id'] === 'string' ? data['meeting_id'] : null;

/** A number for each of them, as if all were new. Holds the meetings' sequences until the transaction ends. */
export async function numberEvents(tx: Writer, events: readonly Numbered[]): Promise<Map<string, number>> {
  const byMeeting = grouped(events);
  const lasts = await takeSequences(tx, new Map([...byMeeting].map(([meetingId, ids]) => [meetingId, ids.length])));
  return new Map(
    [...byMeeting].flatMap(([meetingId, ids]) => ids.map((id, index) => [id, lasts.get(meetingId)! - ids.length + 1 + index])),
  );
}

/** Some were written before and keep the number that they have: the new ones move up, and what is left goes back. */
export async function closeGaps(
  tx: Writer,
  { events, written, numbers }: { events: readonly Numbered[]; written: ReadonlySet<string>; numbers: ReadonlyMap<string, number> },
): Promise<void> {
  if (written.size === events.length) return;
  for (const [meetingId, ids] of grouped(events)) {
    const fresh = ids.filter((id) => written.has(id));
    if (fresh.length === ids.length) continue;
    const first = numbers.get(ids[0]!)!;
    for (const [index, id] of fresh.entries()) if (numbers.get(id) !== first + index) await setSequence(tx, id, first + index);
    await returnSequences(tx, meetingId, ids.length - fresh.length);
  }
}

/**
 * After a restore from a backup. Numbers that were given since the backup may have been delivered, and receivers ignore what has a number
 * that they know: so the next ones start above them. How many meetings have a gap now. Doing it twice makes the gap larger and harms nothing.
 */
export const skipLostNumbers = ({ db }: Pick<Gateway, 'db'>): Promise<number> => db.write((tx) => skipSequences(tx, MOST_LOST));

function grouped(events: readonly Numbered[]): Map<string, string[]> {
  const byMeeting = new Map<string, string[]>();
  for (const { id, meetingId } of events) {
    if (meetingId === null) continue;
    const ids = byMeeting.get(meetingId) ?? [];
    byMeeting.set(meetingId, [...ids, id]);
  }
  return byMeeting;
}
