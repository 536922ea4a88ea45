import { createHmac } from 'node:crypto';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { digits, secret } from '../ids.ts';
import type { Env, World } from '../world.ts';

export interface ZoomUser {
  readonly id: string;
  readonly accountId: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  /** 1 Basic, 2 Licensed, 4 no meetings licence. */
  type: 1 | 2 | 4;
  /** The bundle of the licence, in Zoom's numbers; null for a plain one. */
  readonly planUnitedType: string | null;
  readonly timezone: string;
}

export interface Participant {
  readonly uuid: string;
  /** Zoom's `user_id`: valid inside one meeting. */
  readonly number: string;
  readonly name: string;
  /** Empty for guests. */
  readonly email: string;
  readonly userId: string;
  readonly joinedAt: Date;
  leftAt: Date | null;
}

export interface Instance {
  readonly uuid: string;
  readonly startedAt: Date;
  endedAt: Date | null;
  readonly participants: Participant[];
}

export interface ZoomMeeting {
  readonly id: number;
  /** Of the instance that runs, or of the next one. */
  uuid: string;
  readonly host: ZoomUser;
  topic: string;
  readonly type: number;
  startTime: Date | null;
  duration: number;
  timezone: string;
  agenda: string;
  readonly password: string;
  readonly encryptedPassword: string;
  readonly createdAt: Date;
  settings: Record<string, unknown>;
  status: 'waiting' | 'started';
  deleted: boolean;
  readonly instances: Instance[];
}

export interface RecordingFile {
  /** What its media URL ends with; also the `id`, which CC files do not show. */
  readonly id: string;
  readonly fileType: 'MP4' | 'M4A' | 'TRANSCRIPT' | 'CC';
  readonly recordingType: string;
  readonly size: number;
}

export interface ZoomRecording {
  readonly uuid: string;
  readonly meeting: ZoomMeeting;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly passcode: string;
  files: RecordingFile[];
  state: 'available' | 'trashed';
  settings: Record<string, unknown>;
}

export interface ZoomState {
  users: ZoomUser[];
  meetings: ZoomMeeting[];
  recordings: ZoomRecording[];
  /** Hosts whose account shares no recordings with strangers: the setting is dropped in silence. */
  withoutSharing: Set<string>;
  /** Hosts who may not delete cloud recordings. */
  withoutDeleting: Set<string>;
  /** Create and update calls per host and UTC day. */
  changes: Map<string, number>;
  uuids: number;
}

export interface Zoom {
  readonly world: World;
  readonly options: ZoomOptions;
  readonly state: ZoomState;
  /** Signs download tokens and ZAKs; made once per sandbox. */
  readonly key: Buffer;
  readonly fire: (event: ZoomEvent) => void;
}

export interface ZoomOptions {
  /** The account of the platform's own hosts, for server-to-server tokens. */
  readonly accountId: string;
  /** Scopes of the app's Marketplace configuration; what a token has. */
  readonly scopes: readonly string[];
  /** How long a refresh token works on after its first use. The live service shows such a grace, of a length that nobody documents. */
  readonly refreshGraceMs: number;
}

export interface ZoomEvent {
  readonly event: string;
  /** Null for events about the account itself. */
  readonly host: ZoomUser | null;
  readonly accountId: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Fields beside `payload`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export const ZOOM_SCOPES = [
  'meeting:write:meeting',
  'meeting:read:meeting',
  'meeting:read:list_meetings',
  'meeting:update:meeting',
  'meeting:delete:meeting',
  'meeting:update:status',
  'meeting:read:participant',
  'meeting:read:past_meeting',
  'user:read:user',
  'user:read:settings',
  'cloud_recording:read:list_user_recordings',
  'cloud_recording:read:list_recording_files',
  'cloud_recording:read:recording_settings',
  'cloud_recording:update:recording_settings',
  'cloud_recording:delete:meeting_recording',
  'cloud_recording:delete:recording_file',
  'cloud_recording:update:recover_meeting_recordings',
  'cloud_recording:read:recording',
] as const;

export function seedZoom({ accountId }: ZoomOptions): ZoomState {
  const user = (id: string, account: string, firstName: string, type: 1 | 2): ZoomUser => ({
    id,
    accountId: account,
    email: `${firstName.toLowerCase()}@zoom.sandbox.example`,
    firstName,
    lastName: 'Sandbox',
    type,
    planUnitedType: null,
    timezone: 'Europe/Berlin',
  });
  return {
    users: [
      user('adaLicensedUser1234567', 'adaAccountSandbox12345', 'Ada', 2),
      user('benBasicUser1234567890', 'benAccountSandbox12345', 'Ben', 1),
      user('hostPoolUser1234567890', accountId, 'Host', 2),
    ],
    meetings: [],
    recordings: [],
    withoutSharing: new Set(),
    withoutDeleting: new Set(),
    changes: new Map(),
    uuids: 0,
  };
}

/** Every fourth uuid starts with `/`, which has to be encoded twice in a path. */
export function newUuid({ state, world }: Pick<Zoom, 'state' | 'world'>): string {
  const bytes = world.random(16);
  state.uuids += 1;
  bytes[0] = state.uuids % 4 === 0 ? 0xff : (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('base64');
}

export const newMeetingId = ({ random }: World): number => Number(digits(random, 11));
export const newPassword = ({ random }: World): string => secret(random, 6).replaceAll(/[-_]/g, 'x').slice(0, 6);

export const zoomError = (c: Context<Env>, status: ContentfulStatusCode, code: number, message: string): Response =>
  c.json({ code, message }, status);

/** A JWT in Zoom's manner (HS512) for its own use: ZAKs and download tokens. */
export function signOwn(key: Buffer, claims: Readonly<Record<string, unknown>>): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ typ: 'JWT', alg: 'HS512' })}.${part(claims)}`;
  return `${head}.${createHmac('sha512', key).update(head).digest('base64url')}`;
}

/** The claims of a token made by `signOwn`; undefined when it is not one. */
export function readOwn(key: Buffer, token: string): Record<string, unknown> | undefined {
  const [header, claims, signature] = token.split('.');
  if (createHmac('sha512', key).update(`${header}.${claims}`).digest('base64url') !== signature) return undefined;
  return JSON.parse(Buffer.from(claims ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
}
