import { canonicalJson } from '../domain/canonical-json.ts';
import type { Gateway } from '../gateway.ts';
import { signDetached } from './signing.ts';

/** The media type of signed evidence without `application/`. */
export const EVIDENCE_TYPE = 'incident-evidence+json';

/** The same evidence with its names in the order that was signed, and the signature over it. */
export async function signEvidence<Shown extends object>(
  gateway: Pick<Gateway, 'db' | 'now' | 'vault'>,
  shown: Shown,
): Promise<{ evidence: Shown; signature: string }> {
  const text = canonicalJson(shown);
  return { evidence: JSON.parse(text) as Shown, signature: await signDetached(gateway, EVIDENCE_TYPE, text) };
}
