/** What is known of a meeting, kept as a set of facts. State, sessions and the live view follow from the set, not from the order. */
import type { Ender } from '../domain/meeting.ts';
import { sessionsOf, toldOf, type Fact, type Session } from '../domain/session.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { followMeter } from '../meters/follow.ts';
import type { Writer } from '../store/database.ts';
import { insertFact, listFacts } from '../store/facts.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import { learnFromRun } from './learn.ts';
import { move } from './lifecycle.ts';
import { refreshLive } from './live.ts';
import { NOBODY } from './side.ts';
import { tellMeeting } from './tell.ts';

/**
 * Keeps the fact, once, and lets the meeting follow from all that is known by then. A fact that is known already costs one statement.
 * Estimates are kept for afterwards: a click in our page does not make a meeting run.
 */
export const noteFact = (tx: Writer, gateway: Gateway, meeting: Meeting, fact: Fact): Promise<void> =>
  noteFacts(tx, gateway, meeting, [fact]);

/** Several that are told together, as one: what they say of the meeting is read when all of them are there. */
export async function noteFacts(tx: Writer, gateway: Gateway, meeting: Meeting, told: readonly Fact[]): Promise<void> {
  const fresh: Fact[] = [];
  for (const fact of told) if (await keepFact(tx, meeting, fact)) fresh.push(fact);
  if (!fresh.some(isAboutTheRun)) return;
  // Who notes another fact of this meeting at the same time waits here, and then sees this one.
  const current = await lockMeeting(tx, meeting.id);
  if (current === undefined) return;
  const facts = await listFacts(tx, meeting.id);
  const sessions = toldOf(sessionsOf(facts));
  const [first] = sessions;
  if (first === undefined) return;
  const ran = { type: 'ran', startedAt: first.startedAt, endedAt: endOf(sessions) } as const;
  const followed = (await move(tx, gateway, current, ran)) ?? current;
  // Before the purchase, and after cancellation, whatever happens at the vendor is no part of the meeting's life.
  if (followed.state === 'live' || followed.state === 'ended') {
    const news = followed.state !== current.state || fresh.some((fact) => isNewsOfRun(fact, facts));
    if (news) await tellRuns(tx, gateway, followed, sessions, facts);
  }
  for (const run of sessions.filter(({ instanceId }) => fresh.some((fact) => fact.instanceId === instanceId))) {
    await learnFromRun(tx, followed, run);
  }
  await refreshLive(tx, gateway, followed, sessions);
  if (followed.state === 'live' || followed.state === 'ended') await followMeter(tx, gateway, followed, sessions);
}

/** An estimated end may close a run that the vendor told of; an estimated arrival says nothing about any. */
const isAboutTheRun = ({ source, kind }: Fact): boolean => source !== 'estimate' || kind === 'ended';

/** People coming and going are the many facts, and only the first of them says something about the run itself. */
const isNewsOfRun = (fact: Fact, facts: readonly Fact[]): boolean =>
  fact.participantId === null || facts.filter(({ instanceId }) => instanceId === fact.instanceId).length === 1;

/** Null while a run goes on. */
function endOf(sessions: readonly Session[]): Date | null {
  const ends = sessions.map(({ endedAt }) => endedAt);
  return ends.includes(null) ? null : new Date(Math.max(...ends.map((end) => end!.getTime())));
}

/**
 * Each run is told when it is first heard of and when its end is, once, in whatever order that comes. Of what was reported long after it
 * happened nothing is told: the clock has told the end.
 */
async function tellRuns(tx: Writer, gateway: Gateway, meeting: Meeting, runs: readonly Session[], facts: readonly Fact[]): Promise<void> {
  for (const { instanceId, startedAt, endedAt } of runs.filter(({ source }) => source === 'vendor')) {
    const known = facts.filter((fact) => fact.instanceId === instanceId);
    // Of an end alone nobody can tell when it began.
    if (known.some(({ kind }) => kind !== 'ended')) {
      await tellMeeting(tx, gateway, meeting, 'meeting.started', instanceId, { at: startedAt.toISOString() });
    }
    if (endedAt !== null && known.some(({ kind }) => kind === 'ended')) {
      await tellMeeting(tx, gateway, meeting, 'meeting.ended', instanceId, {
        at: endedAt.toISOString(),
        ended_by: meeting.endedBy as Ender | null,
      });
    }
  }
}

/** What nobody has told the end of is over at `plannedEnd`, or with the last thing that is known of it. An end that is told later replaces this. */
export async function closeRuns(tx: Writer, gateway: Gateway, meeting: Meeting, plannedEnd: Date): Promise<void> {
  const facts = await listFacts(tx, meeting.id);
  for (const { instanceId } of sessionsOf(facts).filter(({ endedAt }) => endedAt === null)) {
    const moments = facts.filter((fact) => fact.instanceId === instanceId).map(({ at }) => at.getTime());
    const at = new Date(Math.max(plannedEnd.getTime(), ...moments));
    await noteFact(tx, gateway, meeting, {
      instanceId,
      kind: 'ended',
      at,
      participantId: null,
      ...NOBODY,
      limitReached: false,
      source: 'estimate',
    });
  }
}

/** Only keeps it. False when it is known already. */
const keepFact = (tx: Writer, { id, marketplaceId }: Pick<Meeting, 'id' | 'marketplaceId'>, fact: Fact): Promise<boolean> =>
  insertFact(tx, { ...fact, meetingId: id, marketplaceId, key: factKey(fact) });

/** Everything that makes it this fact. Whose side it is on is a conclusion and may be drawn differently later. */
const factKey = ({ source, instanceId, kind, participantId, at }: Fact): string =>
  fingerprint(source, instanceId, kind, participantId ?? '', at.toISOString());
