/** A marketplace decides about a professional (C01): append-only, told, in the audit log, and obeyed by new links, calls and meetings. */
import { digestOf } from '../domain/audit-chain.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { isBarred, standingAt, type Regarded, type Standing } from '../domain/standing.ts';
import { emit } from '../events/emit.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { listRingingCalls } from '../store/calls.ts';
import type { Reader, Writer } from '../store/database.ts';
import { findOwnIncident } from '../store/incidents.ts';
import { cancelJob, scheduleJob, scheduleJobs } from '../store/jobs.ts';
import { listOpenMeetings, type Meeting } from '../store/meetings.ts';
import { professionalRow, saveProfessional, type ProfessionalKey } from '../store/professionals.ts';
import {
  findStanding,
  findStandingDecision,
  insertStandingDecision,
  type StandingDecision,
  type StandingInForce,
} from '../store/standing.ts';

export const END_OF_SUSPENSION = 'standing.end';
/** The job of `barred.ts`. */
export const MEETING_OF_BARRED = 'standing.meeting';
/** The job of `calls/end.ts`. */
export const CALL_OF_BARRED = 'standing.call';

export interface Judgement extends Regarded {
  readonly reason: string;
  readonly incidentId: string | null;
  /** The appeal that it answers. */
  readonly appealId: string | null;
  /** The id of an API key. */
  readonly by: string;
}

/** As it is at this moment; `good` for whom nothing was ever decided about. */
export async function readStanding(db: Reader, whose: ProfessionalKey, now: Date): Promise<StandingInForce> {
  const known = await findStanding(db, whose);
  if (known === undefined) return { standing: 'good', until: null, decision: null };
  const current = standingAt(known, now);
  return { ...current, decision: current.standing === known.standing ? known.decision : null };
}

/** @throws Failure `professional_suspended` with the end of the suspension */
export async function checkStanding(db: Reader, { now, ...whose }: ProfessionalKey & { now: Date }): Promise<void> {
  refuseBarred(await findStanding(db, whose), now);
}

export async function isBarredNow(db: Reader, { marketplaceId, professionalId }: ProfessionalKey, now: Date): Promise<boolean> {
  const known = await findStanding(db, { marketplaceId, professionalId });
  return known !== undefined && isBarred(known, now);
}

/**
 * The same in the transaction that reserves a link. A decision that is made at this moment waits for its end, and then finds the meeting.
 * @throws Failure `professional_suspended`
 */
export async function holdStanding(tx: Writer, { marketplaceId, professionalId, now }: ProfessionalKey & { now: Date }): Promise<void> {
  const { standing, standingUntil } = await professionalRow(tx, marketplaceId, professionalId);
  refuseBarred({ standing: standing as Standing, until: standingUntil }, now);
}

function refuseBarred(regarded: Regarded | undefined, now: Date): void {
  if (regarded === undefined || !isBarred(regarded, now)) return;
  const { standing, until } = regarded;
  throw new Failure(
    'professional_suspended',
    until === null ? `The professional is ${standing}.` : `The professional is ${standing} until ${until.toISOString()}.`,
    { extra: { standing, until: until?.toISOString() ?? null } },
  );
}

/**
 * The same decision once more changes nothing.
 * @throws Failure `invalid` for a time that is over, and for an incident that is not the marketplace's
 */
export async function judge(gateway: Gateway, whose: ProfessionalKey, judgement: Judgement): Promise<StandingInForce> {
  const { db, now, wake } = gateway;
  const decided = await db.write(async (tx) => {
    await professionalRow(tx, whose.marketplaceId, whose.professionalId);
    const current = await readStanding(tx, whose, now());
    if (current.decision !== null && isSame(current.decision, judgement)) return current;
    const { incidentId } = judgement;
    if (incidentId !== null && (await findOwnIncident(tx, whose.marketplaceId, incidentId)) === undefined)
      throw wrong('/incident_id', 'there is no such incident');
    return decide(tx, gateway, whose, judgement);
  });
  wake();
  return decided;
}

const isSame = (known: StandingDecision, { standing, until, reason, incidentId }: Judgement): boolean =>
  known.standing === standing && known.until?.getTime() === until?.getTime() && known.reason === reason && known.incidentId === incidentId;

const wrong = (pointer: string, detail: string): Failure =>
  new Failure('invalid', 'The request breaks a rule.', { errors: [{ pointer, detail }] });

/** In an open transaction that holds the professional's row. @throws Failure `invalid` */
export async function decide(
  tx: Writer,
  gateway: Gateway,
  { marketplaceId, professionalId }: ProfessionalKey,
  { standing, until, reason, incidentId, appealId, by }: Judgement,
): Promise<StandingInForce> {
  const at = gateway.now();
  if (until !== null && until <= at) throw wrong('/until', 'is over already');
  const whose = { marketplaceId, professionalId };
  const known = await findStanding(tx, whose);
  // A suspension that has ended is told, also when its job comes late.
  if (known?.decision != null && standingAt(known, at).standing !== known.standing) await noteOver(tx, gateway, known.decision);
  const before = await readStanding(tx, whose, at);
  const decision: StandingDecision = {
    id: newId(gateway, 'std'),
    ...whose,
    standing,
    until,
    reason,
    incidentId,
    appealId,
    at,
  };
  await insertStandingDecision(tx, decision);
  await saveProfessional(tx, whose, { standing, standingUntil: until, decisionId: decision.id });
  if (before.decision !== null) await cancelJob(tx, { kind: END_OF_SUSPENSION, subjectId: before.decision.id });
  if (until !== null) await scheduleJob(tx, { kind: END_OF_SUSPENSION, subjectId: decision.id, dueAt: until });
  if (isBarred(decision as Regarded, at)) {
    const [meetings, calls] = [await listOpenMeetings(tx, whose), await listRingingCalls(tx, whose)];
    await scheduleJobs(tx, [
      ...meetings.map((subjectId) => ({ kind: MEETING_OF_BARRED, subjectId, dueAt: at })),
      ...calls.map((subjectId) => ({ kind: CALL_OF_BARRED, subjectId, dueAt: at })),
    ]);
  }
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId,
    at,
    action: 'standing.decided',
    subjectId: decision.id,
    details: {
      professional_id: professionalId,
      from: before.standing,
      to: standing,
      until: until?.toISOString() ?? null,
      reason_sha256: digestOf(reason),
      incident_id: incidentId,
      appeal_id: appealId,
      by,
    },
  });
  await tellStanding(tx, gateway, decision, { before: before.standing, after: { standing, until }, over: false });
  return { standing, until, decision };
}

/**
 * Whether the meeting ran when its professional was barred and may not go on. Its links lead nowhere from that moment, whether the vendor
 * can end it or not. `known`: of its professional.
 */
export const isShut = (policy: Policy, meeting: Meeting, known: StandingInForce | undefined, now: Date): boolean =>
  policy.standing.running !== 'keep' && known?.decision != null && isBarred(known, now) && hasBegun(meeting, known.decision.at);

/** Not every vendor tells that a meeting runs: one whose time has come is taken for one that does. */
export const hasBegun = ({ startsAt, startedAt }: Meeting, at: Date): boolean => startsAt <= at || (startedAt !== null && startedAt <= at);

/** Job `standing.end`: a suspension is over. Links are given since its last moment, whenever this runs. */
export async function endSuspension(gateway: Gateway, decisionId: string): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    const decision = await findStandingDecision(tx, decisionId);
    if (decision === undefined) return;
    const { marketplaceId, professionalId, until } = decision;
    const row = await professionalRow(tx, marketplaceId, professionalId);
    // Something else was decided meanwhile.
    if (row.decisionId !== decisionId || until === null) return;
    const at = now();
    if (until > at) {
      await scheduleJob(tx, { kind: END_OF_SUSPENSION, subjectId: decisionId, dueAt: until });
      return;
    }
    await noteOver(tx, gateway, decision);
  });
  wake();
}

/** In an open transaction that holds the professional's row. */
async function noteOver(tx: Writer, gateway: Gateway, decision: StandingDecision): Promise<void> {
  const { id, marketplaceId, professionalId, standing } = decision;
  await saveProfessional(tx, { marketplaceId, professionalId }, { standing: 'good', standingUntil: null, decisionId: null });
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId,
    at: gateway.now(),
    action: 'standing.ended',
    subjectId: id,
    details: { professional_id: professionalId, from: standing, to: 'good' },
  });
  await cancelJob(tx, { kind: END_OF_SUSPENSION, subjectId: id });
  await tellStanding(tx, gateway, decision, {
    before: standing as Standing,
    after: { standing: 'good', until: null },
    over: true,
  });
}

/** `over`: the decision has come to its end, rather than into force. */
async function tellStanding(
  tx: Writer,
  gateway: Gateway,
  { id, marketplaceId, professionalId, reason, incidentId, appealId }: StandingDecision,
  { before, after, over }: { before: Standing; after: Regarded; over: boolean },
): Promise<void> {
  await emit(tx, gateway, {
    marketplaceId,
    type: 'professional.standing_changed',
    subjectId: id,
    key: over ? 'over' : 'decided',
    data: {
      professional_id: professionalId,
      standing: after.standing,
      until: after.until?.toISOString() ?? null,
      before,
      decision_id: id,
      cause: over ? 'suspension_over' : appealId === null ? 'decision' : 'appeal',
      reason,
      incident_id: incidentId,
      appeal_id: appealId,
    },
  });
}
