/** Who followed a link of ours, and when: all that is known of a meeting whose vendor tells nothing. */
import type { Fact } from '../domain/session.ts';
import { MINUTE } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import type { Meeting } from '../store/meetings.ts';
import { noteFact } from './facts.ts';

/** All clicks make one run: nothing shows that there was another. */
const RUN = 'clicks';

/** Never in the way of who wants to come in: what cannot be written is left out. */
export async function noteClick(
  gateway: Gateway,
  meeting: Meeting,
  { side, customerId, guestId }: Pick<Fact, 'side' | 'customerId'> & { readonly guestId?: string },
): Promise<void> {
  const { db, log, now } = gateway;
  // To the minute: it is no more than an estimate, and who clicks ten times leaves one line.
  const at = new Date(Math.floor(now().getTime() / MINUTE) * MINUTE);
  const participantId = [side, customerId ?? guestId].filter(Boolean).join(' ');
  const fact = { instanceId: RUN, kind: 'joined', at, participantId, side, customerId, limitReached: false, source: 'estimate' } as const;
  try {
    await db.write((tx) => noteFact(tx, gateway, meeting, fact));
  } catch (error) {
    log.warn({ err: error, meeting: meeting.id }, 'a click could not be noted');
  }
}
