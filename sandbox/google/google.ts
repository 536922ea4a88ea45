import { Hono } from 'hono';
import { z } from 'zod';
import type { Consent, ConsentRules } from '../consent.ts';
import { digits } from '../ids.ts';
import { createSigningKey } from '../keys.ts';
import { Refused } from '../world.ts';
import type { Env, Vendor, World } from '../world.ts';
import { googleCalendarRoutes } from './calendar.ts';
import { googleUserinfoRoutes } from './delegation.ts';
import { googleDriveRoutes } from './drive.ts';
import { suspendFor } from './events.ts';
import { googleHappenings } from './happenings.ts';
import { asConsentUser, googleConsentRules, googleOAuthRoutes } from './oauth.ts';
import { googleRecordRoutes } from './records.ts';
import { googleSpaceRoutes } from './spaces.ts';
import { SERVICE_ACCOUNT, seedGoogle } from './state.ts';
import type { Google, GoogleUser } from './state.ts';
import { googleSubscriptionRoutes } from './subscriptions.ts';

const newUser = z.object({
  email: z.email(),
  name: z.string().default('New Sandbox'),
  hd: z.string().nullable().default(null),
  slow_conferences: z.boolean().default(false),
});

const platformBody = z.object({
  delegated_scopes: z.array(z.string()).optional(),
  /** Whether the edition of this user records. */
  recording: z.object({ user: z.email(), allowed: z.boolean() }).optional(),
});

export interface ServiceAccount {
  readonly clientEmail: string;
  readonly clientId: string;
  /** PEM. */
  readonly privateKey: string;
}

export function createGoogle(
  world: World,
  consent: () => Consent,
): Vendor & { readonly consent: ConsentRules; readonly serviceAccount: () => Promise<ServiceAccount> } {
  const state = seedGoogle();
  const google: Google = {
    world,
    state,
    key: createSigningKey('sandbox-google'),
    serviceKey: createSigningKey('sandbox-google-service-account'),
  };
  return {
    consent: googleConsentRules(google),
    routes: new Hono<Env>()
      .route('/', googleOAuthRoutes(google, consent))
      .route('/', googleUserinfoRoutes(google))
      .route('/', googleSpaceRoutes(google))
      .route('/', googleRecordRoutes(google))
      .route('/', googleSubscriptionRoutes(google))
      .route('/', googleCalendarRoutes(google))
      .route('/', googleDriveRoutes(google)),
    happenings: googleHappenings(google),
    users: () => state.users.map(asConsentUser),
    addUser(body) {
      const parsed = newUser.safeParse(body);
      if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
      const { email, name, hd, slow_conferences } = parsed.data;
      const user: GoogleUser = { id: digits(world.random, 21), email, name, hd, slowConferences: slow_conferences };
      state.users.push(user);
      return asConsentUser(user);
    },
    serviceAccount: async () => {
      const { clientEmail, clientId } = SERVICE_ACCOUNT;
      return { clientEmail, clientId, privateKey: await google.serviceKey.pem() };
    },
    administer(body) {
      const parsed = platformBody.safeParse(body);
      if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
      const { delegated_scopes: scopes, recording } = parsed.data;
      if (scopes) state.delegatedScopes = scopes;
      if (recording) {
        const user = state.users.find(({ email }) => email === recording.user);
        if (!user) throw new Refused(404, 'There is no such user.');
        if (recording.allowed) state.mayNotRecord.delete(user.id);
        else state.mayNotRecord.add(user.id);
      }
      return { delegated_scopes: state.delegatedScopes, may_not_record: [...state.mayNotRecord] };
    },
    removeApp(userId) {
      // The service account is no app that a user could remove.
      for (const grant of world.oauth.grants('google-meet', userId)) {
        if (grant.clientId !== SERVICE_ACCOUNT.clientId) grant.revoked = true;
      }
      suspendFor(google, userId);
    },
    state: () => ({
      users: state.users,
      spaces: state.spaces.map(({ owner, ...space }) => ({ ...space, owner: owner.email })),
      records: state.records.map(({ space, ...record }) => ({ ...record, space: `spaces/${space.id}` })),
      events: state.events.map(({ owner, conference, ...event }) => ({
        ...event,
        owner: owner.email,
        meetingCode: conference?.space.code ?? null,
      })),
      files: state.files.map(({ owner, ...file }) => ({ ...file, owner: owner.email })),
      subscriptions: state.subscriptions.map(({ user, name, targetResource, eventTypes, state: health, expireTime }) => ({
        name,
        user: user.email,
        targetResource,
        eventTypes,
        state: health,
        expireTime,
      })),
    }),
    reset: () => Object.assign(state, seedGoogle()),
  };
}
