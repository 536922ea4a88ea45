/**
 * Every way the gateway can fail, by name. The code is the contract; status and title follow from it.
 *
 * `detail` is for people and free of secrets. A vendor's own words belong into `cause`: logged, never answered.
 */
const FAILURES = {
  malformed: { status: 400, title: 'The request could not be read' },
  unauthenticated: { status: 401, title: 'A valid API key is required' },
  webhook_unauthenticated: { status: 401, title: 'The delivery could not be proven to come from the vendor' },
  forbidden: { status: 403, title: 'This is not allowed' },
  incident_required: { status: 403, title: 'Only an open incident gives access' },
  not_found: { status: 404, title: 'There is no such resource' },
  method_not_allowed: { status: 405, title: 'The method is not supported here' },
  conflict: { status: 409, title: 'The request conflicts with the current state' },
  meeting_exists: { status: 409, title: 'There is a live meeting for this booking and customer' },
  link_locked: { status: 409, title: 'The link may not change any more' },
  purchase_expired: { status: 409, title: 'The time to purchase is over' },
  reconnect_required: { status: 409, title: 'The professional has to connect the account again' },
  professional_suspended: { status: 409, title: 'The professional is suspended' },
  professional_unavailable: { status: 409, title: 'The professional takes no calls now' },
  prepayment_missing: { status: 409, title: 'The call is not paid for' },
  call_exists: { status: 409, title: 'There is a call that rings already' },
  consent_missing: { status: 409, title: 'A consent to the recording is missing' },
  idempotency_key_in_use: { status: 409, title: 'A request with this Idempotency-Key is still running' },
  gone: { status: 410, title: 'This is no longer available' },
  too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  range_not_satisfiable: { status: 416, title: 'The requested range does not exist' },
  invalid: { status: 422, title: 'The request breaks the schema or a rule' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with another request' },
  app_not_approved: { status: 422, title: 'The link does not belong to an approved app' },
  link_already_used: { status: 422, title: 'The link was used before' },
  join_url_invalid: { status: 422, title: 'The link is not a join link' },
  not_connected: { status: 422, title: 'The professional has no usable connection' },
  limit_exceeded: { status: 422, title: 'The booking is longer than the plan allows' },
  not_capable: { status: 422, title: 'The account or the app cannot do this' },
  upload_not_approved: { status: 422, title: 'The link does not lead to an approved storage' },
  too_many_uploads: { status: 422, title: 'There are all the links that there may be' },
  not_eligible: { status: 422, title: 'The professional does not fulfil a rule of the marketplace' },
  recording_not_allowed: { status: 422, title: 'The policy does not allow this recording mode' },
  package_too_large: { status: 422, title: 'The package has too many meetings' },
  vendor_refused: { status: 422, title: 'The vendor refused the request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  sealed_damaged: { status: 500, title: 'A stored secret is damaged' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  vendor_nonsense: { status: 502, title: 'The vendor answered something unexpected' },
  credentials_rejected: { status: 503, title: "The vendor does not accept the gateway's own credentials" },
  host_pool_exhausted: { status: 503, title: 'Every host of the platform is taken at this time' },
  vendor_quota: { status: 503, title: 'A quota of the vendor is used up' },
  vendor_unavailable: { status: 503, title: 'The vendor is not available' },
  not_configured: { status: 503, title: 'This app is not set up on the gateway' },
  key_unavailable: { status: 503, title: 'An encryption key is missing' },
  storage_unavailable: { status: 503, title: 'The storage is not available' },
} as const;

export type FailureCode = keyof typeof FAILURES;
export const FAILURE_CODES = Object.keys(FAILURES) as FailureCode[];

/** One entry of the `errors` list of a validation problem: RFC 6901 pointer into the body, and what is wrong there. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface FailureOptions {
  readonly cause?: unknown;
  /** When trying again can make sense, counted from now. */
  readonly retryAfterMs?: number | undefined;
  readonly errors?: readonly FieldError[];
  /** Further members of the problem document, in the API's spelling: `{ meeting_id: 'mtg_…' }`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export class Failure extends Error {
  readonly code: FailureCode;
  readonly status: number;
  readonly title: string;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly FieldError[];
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: FailureCode, detail: string, { cause, retryAfterMs, errors = [], extra = {} }: FailureOptions = {}) {
    super(detail, { cause });
    this.name = 'Failure';
    this.code = code;
    this.status = FAILURES[code].status;
    this.title = FAILURES[code].title;
    this.retryAfterMs = retryAfterMs;
    this.errors = errors;
    this.extra = extra;
  }

  /** Whatever was thrown, as a Failure. What nobody named is `internal` and keeps its words to the log. */
  static from(thrown: unknown): Failure {
    return thrown instanceof Failure ? thrown : new Failure('internal', 'An unexpected error happened.', { cause: thrown });
  }
}

export const failureTitle = (code: FailureCode): string => FAILURES[code].title;
export const failureStatus = (code: FailureCode): number => FAILURES[code].status;
export const isFailureCode = (value: string): value is FailureCode => Object.hasOwn(FAILURES, value);

/** True when `thrown` is the failure with this name. */
export const isFailure = (thrown: unknown, code: FailureCode): thrown is Failure => thrown instanceof Failure && thrown.code === code;

/** What is not there and what belongs to somebody else get the same words, so that nobody can tell them apart. */
export const notFound = (): Failure => new Failure('not_found', 'There is no such resource.');

/** @throws Failure `not_found` when there is no value */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw notFound();
  return value;
}
