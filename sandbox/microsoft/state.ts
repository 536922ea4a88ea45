import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { guid } from '../ids.ts';
import type { SigningKey } from '../keys.ts';
import type { Env, World } from '../world.ts';

/** The tenant of all personal accounts. */
export const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

export interface MicrosoftUser {
  /** Object id. */
  readonly id: string;
  readonly tenantId: string;
  readonly email: string;
  readonly name: string;
  readonly hasTeams: boolean;
}

export interface OnlineMeeting {
  readonly id: string;
  readonly organizer: MicrosoftUser;
  readonly joinWebUrl: string;
  readonly threadId: string;
  readonly joinMeetingId: string;
  readonly createdAt: Date;
  /** Meetings without a calendar event never show recordings. */
  readonly eventId: string | null;
  readonly externalId: string | null;
  subject: string | null;
  start: Date;
  end: Date;
  /** Everything else that can be written, as it was written. */
  settings: Record<string, unknown>;
  deleted: boolean;
  readonly sessions: {
    readonly reportId: string;
    readonly startedAt: Date;
    endedAt: Date | null;
    readonly participants: {
      readonly name: string;
      /** Null for guests. */
      readonly user: MicrosoftUser | null;
      readonly joinedAt: Date;
      leftAt: Date | null;
    }[];
  }[];
  readonly recordings: CallRecording[];
}

export interface CallRecording {
  readonly id: string;
  readonly callId: string;
  readonly createdAt: Date;
  readonly endedAt: Date;
}

export interface CalendarEvent {
  readonly id: string;
  readonly owner: MicrosoftUser;
  readonly transactionId: string | null;
  readonly createdAt: Date;
  readonly meetingId: string | null;
  subject: string;
  start: Date;
  end: Date;
  timeZone: string;
  body: Record<string, unknown>;
  attendees: unknown[];
}

export interface GraphSubscription {
  readonly id: string;
  readonly clientId: string;
  /** Null when the application itself made it. */
  readonly user: MicrosoftUser | null;
  readonly tenantId: string;
  readonly resource: string;
  readonly changeType: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  readonly clientState: string | null;
  /** Whoever wants the resource inside has given a certificate, base64 of DER. */
  readonly encryption: { readonly certificate: string; readonly id: string } | null;
  expiresAt: Date;
  /** Until then the access token by which it was made or renewed is good. */
  authorizedUntil: Date;
  /** Came while it was not authorized; delivered on renewal. */
  readonly held: { readonly at: Date; readonly notification: Record<string, unknown> }[];
  calledOff: () => void;
}

export interface MicrosoftState {
  users: MicrosoftUser[];
  events: CalendarEvent[];
  meetings: OnlineMeeting[];
  subscriptions: GraphSubscription[];
  /** Tenants whose administrator has consented to what only administrators can allow. */
  consentedTenants: Set<string>;
  /** Tenants in which users may not allow an app anything, as under Microsoft's managed consent policy. */
  strictTenants: Set<string>;
  /** Application permissions with the administrator's consent; a token has those of its moment. */
  applicationPermissions: readonly string[];
  /** Object ids of users whose policy forbids recording: the setting is dropped in silence. */
  mayNotRecord: Set<string>;
  /** Object ids of users that no application access policy covers; the others are covered by a global one. */
  withoutAccessPolicy: Set<string>;
}

export interface Microsoft {
  readonly world: World;
  readonly state: MicrosoftState;
  readonly key: SigningKey;
}

/** The scopes for which the user's own consent is not enough. */
export const ADMIN_SCOPES = ['onlinemeetingrecording.read.all'];

const WORK_TENANT = '2432b57b-0abd-43db-aa7b-16eadd115d34';

export function seedMicrosoft(): MicrosoftState {
  return {
    users: [
      {
        id: '976f4b31-fd01-4e0b-9178-29cc40c14438',
        tenantId: WORK_TENANT,
        email: 'ada@microsoft.sandbox.example',
        name: 'Ada Sandbox',
        hasTeams: true,
      },
      {
        id: '00000000-0000-0000-5ec0-29cc40c14439',
        tenantId: PERSONAL_TENANT,
        email: 'ben@outlook.sandbox.example',
        name: 'Ben Sandbox',
        hasTeams: false,
      },
      {
        id: '976f4b31-fd01-4e0b-9178-29cc40c14440',
        tenantId: WORK_TENANT,
        email: 'cleo@microsoft.sandbox.example',
        name: 'Cleo Sandbox',
        hasTeams: false,
      },
      {
        id: '976f4b31-fd01-4e0b-9178-29cc40c14441',
        tenantId: WORK_TENANT,
        email: 'host@microsoft.sandbox.example',
        name: 'Host Sandbox',
        hasTeams: true,
      },
    ],
    events: [],
    meetings: [],
    subscriptions: [],
    consentedTenants: new Set([WORK_TENANT]),
    strictTenants: new Set(),
    applicationPermissions: ['OnlineMeetings.ReadWrite.All', 'OnlineMeetingRecording.Read.All', 'Calendars.ReadWrite', 'User.Read.All'],
    mayNotRecord: new Set(),
    withoutAccessPolicy: new Set(),
  };
}

/** Graph writes seven decimals. */
export const graphTime = (moment: Date): string => moment.toISOString().replace('Z', '0000Z');

export function graphError(
  c: Context<Env>,
  { world }: Pick<Microsoft, 'world'>,
  status: ContentfulStatusCode,
  code: string,
  message: string,
): Response {
  const requestId = guid(world.random);
  const date = world.agenda.now().toISOString().slice(0, 19);
  const innerError = { date, 'request-id': requestId, 'client-request-id': c.req.header('client-request-id') ?? requestId };
  c.header('request-id', requestId);
  return c.json({ error: { code, message, innerError } }, status);
}
