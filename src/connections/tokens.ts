/** The tokens of a grant as they are stored, and the one answer when there are none that work. */
import type { ConnectionReason } from '../domain/connection.ts';
import { Failure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import type { Grant } from '../store/grants.ts';

export interface Tokens {
  readonly accessToken: string;
  /** Null where the vendor gives none: the operator's own accounts. */
  readonly refreshToken: string | null;
}

// The first grant of an account had the id of its connection, hence the word.
const tokensContext = (grantId: string): string[] => ['connection', grantId, 'tokens'];

export const sealTokens = ({ vault }: Pick<Gateway, 'vault'>, grantId: string, tokens: Tokens): Buffer =>
  vault.seal(JSON.stringify(tokens), tokensContext(grantId));

export const openTokens = ({ vault }: Pick<Gateway, 'vault'>, grant: Pick<Grant, 'id' | 'tokensSealed'>): Tokens | undefined =>
  grant.tokensSealed === null ? undefined : (JSON.parse(vault.open(grant.tokensSealed, tokensContext(grant.id))) as Tokens);

export const reconnectRequired = (reason?: ConnectionReason, cause?: unknown): Failure =>
  new Failure('reconnect_required', 'The professional has to connect the account again.', {
    cause,
    ...(reason === undefined ? {} : { extra: { reason } }),
  });
