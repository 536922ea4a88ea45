/** What a vendor tells about a running meeting becomes a fact; what is known of the run follows from all of them. */
import { sessionsOf, type Fact } from '../domain/session.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { insertFacts, listFactsOf } from '../store/facts.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import { refreshLive } from './live.ts';

export async function noteFact(tx: Writer, gateway: Gateway, { id }: Meeting, fact: Fact): Promise<void> {
  // Facts of one meeting one after another: each has to see the ones before it.
  const meeting = await lockMeeting(tx, id);
  if (meeting === undefined) return;
  const { instanceId, kind, at, participantId, side, customerId, limitReached, source } = fact;
  const key = fingerprint(instanceId, kind, at.toISOString(), participantId ?? '', side, customerId ?? '', String(limitReached), source);
  await insertFacts(tx, [{ ...fact, meetingId: id, marketplaceId: meeting.marketplaceId, key }]);
  await refreshLive(tx, gateway, meeting, sessionsOf((await listFactsOf(tx, [id])) as unknown as Fact[]));
}
