import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { SigningKey } from '../keys.ts';
import type { Token } from '../oauth.ts';
import type { Env, World } from '../world.ts';

export interface GoogleUser {
  /** The OIDC `sub`, which is the user's number everywhere. */
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** Null for a consumer account. */
  readonly hd: string | null;
  /** Its calendar makes conferences late: `pending` at first. */
  readonly slowConferences: boolean;
}

export interface Space {
  /** Without `spaces/`. */
  readonly id: string;
  readonly code: string;
  readonly owner: GoogleUser;
  /** False for spaces that Calendar made: they count as another app's. */
  readonly createdByApp: boolean;
  config: Record<string, unknown>;
  readonly createdAt: Date;
}

export interface Recording {
  readonly name: string;
  state: 'STARTED' | 'ENDED' | 'FILE_GENERATED';
  readonly startTime: Date;
  endTime: Date | null;
  fileId: string | null;
}

export interface Transcript {
  readonly name: string;
  readonly startTime: Date;
  readonly endTime: Date;
  readonly document: string;
}

export interface Session {
  readonly name: string;
  readonly startTime: Date;
  endTime: Date | null;
}

export interface MeetParticipant {
  readonly name: string;
  readonly displayName: string;
  readonly user: GoogleUser | null;
  readonly sessions: Session[];
}

export interface ConferenceRecord {
  /** `conferenceRecords/…` */
  readonly name: string;
  readonly space: Space;
  readonly startTime: Date;
  endTime: Date | null;
  readonly participants: MeetParticipant[];
  readonly recordings: Recording[];
  readonly transcripts: Transcript[];
}

export interface GoogleEvent {
  readonly id: string;
  readonly owner: GoogleUser;
  readonly createdAt: Date;
  updatedAt: Date;
  /** As the caller wrote them; conferences excepted. */
  fields: Record<string, unknown>;
  conference: { readonly requestId: string; readonly space: Space; status: 'pending' | 'success' } | null;
  cancelled: boolean;
}

export interface DriveFile {
  readonly id: string;
  readonly owner: GoogleUser;
  readonly name: string;
  readonly createdAt: Date;
  trashed: boolean;
  permissions: (Record<string, unknown> & { readonly id: string })[];
}

export interface MeetSubscription {
  /** `subscriptions/…` */
  readonly name: string;
  readonly uid: string;
  readonly clientId: string;
  readonly user: GoogleUser;
  readonly scopes: readonly string[];
  readonly targetResource: string;
  eventTypes: readonly string[];
  readonly pubsubTopic: string;
  readonly createTime: Date;
  updateTime: Date;
  expireTime: Date;
  state: 'ACTIVE' | 'SUSPENDED';
  suspensionReason: string | null;
  calledOff: () => void;
}

export interface GoogleState {
  users: GoogleUser[];
  spaces: Space[];
  records: ConferenceRecord[];
  events: GoogleEvent[];
  files: DriveFile[];
  /** Users whose edition does not record: the setting is dropped in silence. */
  mayNotRecord: Set<string>;
  subscriptions: MeetSubscription[];
  /** What the administrator of the service account's domain has delegated to it. */
  delegatedScopes: readonly string[];
  /** spaces.create calls per minute, and per user and minute. */
  creations: Map<string, number>;
}

export interface Google {
  readonly world: World;
  readonly state: GoogleState;
  readonly key: SigningKey;
  /** Of the service account. */
  readonly serviceKey: SigningKey;
}

/** A service account with domain-wide delegation in one domain. */
export const SERVICE_ACCOUNT = {
  clientEmail: 'gateway@sandbox.iam.gserviceaccount.com',
  clientId: '104211111111111111111',
  domain: 'google.sandbox.example',
} as const;

export interface GoogleCaller {
  readonly token: Token;
  readonly user: GoogleUser;
}

const AUTH = 'https://www.googleapis.com/auth/';
export const CREATED = `${AUTH}meetings.space.created`;
export const READONLY = `${AUTH}meetings.space.readonly`;
export const SETTINGS = `${AUTH}meetings.space.settings`;
export const CALENDAR = [`${AUTH}calendar.events`, `${AUTH}calendar.events.owned`, `${AUTH}calendar`];
export const DRIVE_READ = [`${AUTH}drive.meet.readonly`, `${AUTH}drive.readonly`, `${AUTH}drive`];
export const DRIVE_WRITE = [`${AUTH}drive`];

export function seedGoogle(): GoogleState {
  const user = (id: string, email: string, hd: string | null, slowConferences = false): GoogleUser => ({
    id,
    email,
    name: `${email.slice(0, 1).toUpperCase()}${email.slice(1, email.indexOf('@'))} Sandbox`,
    hd,
    slowConferences,
  });
  return {
    users: [
      user('113774264463038321964', 'ada@google.sandbox.example', 'google.sandbox.example'),
      user('113774264463038321965', 'ben@gmail.sandbox.example', null),
      user('113774264463038321966', 'pending@gmail.sandbox.example', null, true),
      user('113774264463038321967', 'host@google.sandbox.example', 'google.sandbox.example'),
    ],
    spaces: [],
    records: [],
    events: [],
    files: [],
    mayNotRecord: new Set(),
    subscriptions: [],
    delegatedScopes: ['openid', `${AUTH}userinfo.email`, CREATED, READONLY, SETTINGS, ...CALENDAR, ...DRIVE_READ],
    creations: new Map(),
  };
}

/** The error shape of Meet and Workspace Events. */
export function rpcError(
  c: Context<Env>,
  status: ContentfulStatusCode,
  name: string,
  message: string,
  details?: readonly object[],
): Response {
  return c.json({ error: { code: status, message, status: name, ...(details ? { details } : {}) } }, status);
}

/** The error shape of Calendar and Drive. */
export function legacyError(c: Context<Env>, status: ContentfulStatusCode, reason: string, message: string): Response {
  return c.json({ error: { errors: [{ domain: 'global', reason, message }], code: status, message } }, status);
}

/** The caller, when one of the scopes was granted. */
export function googleCaller(
  { world, state }: Google,
  c: Context<Env>,
  service: string,
  scopes: readonly string[],
): GoogleCaller | Response {
  const token = world.oauth.access(c.req.header('authorization'), 'google-meet');
  const user = state.users.find(({ id }) => id === token?.grant.userId);
  const legacy = service === 'calendar' || service === 'drive';
  if (!token || !user) {
    const message = 'Request had invalid authentication credentials. Expected OAuth 2 access token.';
    return legacy ? legacyError(c, 401, 'authError', 'Invalid Credentials') : rpcError(c, 401, 'UNAUTHENTICATED', message);
  }
  if (scopes.some((scope) => token.scopes.includes(scope))) return { token, user };
  const message = 'Request had insufficient authentication scopes.';
  if (legacy) return legacyError(c, 403, 'insufficientPermissions', message);
  const metadata = { service: `${service}.googleapis.com` };
  const detail = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    domain: 'googleapis.com',
    metadata,
  };
  return rpcError(c, 403, 'PERMISSION_DENIED', message, [detail]);
}

/** `created` reaches what this app made, `readonly` everything of the user. */
export const mayRead = (space: Space, user: GoogleUser, scopes: readonly string[]): boolean =>
  space.owner === user && (scopes.includes(READONLY) || (space.createdByApp && scopes.includes(CREATED)));

/** One page of a list, with the offset as the token. */
export function pageOf<T>(
  c: Context<Env>,
  all: readonly T[],
  standard: number,
  maximum: number,
): { page: readonly T[]; next: { nextPageToken?: string } } {
  const size = Math.min(Number(c.req.query('pageSize') ?? standard) || standard, maximum);
  const offset = Number(c.req.query('pageToken') ?? 0);
  const next = offset + size < all.length ? { nextPageToken: String(offset + size) } : {};
  return { page: all.slice(offset, offset + size), next };
}
