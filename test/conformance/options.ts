/** What an adapter's test file tells the conformance suite about its vendor. */
import type { RequestHandler } from 'msw';
import type {
  Account,
  AccountProfile,
  Grant,
  MeetingRequest,
  Notice,
  PlatformHost,
  Pointer,
  Provider,
  ProviderId,
  VendorEvent,
} from '../../providers/provider.ts';
import type { FailureCode } from '../../src/domain/failure.ts';
import type { Clock } from '../../src/domain/time.ts';
import type { GuardOptions } from '../contracts/validate.ts';

/** A part of the contract that this vendor has nothing for. The reason becomes the name of a test that proves nothing but that there is one. */
export interface NotApplicable {
  readonly notApplicable: string;
}

/** A small stateful stand-in of the vendor, made anew for each test. Its answers have the published shapes. */
export interface VendorStandIn {
  /** All REST operations that the adapter uses, OAuth excepted. */
  readonly handlers: readonly RequestHandler[];
  /** The live meetings at the vendor, by `VendorMeeting.id`. */
  meetings(): readonly StoredMeeting[];
  /** All meetings vanish, as when the professional deletes them by hand. */
  deleteMeetings(): void;
  /** Puts a recording with one video file to a meeting that exists. */
  record(
    meetingId: string,
    recording: { readonly state: 'processing' | 'ready'; readonly content: Buffer; readonly contentType: string },
  ): void;
  /** All recordings vanish. */
  deleteRecordings(): void;
  /** Serves the content of every file as a stream that never ends; resolves once that stream has been cancelled. */
  serveEndlessly(): { readonly cancelled: Promise<void> };
  /** Whether the meeting would be recorded by itself. */
  recordsAutomatically(meetingId: string): boolean;
  /** Needed with `recordings.shares`: ids of the recordings that people without an account can see. */
  shared?(): readonly string[];
  /** Needed with `recordings.removal`: ids of the recordings that somebody could still get, those in a trash included. */
  remaining?(): readonly string[];
  trash?(): void;
  /** Needed with `endMeeting`. */
  start?(meetingId: string): void;
  isRunning?(meetingId: string): boolean;
  /** Needed with `subscriptions`. */
  subscriptions?(): readonly string[];
  deleteSubscriptions?(): void;
}

export interface StoredMeeting {
  readonly id: string;
  readonly title: string;
  readonly startsAt: Date;
  readonly durationMinutes: number;
}

/** A documented refusal and the name that it has to get. */
export interface RefusalCase {
  readonly name: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly code: 'reconnect_required' | 'not_capable' | 'vendor_quota' | 'vendor_unavailable' | 'vendor_refused';
  /** Exact, where the refusal tells it. */
  readonly retryAfterMs?: number;
  readonly vendorCode?: string;
}

/** What arrives at the gateway's webhook route. */
export interface Arrival {
  readonly bytes: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly channel?: 'events' | 'lifecycle';
}
/** Makes an arrival out of a body, as the vendor would at this moment. */
export type Signer = (bytes: Buffer, now: Date) => Arrival | Promise<Arrival>;

export interface DeliveryCase {
  readonly name: string;
  /** The body as the vendor sends it, before `sign`. */
  readonly bytes: Buffer;
  readonly channel?: 'events' | 'lifecycle';
  /** What `read` makes of the stored bytes, over all deliveries of this arrival. */
  readonly notices: readonly Notice[];
}

export interface WebhookOptions {
  readonly sign: Signer;
  /** Everything that a stranger could try. `undefined` headers and query are absent. */
  readonly unsigned: Signer;
  readonly forged: Signer;
  readonly wrongSecret: Signer;
  /** True when the proof covers the bytes: then one changed byte and a re-serialised body are refused. */
  readonly proofCoversBytes: true | NotApplicable;
  /** How far the signed moment may be from ours, either way, the last millisecond included. */
  readonly signedMoment: { readonly toleranceMs: number } | NotApplicable;
  readonly moreForgeries?: readonly { readonly name: string; readonly arrive: Signer; readonly bytes?: Buffer }[];
  /** At least two documented ones. */
  readonly deliveries: readonly [DeliveryCase, DeliveryCase, ...DeliveryCase[]];
  /** The same happening delivered twice, with different bytes. */
  readonly redelivered: readonly { readonly name: string; readonly first: Buffer; readonly again: Buffer }[] | NotApplicable;
  /** Different happenings that must not share a key. */
  readonly distinct: readonly { readonly name: string; readonly one: Buffer; readonly other: Buffer }[];
  /** One kind of event at two moments. */
  readonly inOrder: { readonly earlier: Buffer; readonly later: Buffer } | NotApplicable;
  /** Proven bodies of event types that the gateway does not know. */
  readonly unknown: readonly Buffer[];
  /** Bodies for `read` that are not what the vendor documents, beyond the general ones. */
  readonly garbage?: readonly Buffer[];
  readonly handshakes:
    | readonly {
        readonly name: string;
        readonly arrival: Signer;
        readonly bytes: Buffer;
        readonly body: string;
        readonly contentType: RegExp;
      }[]
    | NotApplicable;
  /** Needed when `webhook.resolve` is there. */
  readonly resolve:
    | readonly {
        readonly name: string;
        readonly pointer: Pointer;
        readonly account?: Partial<Account>;
        readonly handlers: readonly RequestHandler[];
        readonly events: readonly VendorEvent[];
      }[]
    | NotApplicable;
}

export interface OAuthOptions {
  /** Origin and path of the page that the professional is sent to. */
  readonly authorizationPage: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly secretIn: 'basic' | 'post';
  /** True when the scopes travel in the authorization URL. */
  readonly scopesInUrl: true | NotApplicable;
  /** A documented success of the token endpoint. `refreshToken` undefined: the vendor keeps the old one. */
  tokenAnswer(tokens: { accessToken: string; refreshToken: string | undefined }): Record<string, unknown>;
  /** True when every refresh gives a new refresh token. */
  readonly rotates: true | NotApplicable;
  /** Answers to a used, foreign or expired code. */
  readonly badCode: { readonly status: number; readonly body: Record<string, unknown> };
  readonly deadGrants: readonly { readonly name: string; readonly status: number; readonly body: Record<string, unknown> }[];
  /** Answers that blame us: they must never disconnect a professional. */
  readonly ourFault: readonly { readonly name: string; readonly status: number; readonly body: Record<string, unknown> }[];
  readonly revocation: { readonly url: string; readonly success: Record<string, unknown> | null } | NotApplicable;
  readonly profiles: readonly {
    readonly name: string;
    readonly grant: Partial<Grant>;
    readonly handlers: readonly RequestHandler[];
    readonly profile: AccountProfile;
  }[];
}

/** What an adapter shows as the operator's own account uses it. */
export interface PlatformOptions {
  readonly create: (overrides?: { readonly now?: Clock }) => Provider;
  /** A host: id, organisation, scopes. */
  readonly account: Partial<Account>;
  readonly vendor: () => VendorStandIn;
  readonly degraded: ProviderConformance['degraded'];
  readonly refusals: ProviderConformance['refusals'];
  readonly createIsRepeatable: ProviderConformance['createIsRepeatable'];
  /** Why a meeting of such a host is not one that `describeMeetings` could look at: no title, no time. */
  readonly meetings: true | NotApplicable;
  readonly token: {
    readonly subject: string;
    readonly url: string;
    /** What else is asked on the way to a token. */
    readonly handlers: readonly RequestHandler[];
    /** A documented success. */
    readonly answer: (accessToken: string) => Record<string, unknown>;
    /** Answers that only the operator can cure. */
    readonly ourFault: readonly { readonly name: string; readonly status: number; readonly body: Record<string, unknown> }[];
  };
  readonly hosts: readonly (HostRead & { readonly expected: Omit<PlatformHost, 'concurrentMeetings'> })[];
  readonly noHosts: readonly (HostRead & { readonly code: FailureCode })[];
}

interface HostRead {
  readonly name: string;
  readonly host: string;
  readonly handlers: readonly RequestHandler[];
}

export interface ProviderConformance {
  readonly id: ProviderId;
  readonly contract: GuardOptions;
  /** The moment at which the tests play. */
  readonly now: Date;
  create(overrides?: { readonly now?: Clock }): Provider;
  readonly account?: Partial<Account>;
  vendor(): VendorStandIn;
  /** msw paths of all REST hosts, OAuth excepted: `https://zoom.test/v2/*`. */
  readonly api: readonly string[];
  /** Body of a refusal in the vendor's spelling, for any status. */
  errorBody(status: number): unknown;
  /** Documented refusals of the create call with their names. */
  readonly refusals: readonly RefusalCase[];
  /** Why a create call may be sent again after a 5xx or a lost answer; without one it must not be. */
  readonly createIsRepeatable: false | { readonly because: string };
  readonly degraded:
    | readonly {
        readonly name: string;
        readonly request: Partial<MeetingRequest>;
        readonly vendor: () => VendorStandIn;
        readonly lists: readonly string[];
      }[]
    | NotApplicable;
  /** Accounts whose automatic recording stays as it is, under a 2xx. */
  readonly settingDropped: { readonly neverOn: () => VendorStandIn; readonly alwaysOn: () => VendorStandIn } | NotApplicable;
  readonly shares:
    | {
        /** An account that confirms the change and stays closed. */
        readonly neverOpen: () => VendorStandIn;
        readonly page: RegExp;
        readonly passcode: string | null;
      }
    | NotApplicable;
  readonly removal: { readonly refusals: readonly RefusalCase[] } | NotApplicable;
  /** What a host link looks like. */
  readonly hostUrl: RegExp;
  readonly endMeeting: true | NotApplicable;
  /** True when the vendor serves ranges of a recording. */
  readonly ranges: true | NotApplicable;
  /** True when the vendor tells of a recording before it can be fetched. */
  readonly processingIsListed: true | NotApplicable;
  readonly oauth: OAuthOptions;
  readonly webhook: WebhookOptions;
  readonly subscriptions:
    | { readonly notificationUrl: string; readonly lifecycleUrl: string; readonly account?: Partial<Account> }
    | NotApplicable;
  readonly platform?: PlatformOptions;
}

export const isNotApplicable = (value: unknown): value is NotApplicable =>
  typeof value === 'object' &&
  value !== null &&
  'notApplicable' in value &&
  typeof value.notApplicable === 'string' &&
  value.notApplicable !== '';
