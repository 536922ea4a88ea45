/** What an endpoint's events are signed with: its secret, and those of the last day that it took the place of. */
import { endpointSecretContext } from '../connections/sealed.ts';
import type { Vault } from '../connections/vault.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { HOUR, plus } from '../domain/time.ts';
import type { WebhookEndpoint } from '../store/events.ts';

/** How long an old secret signs along. */
const OVERLAP_MS = 24 * HOUR;
/** With the newest they make eight signatures, and `verifyEvent` takes no more. */
const MOST_OLD_SECRETS = 7;

/** Sealed as a JSON list of these, the newest first. */
interface OldSecret {
  readonly secret: string;
  /** RFC 3339. */
  readonly until: string;
}

type Secrets = Pick<WebhookEndpoint, 'id' | 'secretSealed' | 'previousSecretSealed' | 'previousSecretUntil'>;

/**
 * The newest first. Old ones that do not open are left out: receivers that have the newest still get their events.
 * @throws Failure `sealed_damaged` when the newest does not open, `key_unavailable` when a key is missing
 */
export function secretsOf({ vault }: { readonly vault: Vault }, endpoint: Secrets, now: Date): string[] {
  const secret = vault.open(endpoint.secretSealed, endpointSecretContext(endpoint.id));
  return [secret, ...oldSecrets(vault, endpoint, now).map((old) => old.secret)];
}

/**
 * The columns of an endpoint with a new secret. Each secret signs along for 24 hours from when it was replaced.
 * @throws Failure `conflict` when so many do that one would have to end early
 */
export function replaced({ vault }: { readonly vault: Vault }, endpoint: Secrets, secret: string, now: Date): Omit<Secrets, 'id'> {
  const context = endpointSecretContext(endpoint.id);
  const older = oldSecrets(vault, endpoint, now);
  if (older.length >= MOST_OLD_SECRETS)
    throw new Failure('conflict', `${MOST_OLD_SECRETS} earlier secrets still sign along. Wait until the first of them has ended.`);
  const until = plus(now, OVERLAP_MS);
  const old: OldSecret[] = [
    ...opened(() => [{ secret: vault.open(endpoint.secretSealed, context), until: until.toISOString() }]),
    ...older,
  ];
  return {
    secretSealed: vault.seal(secret, context),
    previousSecretSealed: vault.seal(JSON.stringify(old), context),
    previousSecretUntil: until,
  };
}

function oldSecrets(vault: Vault, { id, previousSecretSealed: sealed, previousSecretUntil: until }: Secrets, now: Date): OldSecret[] {
  if (sealed === null || until === null || until <= now) return [];
  return opened(() => {
    const text = vault.open(sealed, endpointSecretContext(id));
    // An earlier version kept one, as it is.
    const all = text.startsWith('whsec_') ? [{ secret: text, until: until.toISOString() }] : (JSON.parse(text) as OldSecret[]);
    return all.filter((old) => new Date(old.until) > now);
  });
}

/** Nothing when it is damaged: a new secret is the way out of that. */
function opened(open: () => OldSecret[]): OldSecret[] {
  try {
    return open();
  } catch (error) {
    if (isFailure(error, 'sealed_damaged')) return [];
    throw error;
  }
}
