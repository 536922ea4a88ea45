/** The operator's own tenant: the app acts by its own token, and every path names the host. */
import { Failure } from '../../src/domain/failure.ts';
import type { AccountProfile, Platform } from '../provider.ts';
import { askAppOnlyToken, type AppOnlyOptions } from './app-only.ts';
import { isGone } from './events.ts';
import type { Graph } from './graph.ts';
import type { Caller } from './options.ts';
import { lacksTeams, readProfile } from './profile.ts';

/**
 * The application permissions that the documentation of this adapter asks the administrator for. Entra does not name the granted ones beside
 * an app's own token, and the token itself is Graph's to read; so these are taken as granted, and what is missing shows at the first call.
 */
const APPLICATION_PERMISSIONS = {
  links: ['User.Read.All', 'Calendars.ReadWrite', 'OnlineMeetings.ReadWrite.All'],
  recordings: ['OnlineMeetingRecording.Read.All'],
} as const;

/** Chosen: Microsoft documents no limit of running meetings per organizer. A host that fails takes no more than these with it. */
const CONCURRENT_MEETINGS = 10;

export function createPlatform({ graph, ...options }: AppOnlyOptions & { readonly graph: Graph }): Platform {
  const { links, recordings } = APPLICATION_PERMISSIONS;
  return {
    scopes: APPLICATION_PERMISSIONS,

    // One token for every host.
    subjectOf: () => options.tenant,

    token: async () => ({ ...(await askAppOnlyToken(options)), refreshToken: null, scopes: [...links, ...recordings], claims: {} }),

    async host({ accessToken }, host) {
      const caller: Caller = { hosting: 'platform', accessToken: () => Promise.resolve(accessToken) };
      const path = `/users/${encodeURIComponent(host)}`;
      const profile = await found(readProfile(graph, { caller, path, organisation: options.tenant }));
      if (profile.plan !== 'paid' && (await lacksTeams(graph, caller, path))) {
        throw new Failure('not_capable', 'This user has no licence with Teams, so it cannot be the host of Teams meetings.');
      }
      return { ...profile, concurrentMeetings: CONCURRENT_MEETINGS };
    },
  };
}

async function found(reading: Promise<AccountProfile>): Promise<AccountProfile> {
  try {
    return await reading;
  } catch (error) {
    if (!isGone(error)) throw error;
    throw new Failure('not_found', 'The tenant has no user with this sign-in name (user principal name) or object id.', { cause: error });
  }
}
