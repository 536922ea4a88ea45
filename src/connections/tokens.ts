/** The tokens of a grant as they are stored, and the one answer when there are none that work. */
import type { ConnectionReason } from '../domain/connection.ts';
import { Failure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import type { Grant } from '../store/grants.ts';
import { tokensContext } from './sealed.ts';

export interface Tokens {
  readonly accessToken: string;
  /** Null where the vendor gives none: the operator's own accounts. */
  readonly refreshToken: string | null;
}

export const sealTokens = ({ vault }: Pick<Gateway, 'vault'>, grantId: string, tokens: Tokens): Buffer =>
  vault.seal(JSON.stringify(tokens), tokensContext(grantId));

export const openTokens = ({ vault }: Pick<Gateway, 'vault'>, grant: Pick<Grant, 'id' | 'tokensSealed'>): Tokens | undefined =>
  grant.tokensSealed === null ? undefined : (JSON.parse(vault.open(grant.tokensSealed, tokensContext(grant.id))) as Tokens);

export const reconnectRequired = (reason?: ConnectionReason, cause?: unknown): Failure =>
  new Failure('reconnect_required', 'The professional has to connect the account again.', {
    cause,
    ...(reason === undefined ? {} : { extra: { reason } }),
  });
