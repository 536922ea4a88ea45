/** The meter of one meeting follows what becomes known of it; the clock moves it in between. */
import { sessionsOf, togetherIn, toldOf, type Session } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import { policiesFor } from '../marketplaces/policy.ts';
import type { Timer } from '../meetings/timers.ts';
import type { Reader, Writer } from '../store/database.ts';
import { listFacts, listFactsOf } from '../store/facts.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import { findMeter, saveMeters } from '../store/meters.ts';
import { advanceMeters, newMeter, readLedgers, type Metered } from './advance.ts';

const TICK = 'meter.tick';

type Followed = Metered & Pick<Meeting, 'continues'>;

/** Call it with the meeting locked, as it is now. `sessions`: of what the vendor told or reported. */
export async function followMeter(tx: Writer, gateway: Gateway, meeting: Followed, sessions: readonly Session[]): Promise<void> {
  const policyOf = policiesFor(tx);
  if (!(await policyOf(meeting)).meter.enabled) return;
  const known = await findMeter(tx, meeting.id);
  // What was told of joint time that turns out to be none has to be taken back.
  if (known === undefined && !sessions.some((session) => togetherIn(session).length > 0)) return;
  if (known === undefined && meeting.continues !== null) await takeOverCredit(tx, meeting, meeting.continues);
  const looks = await advanceMeters(tx, gateway, [{ meeting, sessions }], await readLedgers(tx, [meeting.id]), policyOf);
  const next = looks.get(meeting.id);
  if (next === undefined) await cancelJob(tx, { kind: TICK, subjectId: meeting.id });
  else await scheduleJob(tx, { kind: TICK, subjectId: meeting.id, dueAt: next });
}

/**
 * A meeting that a plan's limit ends goes on as another one: what is not used of its credit is that one's from the moment when both are
 * there. Until then nobody has left the old one, and a continuation that comes to nothing takes nothing along.
 */
async function takeOverCredit(tx: Writer, to: Followed, from: string): Promise<void> {
  await lockMeeting(tx, from);
  const meter = await findMeter(tx, from);
  if (meter === undefined || meter.creditBlocks === null) return;
  const { creditBlocks, usedBlocks, balanceText } = meter;
  await saveMeters(tx, [
    { ...newMeter(to), creditBlocks: Math.max(0, creditBlocks - usedBlocks), balanceText },
    { ...meter, creditBlocks: Math.min(creditBlocks, usedBlocks) },
  ]);
}

/** The last word of a meeting that is called off: what ran until now counts, and nothing after it. */
export async function closeMeter(tx: Writer, gateway: Gateway, meeting: Followed): Promise<void> {
  const now = gateway.now();
  const sessions = await toldSessions(tx, meeting.id);
  await followMeter(
    tx,
    gateway,
    meeting,
    sessions.map((session) => (session.endedAt === null ? { ...session, endedAt: now } : session)),
  );
}

export const toldSessions = async (db: Reader, meetingId: string): Promise<Session[]> => toldOf(sessionsOf(await listFacts(db, meetingId)));

/** Blocks that count as used, of all sessions of the meeting. */
export const usedBlocks = async (db: Reader, meetingId: string): Promise<number> => (await findMeter(db, meetingId))?.usedBlocks ?? 0;

/** Job `meter.tick`: a block begins, the grace is over, or the credit runs out, while both are there by what is known. */
export const tickMeters: Timer = async (tx, gateway, meetings, policyOf) => {
  const ids = meetings.map(({ id }) => id);
  // The policies are asked for along with the rest, and known to whoever asks for them next.
  const [facts, ledgers] = await Promise.all([listFactsOf(tx, ids), readLedgers(tx, ids), ...meetings.map(policyOf)]);
  const counted = meetings.map((meeting) => ({ meeting, sessions: toldOf(sessionsOf(facts.get(meeting.id) ?? [])) }));
  return advanceMeters(tx, gateway, counted, ledgers, policyOf);
};
