import { Hono } from 'hono';
import { z } from 'zod';
import type { Consent } from '../consent.ts';
import { alphanumeric } from '../ids.ts';
import { Refused } from '../world.ts';
import type { ConsentUser, Env, Vendor, World } from '../world.ts';
import { zoomHappenings } from './happenings.ts';
import { zoomMediaRoutes } from './media.ts';
import { zoomMeetingRoutes } from './meetings.ts';
import { zoomOAuthRoutes } from './oauth.ts';
import { zoomRecordingRoutes } from './recordings.ts';
import { seedZoom } from './state.ts';
import type { Zoom, ZoomEvent, ZoomOptions, ZoomUser } from './state.ts';
import { zoomUserRoutes } from './users.ts';
import { zoomDelivery } from './webhooks.ts';

const KINDS = { 1: 'Basic', 2: 'Licensed', 4: 'no meetings' } as const;

const newUser = z.object({
  email: z.email(),
  name: z.string().default('New'),
  type: z.literal([1, 2, 4]).default(2),
  account_id: z.string().optional(),
  plan_united_type: z.string().nullable().default(null),
});

const allowance = z.object({ user: z.email(), allowed: z.boolean() }).optional();
const accountBody = z.object({ sharing: allowance, deleting: allowance });

export function createZoom(world: World, options: ZoomOptions, consent: () => Consent): Vendor {
  const fire = (event: ZoomEvent): void => {
    const webhook = world.webhooks.zoom;
    const { host } = event;
    // Events are sent for hosts who have the app; users of the platform's account have it always.
    const installed = host === null || host.accountId === options.accountId || world.oauth.grants('zoom', host.id).length > 0;
    if (webhook && installed) world.deliveries.send(zoomDelivery(world, webhook, event));
  };
  const state = seedZoom(options);
  const zoom: Zoom = { world, options, state, key: world.random(32), fire };

  return {
    routes: new Hono<Env>()
      .route('/', zoomOAuthRoutes(zoom, consent))
      .route('/', zoomUserRoutes(zoom))
      .route('/', zoomMeetingRoutes(zoom))
      .route('/', zoomRecordingRoutes(zoom))
      .route('/', zoomMediaRoutes(zoom)),
    happenings: zoomHappenings(zoom),
    users: () => state.users.map(asConsentUser),
    addUser(body) {
      const parsed = newUser.safeParse(body);
      if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
      const { email, name, type, account_id, plan_united_type: planUnitedType } = parsed.data;
      const known = state.users.find((other) => other.email === email);
      if (known) {
        known.type = type;
        return asConsentUser(known);
      }
      const user: ZoomUser = {
        id: alphanumeric(world.random, 22),
        accountId: account_id ?? alphanumeric(world.random, 22),
        email,
        firstName: name,
        lastName: 'Sandbox',
        type,
        planUnitedType,
        timezone: 'UTC',
      };
      state.users.push(user);
      return asConsentUser(user);
    },
    administer(body) {
      const parsed = accountBody.safeParse(body);
      if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
      const { sharing, deleting } = parsed.data;
      for (const [told, forbidden] of [
        [sharing, state.withoutSharing],
        [deleting, state.withoutDeleting],
      ] as const) {
        if (!told) continue;
        const user = state.users.find(({ email }) => email === told.user);
        if (!user) throw new Refused(404, 'There is no such user.');
        if (told.allowed) forbidden.delete(user.id);
        else forbidden.add(user.id);
      }
      return { without_sharing: [...state.withoutSharing], without_deleting: [...state.withoutDeleting] };
    },
    removeApp(userId) {
      const user = state.users.find(({ id }) => id === userId);
      if (!user) return;
      for (const grant of world.oauth.grants('zoom', userId)) grant.revoked = true;
      const now = world.agenda.now().toISOString();
      fire({
        event: 'app_deauthorized',
        host: null,
        accountId: user.accountId,
        payload: {
          user_id: user.id,
          signature: '0'.repeat(64),
          deauthorization_time: now,
          client_id: world.clients.zoom.id,
          event_ts: now.slice(0, 19).replace('T', ' '),
        },
      });
    },
    state: () => ({
      users: state.users,
      meetings: state.meetings.map(({ host, ...meeting }) => ({ ...meeting, host: host.email })),
      recordings: state.recordings.map(({ meeting, ...recording }) => ({ ...recording, meeting: meeting.id })),
    }),
    reset: () => Object.assign(state, seedZoom(options)),
  };
}

const asConsentUser = ({ id, email, firstName, type }: ZoomUser): ConsentUser => ({ id, email, name: firstName, note: KINDS[type] });
