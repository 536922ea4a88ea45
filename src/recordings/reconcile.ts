/** That a meeting should have a recording: expected at its end, met by a webhook or by a look at the vendor (G13). */
import type { ProviderId } from '../domain/apps.ts';
import { deadlineOf, firstLookAt } from '../domain/looks.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { findConnection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { findExpectation, insertExpectation, moveExpectation, setMet, type FoundBy } from '../store/expectations.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { listRecordings } from '../store/recordings.ts';
import { verdictOn } from './verdict.ts';

/** Planned by the schedule, and planned because something was heard: the second leaves the first as it is. */
export const LOOK = 'recording.look';
export const LOOK_SOON = 'recording.look_soon';

/**
 * Looks for the recording from now on, where there should be one. Asked again with the same end it changes nothing; a meeting that was
 * started once more has another end. `endedAt`: estimated by the caller where the vendor has told none.
 */
export async function expectRecording(
  tx: Writer,
  gateway: Pick<Gateway, 'now' | 'random'>,
  meeting: Meeting,
  endedAt = meeting.endedAt,
): Promise<void> {
  const at = gateway.now();
  const known = await findExpectation(tx, meeting.id);
  if (endedAt === null || known?.endedAt.getTime() === endedAt.getTime() || !(await shouldBeRecorded(tx, meeting))) return;
  const provider = meeting.provider as ProviderId;
  const deadline = deadlineOf(provider, endedAt);
  const isThere = (await listRecordings(tx, meeting.id)).some(({ source, state }) => source === 'provider' && state !== 'processing');
  const isNew = await insertExpectation(tx, {
    meetingId: meeting.id,
    marketplaceId: meeting.marketplaceId,
    state: isThere ? 'met' : 'open',
    metBy: isThere ? 'webhook' : null,
    endedAt,
    deadline,
    looks: 0,
    lookedAt: null,
  });
  // A look that goes on at the same time may meet it: what it has found is not written over.
  if (!isNew) await moveExpectation(tx, { meetingId: meeting.id, endedAt, deadline, reopen: deadline > at });
  const lengthMs = meeting.startedAt === null ? meeting.durationMinutes * MINUTE : endedAt.getTime() - meeting.startedAt.getTime();
  const first = firstLookAt(provider, { endedAt, lengthMs, chance: chanceOf(gateway) });
  await scheduleJob(tx, { kind: LOOK, subjectId: meeting.id, dueAt: first > at ? first : at });
}

/** A free plan records nothing in the cloud; of most accounts only the recording itself tells whether they can. */
async function shouldBeRecorded(tx: Writer, meeting: Meeting): Promise<boolean> {
  if (meeting.linkSource !== 'created' || meeting.connectionId === null || meeting.recording === 'none') return false;
  if ((await findConnection(tx, meeting.connectionId))?.cloudRecording === 'no') return false;
  if (meeting.recording === 'always' || meeting.recordsAutomatically) return true;
  return (await verdictOn(tx, await policyFor(tx, meeting), meeting)).publish;
}

/**
 * Looks at the vendor now, whatever the schedule says, and at the meetings without an expectation, too. `spreadMs`: within which time,
 * where many are to be looked at.
 */
export async function lookSoon(
  tx: Writer,
  gateway: Pick<Gateway, 'now' | 'random'>,
  meetingId: string,
  { spreadMs = 0 }: { spreadMs?: number } = {},
): Promise<void> {
  const meeting = await findMeeting(tx, meetingId);
  if (meeting === undefined) return;
  if (meeting.state === 'ended') await expectRecording(tx, gateway, meeting);
  const dueAt = plus(gateway.now(), Math.round(chanceOf(gateway) * spreadMs));
  await scheduleJob(tx, { kind: LOOK_SOON, subjectId: meetingId, dueAt });
}

/** The vendor has a finished recording, told or found; one that had been given up is met as well. */
export const meetExpectation = (tx: Writer, meetingId: string, by: FoundBy): Promise<boolean> => setMet(tx, meetingId, by);

/** In [0, 1). */
export const chanceOf = ({ random }: Pick<Gateway, 'random'>): number => random(4).readUInt32BE() / 2 ** 32;
