/** The operator's own Workspace domain: its users host the meetings, a service account acts as each of them. */
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { call, parseAnswer } from '../call.ts';
import type { Platform } from '../provider.ts';
import type { GoogleMeetOptions } from './options.ts';
import { PLATFORM_SCOPES } from './scopes.ts';
import { askToken, type ServiceAccount } from './service-account.ts';

/** The `userinfo_endpoint` of Google's OpenID Connect discovery document. */
const USERINFO = 'https://openidconnect.googleapis.com';

/** Chosen: Google documents no limit of running spaces per owner. A host that fails takes no more than these with it. */
const CONCURRENT_MEETINGS = 10;

// `hd` is documented for id tokens; here it is taken when it comes.
const userinfo = z.object({ sub: z.string().min(1), email: z.email().optional(), hd: z.string().min(1).optional() });

export function createPlatform(account: ServiceAccount, { apiUrl, now }: Pick<GoogleMeetOptions, 'apiUrl' | 'now'>): Platform {
  return {
    scopes: PLATFORM_SCOPES,

    // A token acts as one user, named by address.
    subjectOf: (host) => host.toLowerCase(),

    token: (user) => askToken(account, { user, scopes: [...PLATFORM_SCOPES.links, ...PLATFORM_SCOPES.recordings], now }),

    /** The token is the host's own, so Google is asked whose it is. That delegated tokens may ask this is documented nowhere. */
    async host({ accessToken }, host) {
      const answer = await call({
        method: 'GET',
        url: new URL('/v1/userinfo', apiUrl ?? USERINFO),
        headers: { authorization: `Bearer ${accessToken}` },
        repeatable: true,
        now,
      });
      const { sub, email, hd } = parseAnswer(userinfo, answer, 'read the host');
      const address = email ?? host;
      if (!address.includes('@')) throw new Failure('vendor_nonsense', 'Google did not say which address the host has.');
      return {
        id: sub,
        email: address,
        // A delegated token is always of a user in an organisation.
        organisation: hd ?? address.slice(address.lastIndexOf('@') + 1),
        // No API tells the edition.
        plan: 'unknown',
        createsMeetings: true,
        cloudRecording: 'unknown',
        concurrentMeetings: CONCURRENT_MEETINGS,
      };
    },
  };
}
