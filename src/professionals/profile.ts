/** What a professional decides about their meetings. */
import { Failure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import type { Reader } from '../store/database.ts';
import { findProfessional, saveProfessional, type ProfessionalKey } from '../store/professionals.ts';

export interface Profile {
  /** Length of a meeting that is asked for without one (R02); null: it has to be named. */
  readonly defaultDurationMinutes: number | null;
}

export async function setProfile({ db }: Gateway, key: ProfessionalKey, profile: Profile): Promise<Profile> {
  return db.write((tx) => saveProfessional(tx, key, profile));
}

export async function profileOf(db: Reader, key: ProfessionalKey): Promise<Profile> {
  return (await findProfessional(db, key)) ?? { defaultDurationMinutes: null };
}

/** The length of a meeting for which none is named, at `pointer` of the request. @throws Failure `invalid` when the professional has none either */
export async function usualMinutes(db: Reader, key: ProfessionalKey, pointer: string): Promise<number> {
  const { defaultDurationMinutes } = await profileOf(db, key);
  if (defaultDurationMinutes !== null) return defaultDurationMinutes;
  throw new Failure('invalid', 'The request breaks a rule.', {
    errors: [{ pointer, detail: 'is needed: the professional has no `default_duration_minutes`' }],
  });
}
