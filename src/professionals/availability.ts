/** When a professional can be reached in a week (T01). Says nothing of whether they are there: that is their presence. */
import { mergeHours, type Hours } from '../domain/weekly-hours.ts';
import type { Gateway } from '../gateway.ts';
import type { Reader } from '../store/database.ts';
import { findProfessional, saveProfessional, type ProfessionalKey } from '../store/professionals.ts';

export interface Availability {
  /** Null as long as no hours were given. */
  readonly timeZone: string | null;
  readonly hours: readonly Hours[];
}

/** In the place of what was given before. Hours that touch or overlap are merged: a grid of one cell an hour may be sent as it is. */
export async function setAvailability(
  { db }: Gateway,
  key: ProfessionalKey,
  { timeZone, hours }: { timeZone: string; hours: readonly Hours[] },
): Promise<Availability> {
  return db.write((tx) => saveProfessional(tx, key, { timeZone, hours: mergeHours(hours) }));
}

export async function availabilityOf(db: Reader, key: ProfessionalKey): Promise<Availability> {
  return (await findProfessional(db, key)) ?? { timeZone: null, hours: [] };
}
