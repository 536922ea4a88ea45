/** A professional objects to a decision, with evidence (C02): once for each, and whoever decides says why. */
import { digestOf } from '../domain/audit-chain.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { Failure, found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { standingAt, type Regarded, type Standing } from '../domain/standing.ts';
import { emit } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Reader } from '../store/database.ts';
import { professionalRow, type ProfessionalKey } from '../store/professionals.ts';
import { decideAppeal, findAppealAgainst, findOwnAppeal, insertAppeal, listStandingDecisions, type Appeal } from '../store/standing.ts';
import { decide, readStanding } from './standing.ts';

export interface Objection {
  readonly text: string;
  readonly evidence: Appeal['evidence'];
  /** The id of an API key. */
  readonly by: string;
}

/** @throws Failure `conflict`: there is nothing to object to, or it was objected to before (`appeal_id`) */
export async function fileAppeal(gateway: Gateway, whose: ProfessionalKey, { text, evidence, by }: Objection): Promise<Appeal> {
  const { db, now, wake } = gateway;
  const appeal = await db.write(async (tx) => {
    await professionalRow(tx, whose.marketplaceId, whose.professionalId);
    const { decision, standing } = await readStanding(tx, whose, now());
    if (decision === null || standing === 'good') throw new Failure('conflict', 'No decision is in force that could be appealed against.');
    const fresh: Appeal = {
      id: newId(gateway, 'apl'),
      marketplaceId: whose.marketplaceId,
      professionalId: whose.professionalId,
      decisionId: decision.id,
      text,
      evidence,
      state: 'open',
      answer: null,
      at: now(),
      decidedAt: null,
    };
    if (!(await insertAppeal(tx, fresh))) {
      const known = await findAppealAgainst(tx, decision.id);
      throw new Failure('conflict', 'There is an appeal against this decision already.', {
        extra: { appeal_id: known?.id, appeal_state: known?.state },
      });
    }
    const told = { professional_id: fresh.professionalId, decision_id: decision.id };
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId: fresh.marketplaceId,
      at: fresh.at,
      action: 'appeal.filed',
      subjectId: fresh.id,
      details: { ...told, text_sha256: digestOf(text), evidence_sha256: digestOf(canonicalJson(evidence)), by },
    });
    await emit(tx, gateway, {
      marketplaceId: fresh.marketplaceId,
      type: 'appeal.filed',
      subjectId: fresh.id,
      key: 'once',
      data: { ...told, appeal_id: fresh.id, text, evidence_links: evidence.length },
    });
    return fresh;
  });
  wake();
  return appeal;
}

export interface Ruling {
  readonly decision: 'upheld' | 'granted';
  readonly answer: string;
  /** What a grant changes the standing to; null: to what it was before the decision. */
  readonly change: Regarded | null;
  /** The id of an API key. */
  readonly by: string;
}

/**
 * A grant without a change takes the decision back: what was in force before it is in force again, if it still holds. Where another one took its place meanwhile, that one stays.
 * @throws Failure `not_found`, `conflict` when it is decided already, `invalid`
 */
export async function ruleOnAppeal(
  gateway: Gateway,
  { marketplaceId, appealId, ruling }: { marketplaceId: string; appealId: string; ruling: Ruling },
): Promise<Appeal> {
  const { db, now, wake } = gateway;
  const { answer, by, change, decision } = ruling;
  const decided = await db.write(async (tx) => {
    const known = found(await findOwnAppeal(tx, marketplaceId, appealId));
    const { decisionId, professionalId } = known;
    const row = await professionalRow(tx, marketplaceId, professionalId);
    const appeal = await decideAppeal(tx, appealId, { state: decision, answer, decidedAt: now() });
    if (appeal === undefined) {
      const { state } = (await findOwnAppeal(tx, marketplaceId, appealId))!;
      throw new Failure('conflict', `The appeal is ${state} already.`, { extra: { appeal_state: state } });
    }
    const told = { professional_id: professionalId, decision_id: decisionId, decision };
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at: now(),
      action: 'appeal.decided',
      subjectId: appealId,
      details: { ...told, answer_sha256: digestOf(answer), by },
    });
    await emit(tx, gateway, {
      marketplaceId,
      type: 'appeal.decided',
      subjectId: appealId,
      key: 'once',
      data: { ...told, answer, appeal_id: appealId },
    });
    if (decision === 'granted' && (change !== null || row.decisionId === decisionId)) {
      const judgement = change ?? (await standingBefore(tx, known, now()));
      await decide(tx, gateway, known, { ...judgement, reason: answer, incidentId: null, appealId, by });
    }
    return appeal;
  });
  wake();
  return decided;
}

/** Chosen: far above what is decided about one professional. */
const MOST_DECISIONS = 100;

/** What was in force before the decision, as far as it still holds. A decision that an appeal took back itself does not come again. */
async function standingBefore(db: Reader, appeal: Appeal, now: Date): Promise<Regarded> {
  const all = await listStandingDecisions(db, appeal, MOST_DECISIONS);
  for (const { id, standing, until } of all.slice(all.findIndex((decision) => decision.id === appeal.decisionId) + 1)) {
    if ((await findAppealAgainst(db, id))?.state !== 'granted') return standingAt({ standing: standing as Standing, until }, now);
  }
  return { standing: 'good', until: null };
}
