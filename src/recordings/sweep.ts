/** After a time in which webhooks got lost: everything that may have been told then is looked at soon (G13). */
import { endsAt, isOver, MEETING_STATES } from '../domain/meeting.ts';
import { LAST_LOOK_MS } from '../domain/looks.ts';
import { DAY, MINUTE, plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { countExpectations, listOpenExpectations, listUnmetOfConnection } from '../store/expectations.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting, listMeetingsOfConnection, listUnderWay } from '../store/meetings.ts';
import { findPulse, writePulse } from '../store/pulses.ts';
import { listVendorRecordingsOf } from '../store/recordings.ts';
import { considerRecording } from './automatic.ts';
import { expectRecording, lookSoon } from './reconcile.ts';
import { closeShareSoon } from './unshare.ts';

/** Of all processes together: while one of them works, nothing gets lost. */
const PULSE = 'worker';
const PULSE_EVERY_MS = MINUTE;
/** A restart takes less; vendors repeat what they could not deliver for longer than this. */
const GAP_MS = 2 * MINUTE;
/** Looks begin one after the other, so that a start after a night is no burst at the vendor. */
const PER_LOOK_MS = SECOND;
const LONGEST_SPREAD_MS = 30 * MINUTE;
/** Meetings of one transaction. */
const BATCH = 200;
/** Of one connection more cannot have been held in two weeks. */
const MOST_OF_CONNECTION = 500;

/** Nobody books further ahead. */
const FAR_MS = 3_660 * DAY;
const NOT_OVER = MEETING_STATES.filter((state) => !isOver(state));

const ALL = 'all';

/** At the start of a process: plans the looks when no process has worked for a while, and the sign of life. */
export async function sweepGap(gateway: Gateway): Promise<void> {
  const { db, log, now } = gateway;
  await db.write(async (tx) => {
    const at = now();
    const last = await findPulse(tx, PULSE);
    if (last !== undefined && at.getTime() - last.getTime() >= GAP_MS) {
      log.info({ since: last.toISOString() }, 'the gateway was away: recordings are looked for');
      await scheduleJob(tx, { kind: 'recording.sweep', subjectId: ALL, dueAt: at });
    }
    await writePulse(tx, PULSE, at);
    await scheduleJob(tx, { kind: 'gateway.pulse', subjectId: ALL, dueAt: plus(at, PULSE_EVERY_MS) });
  });
}

/** Job `gateway.pulse`, every minute. */
export async function giveSign({ db, now }: Gateway): Promise<void> {
  await db.write(async (tx) => {
    await writePulse(tx, PULSE, now());
    await scheduleJob(tx, { kind: 'gateway.pulse', subjectId: ALL, dueAt: plus(now(), PULSE_EVERY_MS) });
  });
}

/** Job `recording.sweep`, of `all` or of one connection. */
export async function sweepRecordings(gateway: Gateway, subjectId: string): Promise<void> {
  if (subjectId === ALL) await sweepAll(gateway);
  else await sweepConnection(gateway, subjectId);
  gateway.wake();
}

async function sweepAll({ db, now, random }: Gateway): Promise<void> {
  const at = now();
  // The ends of these may have been told to nobody. Those that really go on have another end to look from later.
  await inPages(
    (after) => listUnderWay(db.read, { startedBy: at, after, limit: BATCH }),
    (meetings) =>
      db.write(async (tx) => {
        for (const meeting of meetings) await expectRecording(tx, { now, random }, meeting, earlier(endsAt(meeting), at));
      }),
  );
  const spreadMs = Math.min((await countExpectations(db.read)).open * PER_LOOK_MS, LONGEST_SPREAD_MS);
  await inPages(
    (after) => listOpenExpectations(db.read, { after, limit: BATCH }),
    (meetings) =>
      db.write(async (tx) => {
        for (const { id } of meetings) await lookSoon(tx, { now, random }, id, { spreadMs });
      }),
  );
}

async function sweepConnection(gateway: Gateway, connectionId: string): Promise<void> {
  const { db, now } = gateway;
  const since = plus(now(), -LAST_LOOK_MS);
  await db.write(async (tx) => {
    const ids = await listUnmetOfConnection(tx, { connectionId, since, limit: MOST_OF_CONNECTION });
    const spreadMs = Math.min(ids.length * PER_LOOK_MS, LONGEST_SPREAD_MS);
    for (const id of ids) await lookSoon(tx, gateway, id, { spreadMs });
  });
  await goOn(gateway, connectionId);
}

/** What ended with the connection: the vendor is told whether to record its meetings, and closes pages that are to be shown to nobody. */
async function goOn(gateway: Gateway, connectionId: string): Promise<void> {
  const { db, now } = gateway;
  // What may still run, and all that is to come.
  const period = { from: plus(now(), -DAY), until: plus(now(), FAR_MS) };
  const meetings = await listMeetingsOfConnection(db.read, { connectionId, ...period, states: NOT_OVER });
  const recordings = (await listVendorRecordingsOf(db.read, connectionId)).filter(({ state }) => state === 'withheld');
  for (let from = 0; from < meetings.length; from += BATCH) {
    await db.write(async (tx) => {
      for (const { id } of meetings.slice(from, from + BATCH)) {
        const meeting = await findMeeting(tx, id);
        if (meeting !== undefined) await considerRecording(tx, gateway, meeting);
      }
    });
  }
  await db.write(async (tx) => {
    for (const recording of recordings) {
      await closeShareSoon(tx, gateway, recording);
      // Recovered while the account could not be asked for its files.
      if (recording.files.length === 0) await lookSoon(tx, gateway, recording.meetingId);
    }
  });
}

const earlier = (a: Date, b: Date): Date => (a < b ? a : b);

/** Page by page, in the order of the ids. */
async function inPages<Item extends { readonly id: string }>(
  read: (after: string) => Promise<readonly Item[]>,
  work: (page: readonly Item[]) => Promise<void>,
): Promise<void> {
  for (let page = await read(''); page.length > 0; page = await read(page.at(-1)!.id)) await work(page);
}
