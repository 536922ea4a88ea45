/** What the three vendors share inside the sandbox. */
import type { Hono } from 'hono';
import type { Agenda } from './clock.ts';
import type { Deliveries } from './deliveries.ts';
import type { RandomBytes } from './ids.ts';
import type { OAuthStore } from './oauth.ts';
import type { HttpBindings } from '@hono/node-server';

export const VENDORS = ['zoom', 'microsoft-teams', 'google-meet'] as const;
export type VendorId = (typeof VENDORS)[number];

export interface Client {
  readonly id: string;
  /** Changes when the operator makes a new one, or the old one runs out. */
  secret: string;
}

export interface ZoomWebhook {
  readonly url: string;
  readonly secret: string;
}

/** One Pub/Sub push subscription; it gets what is published to any topic. */
export interface GoogleWebhook {
  readonly url: string;
  readonly audience: string;
  readonly serviceAccount: string;
  readonly subscription: string;
}

/** Microsoft is not here: the API caller names its own URLs when it creates a subscription. */
export interface Webhooks {
  zoom: ZoomWebhook | null;
  google: GoogleWebhook | null;
}

export interface World {
  readonly origin: string;
  readonly agenda: Agenda;
  readonly random: RandomBytes;
  readonly fetch: typeof globalThis.fetch;
  readonly oauth: OAuthStore;
  readonly deliveries: Deliveries;
  readonly webhooks: Webhooks;
  readonly clients: Readonly<Record<VendorId, Client>>;
}

export type Env = { Bindings: Partial<HttpBindings> };
export type Routes = Hono<Env>;

export interface ConsentUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** What kind of account it is, for the consent page and `GET /control/state`. */
  readonly note: string;
}

/** Who joins or leaves a meeting. `user` is the e-mail of a sandbox user: then the vendor knows the person. */
export interface Person {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly user?: string | undefined;
}

export interface StartOptions {
  /** The limit of the host's plan ends the meeting when its time is over. */
  readonly limits: boolean;
}

export interface RecordingOptions {
  /** A transcript is made too, and its own event sent. */
  readonly transcript: boolean;
}

/** Things that happen in meetings, as people would cause them. Each answers what came of it; undefined when there is no such meeting. */
export interface Happenings {
  start(id: string, options?: StartOptions): object | undefined;
  join(id: string, person: Person): object | undefined;
  leave(id: string, person: Person): object | undefined;
  end(id: string, reason: 'host' | 'limit'): object | undefined;
  finishRecording(id: string, options: RecordingOptions): object | undefined;
  /** What the owner does with the latest recording of the meeting at the vendor's site. @throws Refused where the vendor has no trash */
  moveRecording(id: string, to: RecordingMove): object | undefined;
}

export type RecordingMove = 'trash' | 'delete' | 'recover';

export interface Vendor {
  readonly routes: Routes;
  readonly happenings: Happenings;
  readonly users: () => readonly ConsentUser[];
  /** @throws Refused for a body that does not describe a user. */
  addUser(body: unknown): ConsentUser;
  /** What an administrator lets the app, or a user, do; answers how it is now. @throws Refused */
  administer?(body: unknown): object;
  /** The user (or the organisation) removes the app at the vendor's site. */
  removeApp(userId: string): void;
  state(): object;
  reset(): void;
}

/** The control API answers it with this status. */
export class Refused extends Error {
  readonly status: 400 | 404 | 409;
  constructor(status: 400 | 404 | 409, message: string) {
    super(message);
    this.status = status;
  }
}
