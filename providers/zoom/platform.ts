/** The operator's own Zoom account by a Server-to-Server app (F04): one token for all hosts, who are named in every path. */
import { createOAuthClient } from '../oauth.ts';
import type { Account, Platform } from '../provider.ts';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { zoomServer } from './oauth.ts';
import type { ZoomOptions } from './options.ts';
import { readUser } from './profile.ts';
import { LINK_SCOPES, RECORDING_SCOPES, withGranularNames } from './scopes.ts';

export function zoomPlatform(options: ZoomOptions, { accountId, clientId, clientSecret }: NonNullable<ZoomOptions['platform']>): Platform {
  // Nobody has given this grant, so nobody can end it: whatever Zoom refuses is about the app.
  const client = createOAuthClient({
    server: zoomServer(options),
    clientId,
    clientSecret,
    secretIn: 'basic',
    endOf: () => undefined,
    now: options.now,
  });
  return {
    scopes: { links: LINK_SCOPES, recordings: RECORDING_SCOPES },
    subjectOf: () => accountId,
    async token(subject) {
      const grant = await client.ownGrant('account_credentials', { account_id: subject });
      return { ...grant, scopes: withGranularNames(grant.scopes) };
    },
    async host({ accessToken }, host) {
      try {
        const user = await readUser(options, accessToken, host);
        if (user.createsMeetings) return user;
      } catch (error) {
        if (isFailure(error, 'reconnect_required') && UNKNOWN_USER.has(String(error.extra['vendor_code'])))
          throw new Failure('not_found', `Zoom has no user ${host} in this account.`, { cause: error });
        throw error;
      }
      throw new Failure('not_capable', `The Zoom user ${host} has no licence to host meetings.`);
    },
  };
}

/** Not there, of another account, invited and not yet joined. */
const UNKNOWN_USER = new Set(['1001', '1010', '1120']);

/** How a path names the host: a user-managed app has to say `me`, and a Server-to-Server app cannot. */
export const userPath = ({ hosting, id }: Pick<Account, 'hosting' | 'id'>): string =>
  `users/${hosting === 'platform' ? encodeURIComponent(id) : 'me'}`;
