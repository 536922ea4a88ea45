/** What each problem code means to the developer who meets it, and what helps. */
import type { FailureCode } from '../../../domain/failure.ts';

export interface ProblemExplanation {
  readonly meaning: string;
  readonly remedy: string;
}

export const PROBLEMS: Readonly<Record<FailureCode, ProblemExplanation>> = {
  malformed: {
    meaning: 'The body is not valid JSON, or a header or parameter cannot be read.',
    remedy: 'Check the encoding and the syntax. Sending the same request again gives the same answer.',
  },
  unauthenticated: {
    meaning: 'The API key is missing, unknown or revoked.',
    remedy: 'Send the header "Authorization: Bearer <api key>" with a key that is in use.',
  },
  webhook_unauthenticated: {
    meaning: 'The signature, token or time of a vendor’s delivery does not prove where it came from.',
    remedy: 'Compare the webhook secret or the client state with the vendor’s settings, and check the clock of the gateway.',
  },
  forbidden: { meaning: 'The key or link is valid, but not for this.', remedy: 'Use a key or link that has this right.' },
  incident_required: {
    meaning: 'Nobody but its recipients looks into a recording, unless the meeting was reported and the incident is open.',
    remedy: 'Name an open incident of this meeting.',
  },
  not_found: {
    meaning: 'The resource does not exist, or belongs to another marketplace. The two look the same on purpose.',
    remedy: 'Check the id and the key that goes with it.',
  },
  method_not_allowed: {
    meaning: 'The path exists, but not with this method.',
    remedy: 'Use one of the methods in the header "Allow", or look at /docs.',
  },
  conflict: {
    meaning: 'The resource is in a state that does not allow the change.',
    remedy: 'Read the resource again and decide on its present state.',
  },
  meeting_exists: {
    meaning: 'This booking and customer have a live meeting already. The problem carries its id as "meeting_id".',
    remedy: 'Use that meeting, or cancel it first.',
  },
  link_locked: {
    meaning: 'The first purchase has locked the link. From then on the app and the link stay as they are.',
    remedy: 'Change time, length or title only. For another app, cancel the meeting and create a new one.',
  },
  purchase_expired: {
    meaning: 'The purchase was reported after its deadline. The meeting has expired and its vendor meeting was deleted.',
    remedy: 'Create a new meeting for the booking.',
  },
  reconnect_required: {
    meaning: 'The vendor no longer accepts the grant of this account. The problem carries a fresh connect link where one could be made.',
    remedy: 'Send the professional to the connect link, then repeat the request with a new Idempotency-Key.',
  },
  professional_suspended: {
    meaning: 'The standing of the professional does not allow new links. "until" is when a suspension ends by itself.',
    remedy: 'Wait for the end of the suspension, or change the standing after an appeal.',
  },
  professional_unavailable: {
    meaning: 'The professional is busy, away, or has not been seen, and the policy of the marketplace lets nobody call then.',
    remedy: 'Ask "GET /v1/presence" first, and offer the call when the professional is available.',
  },
  prepayment_missing: {
    meaning: 'The policy of the marketplace asks for paid blocks before a call is started.',
    remedy: 'Send at least as many "prepaid_blocks" as "required_blocks" says.',
  },
  call_exists: {
    meaning: 'A call between the two is ringing already; "call_id" names it.',
    remedy: 'Wait for its answer, or withdraw it.',
  },
  consent_missing: {
    meaning: 'At least one customer has not agreed to the recording, so it stays withheld.',
    remedy: 'Collect the missing consents, then publish again.',
  },
  idempotency_key_in_use: {
    meaning: 'The first request with this Idempotency-Key has not been answered yet.',
    remedy: 'Wait for a moment and send the same request again.',
  },
  gone: {
    meaning: 'The resource existed and does not any more: expired, revoked, cancelled or deleted at the vendor.',
    remedy: 'Do not repeat the request. Create what is needed anew.',
  },
  too_large: { meaning: 'The body is larger than the gateway reads.', remedy: 'Send less in one request.' },
  unsupported_media_type: {
    meaning: 'The content type of the body is not one that this path reads.',
    remedy: 'Send "Content-Type: application/json"; a PATCH may also be application/merge-patch+json.',
  },
  range_not_satisfiable: {
    meaning: 'The Range header asks for bytes beyond the end of the file.',
    remedy: 'Take the length from the header "Content-Range" and ask for a part inside it.',
  },
  invalid: {
    meaning: 'The JSON is fine, but breaks the schema or a rule of the policy. "errors" names each place as a JSON pointer.',
    remedy: 'Correct the named places.',
  },
  idempotency_key_reused: {
    meaning: 'The key was used before, with another body or path.',
    remedy: 'Use a new key for each new request, and the old one only to repeat the same.',
  },
  app_not_approved: {
    meaning: 'The host of the link belongs to none of the apps that the marketplace approves. The problem lists those.',
    remedy: 'Give a link of an approved app, or let the gateway create one.',
  },
  link_already_used: {
    meaning: 'The link belongs to another booking or was used earlier. Each customer gets a new one.',
    remedy: 'Give a new link, or let the gateway create one.',
  },
  join_url_invalid: {
    meaning: 'The address is not a plain https join link of an approved app.',
    remedy: 'Copy the invitation link from the app once more, without anything around it.',
  },
  not_connected: {
    meaning: 'The professional has connected no account that could create this meeting.',
    remedy: 'Make a connect session and send the professional to its url.',
  },
  limit_exceeded: {
    meaning: 'The meeting would be cut off by the plan of the account. The problem carries "limit_minutes" and "alternatives".',
    remedy: 'Shorten the meeting, take one of the alternatives, or ask the professional for an account with a larger plan.',
  },
  not_capable: {
    meaning: 'The app or this account has no way to do what was asked.',
    remedy: 'Look at "features" of the provider and of the connection before asking.',
  },
  upload_not_approved: {
    meaning: 'An uploaded link has to be https and to lead to a storage that the policy of the marketplace approves.',
    remedy: 'Use a link to one of the hosts under "approved_hosts", or change the policy.',
  },
  too_many_uploads: {
    meaning: 'The meeting has as many uploaded links, or the booking as many contents, as the policy of the marketplace allows.',
    remedy: 'Take one back first, or change the policy.',
  },
  not_eligible: {
    meaning: 'A rule of the policy does not hold for this professional. "rule" names it, and "fact" what it is about.',
    remedy: 'Send the facts that the rules ask for; "lacking" has all that would suffice. Or do not offer this here.',
  },
  recording_not_allowed: {
    meaning: 'The policy of the marketplace does not allow this recording mode for this kind of booking.',
    remedy: 'Choose another mode, or change the policy.',
  },
  package_too_large: {
    meaning: 'A package has more meetings than allowed. Nothing was created.',
    remedy: 'Send at most as many meetings as "max_meetings" says.',
  },
  vendor_refused: {
    meaning: 'The vendor understood the request and said no. "vendor_code" has its own code where there is one.',
    remedy: 'Look up the code at the vendor; the settings of the account are the usual cause.',
  },
  rate_limited: {
    meaning: 'Too many requests came with this key, or from this address.',
    remedy: 'Wait as long as "Retry-After" says, and watch the RateLimit headers.',
  },
  sealed_damaged: {
    meaning: 'A secret in the database was changed, or was moved from another row, and does not open. Everything else goes on.',
    remedy: 'Tell the operator the request id. An account that is affected has to be connected again.',
  },
  internal: {
    meaning: 'The gateway has met a case that it does not know. The details are in its log under the request id.',
    remedy: 'Repeat the request later with the same Idempotency-Key, and tell the operator the request id.',
  },
  vendor_nonsense: {
    meaning: 'The vendor answered with success, but not with what it documents.',
    remedy: 'Repeat the request with the same Idempotency-Key. If it stays, tell the operator.',
  },
  credentials_rejected: {
    meaning: "The vendor refuses the gateway's own client id, secret or key: it is wrong, or it has run out.",
    remedy: 'Only the operator can repair this. The connections are not lost; repeat the request later with the same Idempotency-Key.',
  },
  host_pool_exhausted: {
    meaning: 'Meetings are hosted by accounts of the platform, and each of them has a meeting at this time already.',
    remedy: 'Choose another time, or ask the operator to add a host.',
  },
  vendor_quota: {
    meaning: 'The account or the app has used up a quota of the vendor.',
    remedy: 'Repeat the request after the time in "Retry-After", which is the moment in "resets_at". Some quotas last until midnight UTC.',
  },
  vendor_unavailable: {
    meaning: 'The vendor did not answer, or answered with an error of its own.',
    remedy: 'Repeat the request after the time in "Retry-After" with the same Idempotency-Key.',
  },
  not_configured: {
    meaning: 'The operator has not set up the credentials of this app.',
    remedy: 'Choose another app, or set up its variables and restart the gateway.',
  },
  key_unavailable: {
    meaning: 'What was asked for is sealed with an encryption key that this process does not have. The detail names it.',
    remedy: 'Only the operator can repair this: the key belongs into ENCRYPTION_KEYS of every process. Nothing is lost until then.',
  },
  storage_unavailable: {
    meaning: 'The database cannot be reached or written.',
    remedy: 'Repeat the request after the time in "Retry-After". Nothing was half done.',
  },
};
