import { Failure } from '../domain/failure.ts';
import type { Reader } from '../store/database.ts';
import { findProfessional } from '../store/professionals.ts';

/** @throws Failure `professional_suspended` */
export async function checkStanding(
  db: Reader,
  { marketplaceId, professionalId, now }: { marketplaceId: string; professionalId: string; now: Date },
): Promise<void> {
  const row = await findProfessional(db, { marketplaceId, professionalId });
  if (row === undefined) return;
  const suspended = row.standing === 'suspended' && (row.standingUntil === null || row.standingUntil > now);
  if (suspended || row.standing === 'terminated') throw new Failure('professional_suspended', 'The professional is suspended.');
}
