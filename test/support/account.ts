import type { Account } from '../../providers/provider.ts';
import { Failure } from '../../src/domain/failure.ts';

export interface TestAccount extends Account {
  /** How often a fresh token was asked for. */
  refreshes(): number;
  /** The token that is valid now: `token-1`, after the first refresh `token-2`. */
  currentToken(): string;
}

/** A connected account without a vault. `grantIsDead` makes every refresh fail as a revoked grant does. */
export function testAccount({ grantIsDead = false, ...facts }: Partial<Account> & { readonly grantIsDead?: boolean } = {}): TestAccount {
  let generation = 1;
  const current = () => `token-${generation}`;
  return {
    id: 'account-1',
    email: 'professional@example.com',
    organisation: 'organisation-1',
    plan: 'paid',
    createsMeetings: true,
    cloudRecording: 'yes',
    hosting: 'own',
    scopes: [],
    ...facts,
    refreshes: () => generation - 1,
    currentToken: current,
    spend: () => Promise.resolve(),
    async accessToken(rejected) {
      if (rejected !== current()) return current();
      if (grantIsDead) throw new Failure('reconnect_required', 'The vendor says that the permission is no longer valid.');
      generation += 1;
      return current();
    },
  };
}
