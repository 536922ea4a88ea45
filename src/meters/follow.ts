/** The meter of one meeting follows what becomes known of it; the clock moves it in between. */
import { sessionsOf, togetherIn, type Session } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import { policiesFor } from '../marketplaces/policy.ts';
import type { Timer } from '../meetings/timers.ts';
import type { Reader, Writer } from '../store/database.ts';
import { listFacts, listFactsOf } from '../store/facts.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { findMeter } from '../store/meters.ts';
import { advanceMeters, type Metered } from './advance.ts';

const TICK = 'meter.tick';

/** Call it with the meeting locked, as it is now. `sessions`: of what the vendor told or reported. */
export async function followMeter(tx: Writer, gateway: Gateway, meeting: Metered, sessions: readonly Session[]): Promise<void> {
  if (!sessions.some((session) => togetherIn(session).length > 0)) return;
  const policyOf = policiesFor(tx);
  if (!(await policyOf(meeting)).meter.enabled) return;
  const looks = await advanceMeters(tx, gateway, [{ meeting, sessions }], policyOf);
  const next = looks.get(meeting.id);
  if (next === undefined) await cancelJob(tx, { kind: TICK, subjectId: meeting.id });
  else await scheduleJob(tx, { kind: TICK, subjectId: meeting.id, dueAt: next });
}

/** The last word of a meeting that is called off: what ran until now counts, and nothing after it. */
export async function closeMeter(tx: Writer, gateway: Gateway, meeting: Metered): Promise<void> {
  const now = gateway.now();
  const sessions = await toldSessions(tx, meeting.id);
  await followMeter(
    tx,
    gateway,
    meeting,
    sessions.map((session) => (session.endedAt === null ? { ...session, endedAt: now } : session)),
  );
}

export const toldSessions = async (db: Reader, meetingId: string): Promise<Session[]> =>
  certain(sessionsOf(await listFacts(db, meetingId)));

/** Blocks that count as used, of all sessions of the meeting. */
export const usedBlocks = async (db: Reader, meetingId: string): Promise<number> => (await findMeter(db, meetingId))?.usedBlocks ?? 0;

/** Job `meter.tick`: a block begins, the grace is over, or the credit runs out, while both are there by what is known. */
export const tickMeters: Timer = async (tx, gateway, meetings, policyOf) => {
  const facts = await listFactsOf(
    tx,
    meetings.map(({ id }) => id),
  );
  const counted = meetings.map((meeting) => ({ meeting, sessions: certain(sessionsOf(facts.get(meeting.id) ?? [])) }));
  return advanceMeters(tx, gateway, counted, policyOf);
};

const certain = (sessions: readonly Session[]): Session[] => sessions.filter(({ source }) => source !== 'estimate');
