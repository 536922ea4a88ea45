/** What becomes of the meetings of a professional who was suspended or terminated (C01): as `standing` of the policy says. */
import { Failure } from '../domain/failure.ts';
import { isOver, type MeetingState } from '../domain/meeting.ts';
import { isBarred } from '../domain/standing.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { cancelMeeting, endMeeting } from '../meetings/lifecycle.ts';
import { isEndable } from '../meetings/link.ts';
import { hasAuditEntry, insertAuditEntry } from '../store/audit.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { findStanding, type StandingDecision } from '../store/standing.ts';
import { hasBegun } from './standing.ts';

/** Job `standing.meeting`: one meeting that was not over when its professional was barred. */
export async function obeyStanding(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, now } = gateway;
  const meeting = await findMeeting(db.read, meetingId);
  if (meeting === undefined || isOver(meeting.state as MeetingState)) return;
  const known = await findStanding(db.read, meeting);
  // Lifted meanwhile, or over already.
  if (known?.decision == null || !isBarred(known, now())) return;
  const { marketplaceId, state } = meeting;
  const { running, upcoming } = (await policyFor(db.read, meeting)).standing;
  const begun = hasBegun(meeting, known.decision.at);
  if (begun ? running === 'keep' : upcoming === 'keep') return;
  const act = begun && (state === 'live' || state === 'confirmed') ? 'end' : 'cancel';
  await note(gateway, meeting, known.decision, act, isEndable(gateway, meeting));
  if (act === 'cancel') await cancelMeeting(gateway, { marketplaceId, meetingId, reason: 'professional_suspended' });
  else await endWhereItCan(gateway, meeting);
}

/** Where the vendor cannot, nobody else is let in: see `isShut`. */
async function endWhereItCan(gateway: Gateway, { id, marketplaceId }: Meeting): Promise<void> {
  try {
    await endMeeting(gateway, { marketplaceId, meetingId: id, by: 'marketplace' });
  } catch (error) {
    if (Failure.from(error).code !== 'not_capable') throw error;
  }
}

/** Before it is tried, and once, however often that is. */
async function note(
  { db, now }: Gateway,
  { id, marketplaceId }: Meeting,
  decision: StandingDecision,
  act: 'end' | 'cancel',
  ends: boolean,
): Promise<void> {
  const entryId = `aud_${fingerprint('standing', decision.id, id)}`;
  await db.write(async (tx) => {
    if (await hasAuditEntry(tx, entryId)) return;
    await insertAuditEntry(tx, {
      id: entryId,
      marketplaceId,
      at: now(),
      action: `standing.${act === 'end' ? 'ends' : 'cancels'}_meeting`,
      subjectId: id,
      // Where the vendor cannot end it, its links are shut and who is in it stays.
      details: { professional_id: decision.professionalId, decision_id: decision.id, ...(act === 'end' ? { ends } : {}) },
    });
  });
}
