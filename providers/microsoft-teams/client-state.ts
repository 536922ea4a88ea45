/**
 * The proof that a notification belongs to a subscription of ours: `<account id>.<HMAC-SHA256 of it>`, both base64url.
 * It needs no storage to be checked. Microsoft sends it back with every notification.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Failure } from '../../src/domain/failure.ts';

/** Microsoft's limit; 63 characters of account id fit, theirs have 36. */
const MAX_LENGTH = 128;

/** Signed with the first secret. */
export function signClientState(secrets: readonly Buffer[], accountId: string): string {
  const [secret] = secrets;
  if (!secret) throw new Failure('not_configured', 'Notifications from Microsoft are not set up: there is no key to sign them.');
  const state = sign(secret, accountId);
  if (state.length > MAX_LENGTH) throw new Failure('internal', 'The account id is too long for a client state.');
  return state;
}

/** True when any of the secrets signed it. */
export function provesClientState(secrets: readonly Buffer[], state: string): boolean {
  if (state.length > MAX_LENGTH) return false;
  const accountId = Buffer.from(state.split('.')[0]!, 'base64url').toString('utf8');
  if (accountId === '') return false;
  const received = Buffer.from(state);
  // All secrets are tried, so that the time does not tell which one fitted.
  return secrets.map((secret) => equal(Buffer.from(sign(secret, accountId)), received)).includes(true);
}

function sign(secret: Buffer, accountId: string): string {
  return `${Buffer.from(accountId).toString('base64url')}.${createHmac('sha256', secret).update(accountId).digest('base64url')}`;
}

const equal = (expected: Buffer, received: Buffer): boolean => expected.length === received.length && timingSafeEqual(expected, received);
