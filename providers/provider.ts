/**
 * What the gateway expects of a vendor. An adapter is an object made by a factory and checked by the
 * conformance suite (test/conformance/provider.ts). An optional member *is* the capability.
 *
 * Failures that leave an adapter are one of: `reconnect_required`, `not_capable`, `vendor_quota` (with reset time, and a `LimitOf`),
 * `vendor_unavailable` (with retry time), `vendor_refused` (extra.vendor_code), `vendor_nonsense` (a 2xx that is not
 * what was asked for), `gone` (a recording, subscription or meeting that the vendor no longer has), `webhook_unauthenticated`,
 * `credentials_rejected` (the vendor refuses the gateway's own client id, secret or key: only the operator can repair it).
 */
import type { Plan, ProviderId } from '../src/domain/apps.ts';
import type { GrantEnd } from '../src/domain/connection.ts';

export type { GrantEnd, Plan, ProviderId };

/** What the vendor tells about a connected account. Read after connecting and refreshed later. */
export interface AccountProfile {
  /** The vendor's user id, stable for ever: Zoom user id, Entra object id, Google `sub`. */
  readonly id: string;
  readonly email: string | null;
  /** Zoom account id, Entra tenant id, Google hosted domain; null for a personal Google account. */
  readonly organisation: string | null;
  readonly plan: Plan;
  /** False where the vendor offers no way to make links for this account (personal Microsoft accounts, Zoom type 4). */
  readonly createsMeetings: boolean;
  readonly cloudRecording: 'yes' | 'no' | 'unknown';
}

/** A connected account, as an adapter sees it. */
export interface Account extends AccountProfile {
  /** `platform`: a host of the operator's own account; its token speaks for the whole account, so every call names the host. */
  readonly hosting: 'own' | 'platform';
  /** Scopes that were really granted. */
  readonly scopes: readonly string[];
  /**
   * A valid access token. After a 401, pass the refused token to get a newer one; refreshes are shared, so many callers
   * with the same refused token cause one refresh.
   * @throws Failure `reconnect_required` when the grant is dead.
   */
  accessToken(rejected?: string): Promise<string>;
  /**
   * Takes one from every budget of `Provider.quotas` that this kind of call counts against. For the request that the vendor counts, right
   * before it is sent: reads, searches and what needs no request cost nothing.
   * @throws Failure `vendor_quota` with the moment of the reset when nothing is left; then the request is not sent.
   */
  spend(call: CountedCall): Promise<void>;
}

export interface Grant {
  readonly accessToken: string;
  /** Null when the vendor kept the previous one (Google). */
  readonly refreshToken: string | null;
  readonly expiresInMs: number;
  readonly scopes: readonly string[];
  /** Claims of the id token, where the vendor sends one. It came from the token endpoint itself (OIDC Core 3.1.3.7, 6). */
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface OAuth {
  /** An unused grant dies after this long, by the vendor's documentation; it is renewed well before. */
  readonly idleLifeMs: number;
  /**
   * `links` is asked for first, `recordings` only when the professional wants them. Vendor spelling.
   * `linkWays`: each way to a link, by the scopes that it takes; an account without any of them can make none.
   */
  readonly scopes: {
    readonly links: readonly string[];
    readonly recordings: readonly string[];
    readonly linkWays: readonly (readonly string[])[];
  };
  /** `request`: by `authorizationUrl`, so in two steps. `registration`: all of them always, as settled when the app was registered at the vendor. */
  readonly scopesBy: 'request' | 'registration';
  /** True for an issuer that a callback of this vendor may name as its own (`iss`, RFC 9207). */
  isIssuer(iss: string): boolean;
  authorizationUrl(request: { state: string; codeChallenge: string; redirectUri: string; recordings: boolean }): URL;
  /** @throws Failure `vendor_refused` for a used, foreign or expired code. */
  exchange(request: { code: string; codeVerifier: string; redirectUri: string }): Promise<Grant>;
  /**
   * @throws Failure `reconnect_required` with `extra.reason` (a `GrantEnd`) when the vendor says that the grant is dead,
   * `credentials_rejected` when it refuses our own credentials.
   */
  refresh(refreshToken: string): Promise<Grant>;
  /** Succeeds when the grant is gone already. A vendor without a revocation endpoint leaves this out. */
  revoke?(tokens: { accessToken: string; refreshToken: string | null }): Promise<void>;
  profile(grant: Grant): Promise<AccountProfile>;
  /** Plan and capabilities of a connected account as they are now. Costs no more than two reads at the vendor. */
  readAgain(account: Account): Promise<AccountProfile>;
  /**
   * Where an administrator agrees for the whole organisation; present where a vendor separates this from the user's own consent.
   * The vendor comes back to `redirectUri` with `admin_consent=True` and `state`, and without a code.
   */
  adminConsentUrl?(request: { state: string; redirectUri: string; organisation: string | null; recordings: boolean }): URL;
}

/** A user of the operator's own account who may host meetings of the marketplace (F04). */
export interface PlatformHost extends AccountProfile {
  /** Meetings that this user may run at the same time. */
  readonly concurrentMeetings: number;
}

/** The operator's own account at the vendor; present when its credentials are configured. */
export interface Platform {
  /** What its tokens need, in the names under which `token` tells what was granted. */
  readonly scopes: { readonly links: readonly string[]; readonly recordings: readonly string[] };
  /** Whom one token speaks for: the whole account (Zoom, Graph: one value for every host) or one user (Google: the host's address). */
  subjectOf(host: string): string;
  /**
   * A fresh access token, without a refresh token.
   * @throws Failure `credentials_rejected`, `vendor_unavailable`, `vendor_refused`, `not_found` when the subject is one user who is not there (any more)
   */
  token(subject: string): Promise<Grant>;
  /** Reads a host by e-mail address or vendor user id. @throws Failure `not_found` when the account has no such user, `not_capable` when it may not host. */
  host(grant: Pick<Grant, 'accessToken' | 'scopes'>, host: string): Promise<PlatformHost>;
}

export type CountedCall = 'create' | 'change';

/** A budget that a vendor keeps. */
export interface Quota {
  /** What counts against it. */
  readonly calls: readonly CountedCall[];
  /** `host`: each vendor account has its own, whatever connections and marketplaces share it. `app`: one for all accounts together. */
  readonly scope: 'host' | 'app';
  readonly limit: number;
  /** `utc_day`: starts anew at 00:00 UTC. `minute`: at every full minute (chosen; the vendor's own window is not documented). */
  readonly per: 'utc_day' | 'minute';
}

/**
 * Whose limit a vendor's refusal is about, in `extra.limit_of` of a `vendor_quota`. `budget`: the host's own in `Provider.quotas`, so that
 * only what counts against it waits. `host`, `organisation`, `app`: nobody calls for these before the time is over. Without it, only the
 * call itself has to wait.
 */
export type LimitOf = 'budget' | 'host' | 'organisation' | 'app';

export interface MeetingRequest {
  /** Our idempotency key, `[a-z0-9_]{8,60}`: one key, one vendor meeting. */
  readonly key: string;
  /** True when an earlier attempt with this key may have reached the vendor. */
  readonly retry: boolean;
  readonly title: string;
  readonly startsAt: Date;
  readonly durationMinutes: number;
  /** IANA name. */
  readonly timeZone: string;
  readonly recordAutomatically: boolean;
  readonly participantVideo: boolean;
  /** True: the host's camera is on from the start. Left out: as the account has it. */
  readonly hostVideo?: boolean;
}

export type MeetingChange = Pick<MeetingRequest, 'title' | 'startsAt' | 'durationMinutes' | 'timeZone'>;

/** How the gateway names a vendor meeting when it asks the adapter something about it. */
export interface MeetingRef {
  /** The id that the vendor's events carry: Zoom meeting number, Graph onlineMeeting id, `spaces/{id}`. */
  readonly id: string;
  readonly joinUrl: string;
  /** What else the adapter needs to find it again (Graph event id, Calendar event id). Stored as is; no secrets. */
  readonly details: Readonly<Record<string, string>>;
}

export interface VendorMeeting extends MeetingRef {
  /** What was asked for and silently dropped by the vendor: `record_automatically`, `participant_video`, `host_video`, `starts_at`, `open_access`. */
  readonly degraded: readonly string[];
}

export type FileKind = 'video' | 'audio' | 'transcript' | 'chat' | 'other';

export interface VendorFile {
  /** Stable id of the file inside its recording. */
  readonly id: string;
  readonly kind: FileKind;
  readonly contentType: string;
  readonly bytes: number | null;
}

export interface VendorRecording {
  /** The same in webhook and list: Zoom instance uuid, Graph callRecording id, Meet recording name. */
  readonly id: string;
  readonly state: 'processing' | 'ready';
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly files: readonly VendorFile[];
}

export interface MediaRequest {
  readonly meeting: MeetingRef;
  readonly recordingId: string;
  readonly fileId: string;
  /** The browser's Range header, as is. */
  readonly range: string | undefined;
  readonly signal: AbortSignal;
}

export interface Media {
  /** 416 when the vendor has no such range. */
  readonly status: 200 | 206 | 416;
  readonly contentType: string;
  readonly contentLength: number | null;
  readonly contentRange: string | null;
  readonly body: ReadableStream<Uint8Array>;
}

/** One recording of a meeting. */
export interface RecordingRef {
  readonly meeting: MeetingRef;
  readonly recordingId: string;
}

/** The vendor's own page of a recording, open to whoever has its link. */
export interface SharedRecording {
  readonly url: string;
  /** What the page asks for; null when it asks for nothing. */
  readonly passcode: string | null;
}

export interface RecordingShares {
  /** All of these have to be granted. */
  readonly scopes: readonly string[];
  /** Opens the page, or leaves it open. @throws Failure `gone`, `not_capable` when the account forbids it */
  open(account: Account, recording: RecordingRef): Promise<SharedRecording>;
  /** Succeeds when it is closed, or the recording gone, already. */
  close(account: Account, recording: RecordingRef): Promise<void>;
  /** As the vendor tells it now. */
  isOpen(account: Account, recording: RecordingRef): Promise<boolean>;
}

export interface RecordingRemoval {
  /** All of these have to be granted. */
  readonly scopes: readonly string[];
  /** Deletes every file of it for good. Succeeds when it is gone already. @throws Failure `not_capable` when the account forbids it */
  remove(account: Account, recording: RecordingRef): Promise<void>;
  /** Whether nothing of it is left, as the vendor tells it now. */
  isGone(account: Account, recording: RecordingRef): Promise<boolean>;
}

export interface Recordings {
  /** Everything recorded of this meeting, over all its instances. Empty when there is none (yet). */
  list(account: Account, meeting: MeetingRef): Promise<readonly VendorRecording[]>;
  /** Opens one file as a stream; nothing is buffered. @throws Failure `gone` when the vendor has deleted it. */
  open(account: Account, request: MediaRequest): Promise<Media>;
  /**
   * Present where the vendor can show a recording to people without an account, and stop showing it. Zoom alone: Graph names no file of a
   * recording that could be shared, and sharing Meet's needs the permission for the whole Drive.
   */
  readonly shares?: RecordingShares;
  /** Present where the vendor lets an app delete recordings. Zoom alone: Graph and Meet have no such call. */
  readonly removal?: RecordingRemoval;
}

/** Who was in one run of a meeting, told after its end. */
export interface AttendanceReport {
  /** The run. */
  readonly id: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly people: readonly {
    readonly id: string;
    /** Vendor user id where the person was signed in. */
    readonly userId: string | null;
    readonly stays: readonly { readonly joinedAt: Date; readonly leftAt: Date }[];
  }[];
}

export interface AttendanceReports {
  /** All of these have to be granted. */
  readonly scopes: readonly string[];
  /** One for each run that is over; it may take a while to appear. */
  list(account: Account, meeting: MeetingRef): Promise<readonly AttendanceReport[]>;
}

interface AboutMeeting {
  readonly meetingId: string;
  /** When it happened, by the vendor's clock. */
  readonly at: Date;
}

/** One run of a meeting: Zoom uuid, Meet conference record, Graph call id. */
interface AboutInstance extends AboutMeeting {
  readonly instanceId: string;
}

/** What happened, in one vocabulary; the same from a webhook and from reconciliation. */
export type VendorEvent =
  | ({ readonly type: 'meeting.started' } & AboutInstance)
  | ({ readonly type: 'meeting.ended'; readonly limitReached: boolean } & AboutInstance)
  | ({
      readonly type: 'participant.joined' | 'participant.left';
      /** The vendor's id of this stay in the meeting. */
      readonly participantId: string;
      readonly name: string | null;
      /** Vendor user id where the participant is signed in. */
      readonly userId: string | null;
      readonly limitReached: boolean;
    } & AboutInstance)
  | ({ readonly type: 'recording.processing'; readonly recordingId: string } & AboutMeeting)
  | ({ readonly type: 'recording.ready'; readonly recording: VendorRecording } & AboutMeeting)
  | ({
      readonly type: 'recording.removed' | 'recording.recovered';
      readonly recordingId: string;
      /** Of the files that went or came back: all of them, or single ones. Null when none is named: then it is all of them. */
      readonly fileIds: readonly string[] | null;
    } & AboutMeeting)
  /** Many at once, of meetings that are not named. */
  | {
      readonly type: 'recordings.removed' | 'recordings.recovered';
      readonly organisation: string;
      readonly recordingIds: readonly string[];
      readonly at: Date;
    }
  /** Null `userId`: the whole organisation removed the app. */
  | { readonly type: 'account.deauthorized'; readonly organisation: string; readonly userId: string | null; readonly at: Date }
  | {
      readonly type: 'subscription.expiring' | 'subscription.removed' | 'subscription.suspended' | 'subscription.missed';
      readonly subscriptionId: string;
      readonly reason: string | null;
    };

/** A notification that names a resource and says nothing about it; `resolve` asks the vendor. */
export interface Pointer {
  readonly type: 'pointer';
  /** The subscription it came by; it leads to the connection. */
  readonly subscriptionId: string;
  /** The vendor's event type, for `resolve`. */
  readonly about: string;
  readonly resource: string;
  readonly at: Date;
}

export type Notice = VendorEvent | Pointer;

export interface WebhookRequest {
  /** The bytes as received; proofs are over these, never over a parsed form. */
  readonly bytes: Buffer;
  /** Lower-case name; a repeated header arrives joined with `, `. */
  header(name: string): string | undefined;
  readonly query: URLSearchParams;
  /** `lifecycle` for Microsoft's second URL. */
  readonly channel: 'events' | 'lifecycle';
  readonly now: Date;
}

/** One thing to be stored and applied. */
export interface Delivery {
  /**
   * The vendor's own identity of what happened, ordered by the vendor's event time: 13 digits of milliseconds, `.`, then a
   * digest. Two deliveries of one happening have the same key whatever their bytes; ordered keys keep the unique index fast.
   */
  readonly key: string;
  readonly bytes: Buffer;
}

export type Opened =
  /** A handshake: answered at once, nothing is stored. */
  | { readonly kind: 'answer'; readonly status: 200; readonly contentType: string; readonly body: string }
  | { readonly kind: 'deliveries'; readonly status: 200 | 202 | 204; readonly deliveries: readonly Delivery[] };

export interface Webhook {
  /**
   * Proves that the delivery comes from the vendor, in constant time. Does not touch storage or network (cached keys excepted).
   * @throws Failure `webhook_unauthenticated`, without a reason that would help a prober.
   */
  open(request: WebhookRequest): Opened | Promise<Opened>;
  /** Pure. Unknown kinds give an empty list. @throws Failure `malformed` for bytes that are not what the vendor documents. */
  read(bytes: Buffer): readonly Notice[];
  /** Present when notifications are thin. @throws the adapter's failures. */
  resolve?(account: Account, pointer: Pointer): Promise<readonly VendorEvent[]>;
}

export interface Subscription {
  readonly id: string;
  readonly expiresAt: Date;
  /** Why the vendor had suspended it, in the vendor's word; it has just been taken up again. */
  readonly suspendedFor?: string;
}

export interface Subscriptions {
  /** One of these has to be granted; an account without them has no feed. */
  readonly scopes: readonly string[];
  /**
   * True where the proof of its notifications is made with a key of the gateway's ring and cannot be changed later: after a change of keys
   * it is removed and made anew, and the old key is needed until then.
   */
  readonly boundToKeys?: boolean;
  /** Makes one, or adopts the one that exists already for this account. */
  create(account: Account, request: { notificationUrl: string; lifecycleUrl: string }): Promise<Subscription>;
  /**
   * Takes it up again, too, when the vendor has suspended it.
   * @throws Failure `gone` when it does not exist any more: create a new one; `vendor_refused` with `extra.suspended_for`, the vendor's
   * word, when it stays suspended.
   */
  renew(account: Account, subscriptionId: string): Promise<Subscription>;
  /** Succeeds when it is gone already. */
  remove(account: Account, subscriptionId: string): Promise<void>;
}

export interface Provider {
  readonly id: ProviderId;
  readonly oauth: OAuth;
  /** Present where the operator's own account is configured. */
  readonly platform?: Platform;
  /** Counted by the gateway, so that a meeting is refused early and with the moment of the reset. */
  readonly quotas: readonly Quota[];
  /** Creates the meeting, or returns the one already created under `request.key`. */
  createMeeting(account: Account, request: MeetingRequest): Promise<VendorMeeting>;
  /**
   * What an earlier attempt under this key left behind; undefined when there is nothing. Present where that can be told without making a
   * meeting, so that tidying up costs nothing of a budget.
   */
  readonly findMeeting?: (account: Account, key: string) => Promise<MeetingRef | undefined>;
  /** Keeps the vendor's meeting and its join link. Succeeds when it is gone already. */
  changeMeeting(account: Account, meeting: MeetingRef, change: MeetingChange): Promise<void>;
  /** Succeeds when it is gone already. */
  cancelMeeting(account: Account, meeting: MeetingRef): Promise<void>;
  /** The link for the host, made for this moment; never stored. */
  hostUrl(account: Account, meeting: MeetingRef): Promise<string>;
  /** Present where that link signs whoever follows it in as the account itself. */
  readonly hostLinkSignsIn?: true;
  /** Present where the vendor can end a running meeting. Succeeds when it is not running. */
  readonly endMeeting?: (account: Account, meeting: MeetingRef) => Promise<void>;
  readonly recordings: Recordings;
  /**
   * Whether the vendor is to record this meeting by itself from its start on; what it will do, as read back: vendors drop settings in
   * silence. Present where that can be changed after the meeting was made.
   * @throws Failure `gone`
   */
  readonly recordAutomatically?: (account: Account, meeting: MeetingRef, on: boolean) => Promise<boolean>;
  /** Present where the vendor tells after the end what it does not tell as it happens. */
  readonly attendance?: AttendanceReports;
  /** Not optional: a provider that cannot prove its deliveries cannot be installed. */
  readonly webhook: Webhook;
  /** Present when the vendor's event feed is per account and expires. */
  readonly subscriptions?: Subscriptions;
}
