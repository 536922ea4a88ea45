/** Claims due work under leases and runs it: jobs, vendors' deliveries, events to marketplaces. Any number of processes may do this. */
import { setImmediate as turn } from 'node:timers/promises';
import { applyDelivery, applyDue } from '../webhooks/apply.ts';
import type { Break } from '../webhooks/intake.ts';
import { PARKED_KEPT_DAYS, settleParkedAlarms } from '../webhooks/parked.ts';
import { awaitReplacement, renewSubscription } from '../webhooks/renew.ts';
import { withdrawBarredCall } from './calls/end.ts';
import { expireCall, runDueCalls } from './calls/expire.ts';
import { DOUBT, forgetDoubt, REFUSED } from './connections/doubt.ts';
import { expireContentLink } from './contents/end.ts';
import { eraseConnection } from './connections/erase.ts';
import { keepGrant, readProfileAgain } from './connections/keep.ts';
import { REPLACE_SUBSCRIPTION, RETIRE_KEYS, retireKeys } from './connections/retire.ts';
import { afterReset, jobBackoffMs } from './domain/backoff.ts';
import { Failure, type FailureCode } from './domain/failure.ts';
import { DAY, plus, SECOND } from './domain/time.ts';
import { BURY, buryWaiting } from './events/bury.ts';
import { claimDeliveries, deliver, type Send } from './events/deliver.ts';
import { ALL_PLACES, createPlaces } from './events/places.ts';
import { createQueue } from './events/queue.ts';
import { sweepEvents } from './events/retention.ts';
import { createSettle } from './events/settle.ts';
import type { Gateway } from './gateway.ts';
import { readAttendance } from './meetings/attendance.ts';
import { closeMeeting } from './meetings/close.ts';
import { END as EARLY_END, endEarly, LAPSE as EARLY_LAPSE, lapseEarlyEnd } from './meetings/early-end.ts';
import { expireMeeting } from './meetings/lifecycle.ts';
import { releaseLink } from './meetings/link.ts';
import { undoPackage } from './meetings/package.ts';
import { releaseStaleLink } from './meetings/relink.ts';
import { repairLink } from './meetings/repair.ts';
import { runDueTimers, runTimer } from './meetings/timers.ts';
import { END } from './meters/advance.ts';
import { endUnpaid } from './meters/end.ts';
import { expirePresence, runDueLapses } from './professionals/presence.ts';
import { obeyStanding } from './professionals/barred.ts';
import { CALL_OF_BARRED, END_OF_SUSPENSION, endSuspension, MEETING_OF_BARRED } from './professionals/standing.ts';
import { deleteAtVendor } from './recordings/delete.ts';
import { expireRecording } from './recordings/erase.ts';
import { runDueExpiries } from './recordings/expiry.ts';
import { switchRecording } from './recordings/switch.ts';
import { lookBySchedule, lookNow } from './recordings/look.ts';
import { LOOK, LOOK_SOON } from './recordings/reconcile.ts';
import { giveSign, sweepGap, sweepRecordings } from './recordings/sweep.ts';
import { closeShare, UNSHARE } from './recordings/unshare.ts';
import { VERIFY, verifyRecording } from './recordings/vanished.ts';
import { deleteUnansweredCalls } from './store/calls.ts';
import { deleteExpiredSessions } from './store/connect-sessions.ts';
import { deletePastSlots } from './store/host-slots.ts';
import { deleteOldIdempotencyKeys } from './store/idempotency-keys.ts';
import { deleteOldInboxEntries, eraseParkedBodies } from './store/inbox.ts';
import { claimJobs, failJob, finishJob, scheduleJob, type Job } from './store/jobs.ts';
import { deleteOldPlaces } from './store/join-places.ts';
import { writePulse } from './store/pulses.ts';
import { deleteEndedWindows } from './store/quotas.ts';

/** Longer than any single piece of work may take (15 s to deliver, three tries of 15 s at a vendor). */
const LEASE_MS = 90 * SECOND;
/** How long nobody looks for work when nothing rings. */
const POLL_MS = SECOND;
const MAX_JOB_ATTEMPTS = 15;
/**
 * What is never given up, whatever it fails with: nobody would begin it again. A connection would die of it, a recording would be kept for
 * ever, or be looked for no more; of a presence nobody would be told that it is over.
 */
const UPKEEP = new Set([
  'grant.keep',
  'subscription.renew',
  'recording.expire',
  'recording.delete',
  'call.expire',
  'meter.tick',
  END,
  'content.expire',
  'presence.expire',
  LOOK,
]);
/** What needs a connection that works: when it does not any more its professional was told, and a reconnect plans it anew. */
const ENDS_WITH_CONNECTION = new Set(['grant.keep', 'grant.profile', 'subscription.renew', LOOK_SOON, UNSHARE]);
/** What the operator repairs, and what ends with its window: nothing is given up for it, however often it was tried. */
const PASSES: ReadonlySet<string> = new Set(['credentials_rejected', 'key_unavailable', 'vendor_quota'] satisfies FailureCode[]);
/** A day's publications end at once, and their end is promised to the minute: between two batches fewer deliveries come first. */
const COMMITS_PER_EXPIRY = 3;
/** Transactions at once that apply vendors' deliveries; SQLite has one writer. */
const APPLIERS = { sqlite: 1, postgres: 4 };
/** Longer than any vendor repeats a delivery (Pub/Sub: 7 days by default). */
const INBOX_KEPT_MS = 30 * DAY;
const IDEMPOTENCY_KEPT_MS = 2 * DAY;
/** Chosen: as long as the events about them. What they are needed for, a dispute, has begun by then. */
const CALLS_AND_PLACES_KEPT_MS = 90 * DAY;

const JOBS: Readonly<Record<string, (gateway: Gateway, subjectId: string) => Promise<void>>> = {
  'call.expire': expireCall,
  'meeting.link': repairLink,
  'meeting.release': releaseLink,
  'link.release': releaseStaleLink,
  'package.undo': undoPackage,
  'meeting.expire': expireMeeting,
  'meeting.close': closeMeeting,
  'meeting.attendance': readAttendance,
  'meeting.limit': (gateway, meetingId) => runTimer(gateway, 'meeting.limit', meetingId),
  'meeting.host': (gateway, meetingId) => runTimer(gateway, 'meeting.host', meetingId),
  'meter.tick': (gateway, meetingId) => runTimer(gateway, 'meter.tick', meetingId),
  [END]: endUnpaid,
  'meeting.recording': switchRecording,
  [EARLY_LAPSE]: lapseEarlyEnd,
  [EARLY_END]: endEarly,
  'recording.expire': expireRecording,
  'recording.delete': deleteAtVendor,
  [LOOK]: lookBySchedule,
  [LOOK_SOON]: lookNow,
  [VERIFY]: verifyRecording,
  [UNSHARE]: closeShare,
  'recording.sweep': sweepRecordings,
  'subscription.renew': renewSubscription,
  [REPLACE_SUBSCRIPTION]: awaitReplacement,
  [RETIRE_KEYS]: retireKeys,
  'grant.keep': keepGrant,
  'grant.profile': readProfileAgain,
  [DOUBT]: forgetDoubt,
  [REFUSED]: forgetDoubt,
  'connection.erase': eraseConnection,
  'content.expire': expireContentLink,
  [BURY]: buryWaiting,
  'presence.expire': expirePresence,
  [MEETING_OF_BARRED]: obeyStanding,
  [CALL_OF_BARRED]: withdrawBarredCall,
  [END_OF_SUSPENSION]: endSuspension,
  'gateway.sweep': sweep,
  'gateway.pulse': giveSign,
};

export interface Worker {
  /** Looks for work now. */
  wake(): void;
  /** Looks for vendors' deliveries only: these come by the thousand, and bring nothing else. */
  wakeInbox(): void;
  /** Takes no new work and waits for what is under way. */
  stop(): Promise<void>;
}

/** `takeBreak`: what applying waits for, so that it does not hold up acknowledging. */
export async function startWorker(gateway: Gateway, send: Send, takeBreak: Break): Promise<Worker> {
  const { db, now } = gateway;
  await db.write((tx) => scheduleJob(tx, { kind: 'gateway.sweep', subjectId: 'all', dueAt: now() }));
  await sweepGap(gateway);
  const inbox = Array.from({ length: APPLIERS[db.dialect] }, () => {
    const lane: Lane = startLane(gateway, {
      places: 32,
      async claim(limit) {
        await takeBreak();
        const { alone, more } = await applyDue(gateway, { limit, leaseMs: LEASE_MS });
        if (more) lane.wake();
        return alone;
      },
      run: (entries) => entries.map((entry) => applyDelivery(gateway, entry)),
    });
    return lane;
  });
  const crowds = [
    { runDue: runDueTimers },
    { runDue: runDueCalls },
    { runDue: runDueExpiries, commits: COMMITS_PER_EXPIRY },
    { runDue: runDueLapses },
  ].map(({ runDue, commits }) => {
    const lane: Lane = startLane(gateway, {
      places: 16,
      async claim(limit) {
        await takeBreak(commits);
        const { alone, more } = await runDue(gateway, { limit, leaseMs: LEASE_MS });
        if (more) lane.wake();
        return alone;
      },
      run: (jobs) => jobs.map((job) => runJob(gateway, job)),
    });
    return lane;
  });
  const lanes = [
    startLane(gateway, {
      places: 16,
      claim: (limit) => db.write((tx) => claimJobs(tx, { now: now(), leaseMs: LEASE_MS, limit, lane: 'each' })),
      run: (jobs) => jobs.map((job) => runJob(gateway, job)),
    }),
    ...crowds,
    ...inbox,
    startDeliveries(gateway, send),
  ];
  return {
    wake: () => {
      for (const lane of lanes) lane.wake();
    },
    wakeInbox: () => {
      for (const lane of inbox) lane.wake();
    },
    stop: async () => {
      await Promise.all(lanes.map((lane) => lane.stop()));
    },
  };
}

/** Events to marketplaces: no endpoint gets more places than it makes use of (events/places.ts). */
function startDeliveries(gateway: Gateway, send: Send): Lane {
  const queue = createQueue(gateway);
  const places = createPlaces(() => lane.wake());
  const settle = createSettle(gateway);
  const lane: Lane = startLane(gateway, {
    places: ALL_PLACES,
    async claim(limit) {
      const { taken, more } = await queue.take(limit, () => places.choose());
      if (more) lane.wake();
      if (taken.length === 0) return [];
      const claimed = await claimDeliveries(
        gateway,
        taken.map(({ id }) => id),
        LEASE_MS,
      );
      if (queue.settle(taken, new Set(claimed.map(({ delivery }) => delivery.id)))) lane.wake();
      return claimed;
    },
    run: (claimed) =>
      claimed.map(async (one) => {
        const leave = places.take(one.delivery.endpointId);
        const settlement = await deliver(gateway, send, one);
        leave(settlement.outcome.kind === 'attempted' ? settlement.outcome.status !== null : undefined);
        await settle(settlement);
      }),
  });
  return lane;
}

type Lane = Omit<Worker, 'wakeInbox'>;

interface Work<Piece> {
  /** How many pieces may be under way at once. */
  readonly places: number;
  readonly claim: (limit: number) => Promise<Piece[]>;
  /** One promise per piece. */
  readonly run: (pieces: Piece[]) => Promise<void>[];
}

function startLane<Piece>({ log }: Gateway, { places, claim, run }: Work<Piece>): Lane {
  const underWay = new Set<Promise<void>>();
  const state = { stopping: false };
  // A ring while a claim runs must not get lost: the claim may have looked just before the work was written.
  let rung = true;
  let ring: (() => void) | undefined;

  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      ring = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const loop = async (): Promise<void> => {
    while (!state.stopping) {
      // SQLite answers without leaving the turn of the event loop: a long backlog would let nobody else in.
      await turn();
      rung = false;
      const free = places - underWay.size;
      let claimed: Piece[] = [];
      try {
        if (free > 0) claimed = await claim(free);
      } catch (error) {
        log.error({ err: error }, 'work could not be claimed');
      }
      for (const piece of run(claimed)) {
        const running: Promise<void> = piece
          .catch((error: unknown) => log.error({ err: error }, 'a piece of work failed outside its own error handling'))
          .finally(() => {
            underWay.delete(running);
            wake();
          });
        underWay.add(running);
      }
      if (claimed.length === 0 && !rung && !state.stopping) await sleep();
    }
    await Promise.all(underWay);
  };
  const wake = (): void => {
    rung = true;
    ring?.();
  };
  const finished = loop();
  return {
    wake,
    stop: () => {
      state.stopping = true;
      wake();
      return finished;
    },
  };
}

async function runJob(gateway: Gateway, job: Job): Promise<void> {
  const { db, log, now, random } = gateway;
  try {
    // A run that ended with its process has left nothing but its number: without an end it would take every process with it.
    if (job.attempts > MAX_JOB_ATTEMPTS && !isPatient(job, job.lastError?.split(':', 1)[0]))
      throw new Error(`The job ${job.kind} has ended its process too often.`);
    const handler = JOBS[job.kind];
    if (handler === undefined) throw new Error(`There is no handler for the job ${job.kind}.`);
    await handler(gateway, job.subjectId);
    await db.write((tx) => finishJob(tx, job));
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === 'reconnect_required' && ENDS_WITH_CONNECTION.has(job.kind)) {
      await db.write((tx) => finishJob(tx, job));
      return;
    }
    const patient = isPatient(job, failure.code);
    const final = (job.attempts >= MAX_JOB_ATTEMPTS && !patient) || failure.code === 'reconnect_required' || failure.code === 'not_capable';
    const chance = random(4).readUInt32BE() / 2 ** 32;
    const wait = Math.max(afterReset(failure.retryAfterMs ?? 0, chance), jobBackoffMs(job.attempts, chance));
    // An alarm has told it already, once for all.
    if (failure.code !== 'credentials_rejected') log.warn({ err: error, job: job.id, attempts: job.attempts, final }, 'a job failed');
    await db.write((tx) =>
      failJob(tx, job, { dueAt: final ? null : plus(now(), wait), error: `${failure.code}: ${failure.message}`, now: now() }),
    );
  }
}

const isPatient = ({ kind }: Job, code: string | undefined): boolean => UPKEEP.has(kind) || (code !== undefined && PASSES.has(code));

/** Job `gateway.sweep`, hourly: what is past its time goes. */
async function sweep(gateway: Gateway): Promise<void> {
  const { db, now } = gateway;
  const at = now();
  await db.write((tx) => deleteExpiredSessions(tx, at));
  await db.write((tx) => deleteEndedWindows(tx, at));
  await db.write((tx) => deleteOldIdempotencyKeys(tx, plus(at, -IDEMPOTENCY_KEPT_MS)));
  await db.write((tx) => deletePastSlots(tx, plus(at, -DAY)));
  // In steps, so that receiving never waits long for the write lock.
  while ((await db.write((tx) => eraseParkedBodies(tx, plus(at, -PARKED_KEPT_DAYS * DAY), 1_000))) === 1_000);
  while ((await db.write((tx) => deleteOldInboxEntries(tx, plus(at, -INBOX_KEPT_MS), 1_000))) === 1_000);
  const old = plus(at, -CALLS_AND_PLACES_KEPT_MS);
  while ((await db.write((tx) => deleteUnansweredCalls(tx, old, 1_000))) === 1_000);
  await db.write((tx) => deleteOldPlaces(tx, old));
  await sweepEvents(gateway);
  await db.write((tx) => settleParkedAlarms(tx, gateway));
  await db.write((tx) => writePulse(tx, 'sweep', at));
  await db.write((tx) => scheduleJob(tx, { kind: 'gateway.sweep', subjectId: 'all', dueAt: plus(at, DAY / 24) }));
  // What was erased is overwritten in SQLite's file; its log has it until it is emptied. One that somebody reads from is left for next time.
  await db.checkpoint();
}
