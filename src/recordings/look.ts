/** Asks a vendor what it has recorded of a meeting. What is found goes the way of a webhook (G13). */
import type { VendorRecording } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import { afterReset } from '../domain/backoff.ts';
import { Failure } from '../domain/failure.ts';
import { nextLookAt, settledAt } from '../domain/looks.ts';
import { sessionsOf, toldOf } from '../domain/session.ts';
import { HOUR, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { connectionOf, meetingRef } from '../meetings/link.ts';
import { tellMeeting } from '../meetings/tell.ts';
import type { Reader, Writer } from '../store/database.ts';
import { countLook, deleteExpectation, findExpectation, setMissed, type Expectation } from '../store/expectations.ts';
import { listFacts } from '../store/facts.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { listRecordings } from '../store/recordings.ts';
import { noteProcessing, noteReady } from './ready.ts';
import { chanceOf, LOOK } from './reconcile.ts';

/** While nothing was found yet, a vendor that failed is asked again after this at the latest. */
const AFTER_FAILURE_MS = HOUR;

/** Job `recording.look`: by the schedule, until the recording is there or two weeks are over. */
export async function lookBySchedule(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, now } = gateway;
  const meeting = await findMeeting(db.read, meetingId);
  const expectation = await findExpectation(db.read, meetingId);
  if (meeting === undefined || expectation === undefined) return;
  const settled = settledAt(expectation.endedAt);
  if (expectation.state === 'met' && settled > now() && (await isComplete(db.read, meeting))) {
    await db.write((tx) => scheduleJob(tx, { kind: LOOK, subjectId: meetingId, dueAt: settled }));
    return;
  }
  await look(gateway, meeting);
}

/**
 * Job `recording.look_soon`.
 * @throws Failure what the vendor's adapter throws, where no look is planned that would make up for it; then the worker comes back
 */
export async function lookNow(gateway: Gateway, meetingId: string): Promise<void> {
  const meeting = await findMeeting(gateway.db.read, meetingId);
  if (meeting === undefined) return;
  const { failure, isPlanned } = await look(gateway, meeting);
  // Who may not ask will not be answered next time, either.
  if (failure !== undefined && failure.code !== 'not_capable' && !isPlanned) throw failure;
}

interface Answer {
  readonly found: readonly VendorRecording[];
  readonly failure?: Failure;
}

/** `isPlanned`: a next look is. */
async function look(gateway: Gateway, meeting: Meeting): Promise<{ failure: Failure | undefined; isPlanned: boolean }> {
  const { db, wake } = gateway;
  const answer = await ask(gateway, meeting);
  const isPlanned = await db.write(async (tx) => {
    const current = await findMeeting(tx, meeting.id);
    if (current === undefined) return false;
    for (const recording of answer.found) {
      if (recording.state === 'processing') await noteProcessing(tx, gateway, current, recording.id);
      else await noteReady(tx, gateway, current, recording, 'reconciliation');
    }
    return settle(tx, gateway, current, answer);
  });
  wake();
  return { failure: answer.failure, isPlanned };
}

/** Whatever goes wrong at the vendor is an answer: the next look is planned all the same, and the deadline passes. */
async function ask(gateway: Gateway, meeting: Meeting): Promise<Answer> {
  const { log } = gateway;
  try {
    const ref = meetingRef(gateway, meeting);
    if (ref === undefined) throw new Failure('reconnect_required', 'The account is not connected any more.');
    const connection = await connectionOf(gateway, meeting);
    return { found: await atVendor(gateway, connection, ({ recordings }, account) => recordings.list(account, ref)) };
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === 'storage_unavailable') throw error;
    log.warn({ err: error, meeting: meeting.id }, 'the recordings of a meeting could not be looked for');
    return { found: [], failure };
  }
}

/** Whether a next look is planned. */
async function settle(tx: Writer, gateway: Gateway, meeting: Meeting, { failure }: Answer): Promise<boolean> {
  const at = gateway.now();
  // Not asked: there was no account to ask for.
  if (failure?.code !== 'reconnect_required') await countLook(tx, meeting.id, at);
  const expectation = await findExpectation(tx, meeting.id);
  if (expectation === undefined) return false;
  const hopeless = failure?.code === 'not_capable';
  if (expectation.state === 'open' && (hopeless || expectation.deadline <= at)) {
    // Nothing says that it took place, and the vendor has answered: then nothing is missing.
    if ((failure === undefined || hopeless) && !(await wasHeld(tx, meeting))) {
      await deleteExpectation(tx, meeting.id);
      return false;
    }
    await setMissed(tx, meeting.id);
    await tellMeeting(tx, gateway, meeting, 'recording.missing', expectation.endedAt.toISOString(), {
      until: expectation.deadline.toISOString(),
      looks: expectation.looks,
      reason: failure?.code ?? ((await isProcessing(tx, meeting)) ? 'processing' : 'not_found'),
    });
  }
  if (hopeless) return false;
  const dueAt = await nextLook(tx, gateway, meeting, expectation, failure);
  if (dueAt === undefined) return false;
  await scheduleJob(tx, { kind: LOOK, subjectId: meeting.id, dueAt });
  return true;
}

/** Undefined when it was the last. */
async function nextLook(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  { state, endedAt, deadline }: Expectation,
  failure: Failure | undefined,
): Promise<Date | undefined> {
  const now = gateway.now();
  const chance = chanceOf(gateway);
  if (state === 'met' && failure === undefined) {
    const settled = settledAt(endedAt);
    if (now < settled && (await isComplete(tx, meeting))) return settled;
    if (now >= settled && !(await isProcessing(tx, meeting))) return undefined;
  }
  const planned = nextLookAt({ endedAt, now, chance });
  if (planned === undefined) return undefined;
  const waiting = state === 'open' && deadline > now;
  const soonest = plus(now, afterReset(failure?.retryAfterMs ?? 0, chance));
  const latest = failure !== undefined && waiting ? plus(now, AFTER_FAILURE_MS) : planned;
  const wanted = earliest(planned, latest, waiting ? deadline : planned);
  return wanted < soonest ? soonest : wanted;
}

const earliest = (...moments: Date[]): Date => moments.reduce((a, b) => (a <= b ? a : b));

const isProcessing = async (db: Reader, { id }: Meeting): Promise<boolean> =>
  (await listRecordings(db, id)).some(({ state }) => state === 'processing');

/** Each run that is known has its recording, and none is being worked on. A second recording of one run is found by the last look. */
async function isComplete(db: Reader, meeting: Meeting): Promise<boolean> {
  const recordings = (await listRecordings(db, meeting.id)).filter(({ source }) => source === 'provider');
  const runs = toldOf(sessionsOf(await listFacts(db, meeting.id))).length;
  return recordings.every(({ state }) => state !== 'processing') && recordings.length >= runs;
}

/** Where webhooks get lost a click in our pages is all that tells of a meeting. */
const wasHeld = async (tx: Writer, { id, startedAt, state }: Meeting): Promise<boolean> =>
  state !== 'cancelled' && (startedAt !== null || (await listFacts(tx, id)).length > 0);
