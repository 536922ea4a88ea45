/** When an unused grant is renewed. */
import type { ProviderId } from '../domain/apps.ts';
import { DAY, plus } from '../domain/time.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { Grant } from '../store/grants.ts';
import { scheduleJob } from '../store/jobs.ts';

/** In [0, 1), the same for a grant at all times. */
export const spreadOf = (grantId: string): number => Buffer.from(fingerprint(grantId), 'base64url').readUInt32BE() / 2 ** 32;

/** A third of the vendor's own figure leaves two more tries, and keeps well below figures that vendors change. */
const IDLE_SHARE = 3;

/** When an unused grant has to be renewed; each at a moment of its own, so that a thousand that began together do not come together. */
export function renewalOf(
  { providers }: Pick<Gateway, 'providers'>,
  { id, provider, refreshedAt }: Pick<Grant, 'id' | 'provider' | 'refreshedAt'>,
): Date {
  const idleLifeMs = providers.get(provider as ProviderId)?.oauth.idleLifeMs ?? 90 * DAY;
  return plus(refreshedAt, Math.round((idleLifeMs / IDLE_SHARE) * (0.9 + 0.1 * spreadOf(id))));
}

/** In the transaction that stores a new authorization. */
export async function scheduleKeep(
  tx: Writer,
  gateway: Pick<Gateway, 'providers'>,
  grant: Pick<Grant, 'id' | 'provider' | 'refreshedAt'>,
): Promise<void> {
  await scheduleJob(tx, { kind: 'grant.keep', subjectId: grant.id, dueAt: renewalOf(gateway, grant) });
}
