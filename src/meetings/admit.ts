/** Whether a professional may get a new meeting at all, before anything is chosen or made. */
import { checkEligible } from '../domain/eligibility.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import { checkStanding } from '../professionals/standing.ts';
import type { MeetingRequest } from './request.ts';

/** @throws Failure `professional_suspended`, `not_eligible` */
export async function admitProfessional(
  { db, now }: Gateway,
  policy: Policy,
  { marketplace, professionalId, facts }: Pick<MeetingRequest, 'marketplace' | 'professionalId' | 'facts'>,
): Promise<void> {
  const at = now();
  await checkStanding(db.read, { marketplaceId: marketplace.id, professionalId, now: at });
  checkEligible(policy.eligibility, facts, at);
}
