import { Hono } from 'hono';
import { z } from 'zod';
import { MINUTE, plus } from '../clock.ts';
import type { Consent, ConsentRules } from '../consent.ts';
import { guid } from '../ids.ts';
import { createSigningKey } from '../keys.ts';
import { Refused } from '../world.ts';
import type { Env, Happenings, Vendor, World } from '../world.ts';
import { microsoftCalendarRoutes } from './calendar.ts';
import { notifyRecording, sendLifecycle } from './notifications.ts';
import { asConsentUser, microsoftConsentRules } from './consent-rules.ts';
import { microsoftOAuthRoutes } from './oauth.ts';
import { microsoftAttendanceRoutes } from './attendance.ts';
import { microsoftOnlineMeetingRoutes } from './online-meetings.ts';
import { microsoftProfileRoutes } from './profile.ts';
import { microsoftRecordingRoutes, visibleRecordings } from './recordings.ts';
import { PERSONAL_TENANT, seedMicrosoft } from './state.ts';
import type { CallRecording, Microsoft, OnlineMeeting } from './state.ts';
import { microsoftSubscriptionRoutes } from './subscriptions.ts';

const newUser = z.object({
  email: z.email(),
  name: z.string().default('New Sandbox'),
  personal: z.boolean().default(false),
  has_teams: z.boolean().default(true),
  admin_consented: z.boolean().default(true),
  user_consent: z.boolean().default(true),
  tenant_id: z.guid().optional(),
});

const platformBody = z.object({
  application_permissions: z.array(z.string()).optional(),
  /** Whether an application access policy covers this user. */
  access_policy: z.object({ user: z.email(), covered: z.boolean() }).optional(),
  /** Whether the meeting policy of this user allows to record. */
  recording: z.object({ user: z.email(), allowed: z.boolean() }).optional(),
});

export function createMicrosoft(world: World, consent: () => Consent): Vendor & { readonly consent: ConsentRules } {
  const state = seedMicrosoft();
  const microsoft: Microsoft = { world, state, key: createSigningKey('sandbox-microsoft') };
  return {
    consent: microsoftConsentRules(microsoft),
    routes: new Hono<Env>()
      .route('/', microsoftOAuthRoutes(microsoft, consent))
      .route('/', microsoftProfileRoutes(microsoft))
      .route('/', microsoftCalendarRoutes(microsoft))
      .route('/', microsoftOnlineMeetingRoutes(microsoft))
      .route('/', microsoftRecordingRoutes(microsoft))
      .route('/', microsoftAttendanceRoutes(microsoft))
      .route('/', microsoftSubscriptionRoutes(microsoft)),
    happenings: happenings(microsoft),
    users: () => state.users.map(asConsentUser),
    addUser(body) {
      const parsed = newUser.safeParse(body);
      if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
      const { email, name, personal, has_teams, admin_consented, user_consent, tenant_id } = parsed.data;
      const tenantId = personal ? PERSONAL_TENANT : (tenant_id ?? guid(world.random));
      if (admin_consented && !personal) state.consentedTenants.add(tenantId);
      if (!user_consent) state.strictTenants.add(tenantId);
      const user = { id: guid(world.random), tenantId, email, name, hasTeams: has_teams && !personal };
      state.users.push(user);
      return asConsentUser(user);
    },
    administer(body) {
      const parsed = platformBody.safeParse(body);
      if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
      const { application_permissions: permissions, access_policy: policy, recording } = parsed.data;
      if (permissions) state.applicationPermissions = permissions;
      for (const [told, allowed, without] of [
        [policy?.user, policy?.covered, state.withoutAccessPolicy],
        [recording?.user, recording?.allowed, state.mayNotRecord],
      ] as const) {
        if (told === undefined) continue;
        const user = state.users.find(({ email }) => email === told);
        if (!user) throw new Refused(404, 'There is no such user.');
        if (allowed === true) without.delete(user.id);
        else without.add(user.id);
      }
      return {
        application_permissions: state.applicationPermissions,
        without_access_policy: [...state.withoutAccessPolicy],
        may_not_record: [...state.mayNotRecord],
      };
    },
    removeApp(userId) {
      for (const grant of world.oauth.grants('microsoft-teams', userId)) grant.revoked = true;
      for (const subscription of state.subscriptions.filter(({ user }) => user?.id === userId)) {
        subscription.authorizedUntil = world.agenda.now();
        sendLifecycle(microsoft, subscription, 'reauthorizationRequired');
      }
    },
    state: () => ({
      users: state.users,
      events: state.events.map(({ owner, ...event }) => ({ ...event, owner: owner.email })),
      meetings: state.meetings.map(({ organizer, ...meeting }) => ({ ...meeting, organizer: organizer.email })),
      subscriptions: state.subscriptions.map(({ user, id, resource, notificationUrl, expiresAt, authorizedUntil }) => ({
        id,
        user: user?.email ?? null,
        resource,
        notificationUrl,
        expiresAt,
        authorizedUntil,
      })),
    }),
    reset: () => Object.assign(state, seedMicrosoft()),
  };
}

/** Delegated applications hear nothing of what happens in a meeting, except that a recording is there. */
function happenings(microsoft: Microsoft): Happenings {
  const { state, world } = microsoft;
  const find = (id: string): OnlineMeeting | undefined => {
    const bare = decodeURIComponent(id);
    return state.meetings.find(
      (meeting) =>
        [meeting.id, meeting.eventId, meeting.joinMeetingId].includes(bare) ||
        decodeURIComponent(meeting.joinWebUrl) === bare ||
        meeting.threadId === bare,
    );
  };
  const running = (meeting: OnlineMeeting) => meeting.sessions.find(({ endedAt }) => endedAt === null);
  const start = (meeting: OnlineMeeting) => {
    const session = running(meeting) ?? { reportId: guid(world.random), startedAt: world.agenda.now(), endedAt: null, participants: [] };
    if (!meeting.sessions.includes(session)) meeting.sessions.push(session);
    return session;
  };

  return {
    start(id) {
      const meeting = find(id);
      return meeting && { id: meeting.id, started_at: start(meeting).startedAt };
    },
    join(id, { name, email, user }) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const known = state.users.find((candidate) => candidate.email === user) ?? null;
      start(meeting).participants.push({
        name: name ?? email ?? user ?? 'Guest',
        user: known,
        joinedAt: world.agenda.now(),
        leftAt: null,
      });
      return { id: meeting.id };
    },
    leave(id, { name, email, user }) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const who = name ?? email ?? user;
      const participant = running(meeting)?.participants.findLast(
        (candidate) => candidate.leftAt === null && (who === undefined || candidate.name === who),
      );
      if (!participant) throw new Refused(409, 'Nobody like that is in the meeting.');
      participant.leftAt = world.agenda.now();
      return { id: meeting.id };
    },
    end(id) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const session = running(meeting);
      if (!session) throw new Refused(409, 'The meeting is not running.');
      session.endedAt = world.agenda.now();
      return { id: meeting.id };
    },
    finishRecording(id) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const session = meeting.sessions.at(-1);
      if (!session) throw new Refused(409, 'The meeting has never run.');
      const recording: CallRecording = {
        id: `${world.random(64).toString('base64url')}=`,
        callId: guid(world.random),
        createdAt: session.startedAt,
        endedAt: session.endedAt ?? plus(session.startedAt, MINUTE),
      };
      meeting.recordings.push(recording);
      const visible = visibleRecordings(meeting).length > 0;
      if (visible) notifyRecording(microsoft, meeting, recording);
      return { id: meeting.id, recording: recording.id, visible };
    },
    // Nobody is told: Graph has notifications for new recordings only.
    moveRecording(id, to) {
      const meeting = find(id);
      if (!meeting) return undefined;
      if (to !== 'delete') throw new Refused(409, 'Graph knows no trash of recordings.');
      const recording = meeting.recordings.pop();
      if (!recording) throw new Refused(409, 'There is no such recording.');
      return { id: meeting.id, recording: recording.id };
    },
  };
}
