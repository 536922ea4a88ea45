/** When a recording may be shown, and to whom (G12, G11, F09). */
import { Failure } from './failure.ts';
import type { BookingKind, Policy, RecordingMode } from './policy.ts';
import { DAY, plus } from './time.ts';

export const RECORDING_STATES = ['processing', 'withheld', 'published', 'expired', 'revoked'] as const;
export type RecordingState = (typeof RECORDING_STATES)[number];

/** `recovered`: the vendor has it again after it was deleted there; it is shown again only when somebody asks for it. */
export const WITHHELD_REASONS = ['consent_missing', 'consent_withdrawn', 'not_requested', 'recovered'] as const;
export type WithheldReason = (typeof WITHHELD_REASONS)[number];

/**
 * Who took it back: the marketplace, the professional (an uploaded link), the account's owner by deleting it at the vendor, or by removing
 * the gateway's app from the account.
 */
export const REVOKED_REASONS = ['marketplace', 'professional', 'deleted_at_vendor', 'app_removed'] as const;
export type RevokedReason = (typeof REVOKED_REASONS)[number];

/**
 * `pending`: to be deleted, or its share to be closed, at the vendor. `confirmed`: done, and read back. `not_capable`: the vendor lets no
 * app do it, or the account has not allowed it. `given_up`: it failed for so long that only the operator can help.
 */
export const VENDOR_ENDINGS = ['pending', 'confirmed', 'not_capable', 'given_up'] as const;
export type VendorEnding = (typeof VENDOR_ENDINGS)[number];

/** `missing` until the customer decides. */
export type Consent = 'missing' | 'granted' | 'refused';

export type Verdict = { readonly publish: true } | { readonly publish: false; readonly reason: 'consent_missing' | 'not_requested' };

/** What the rules about a recording rest on. `consents`: of everyone who bought, and of guests who came in; how often each was given does not matter. */
export interface RecordingFacts {
  readonly policy: Policy;
  readonly kind: BookingKind;
  readonly mode: RecordingMode;
  readonly consents: readonly Consent[];
}

/** Decides over a recording that the vendor has finished. */
export function judge({ policy, kind, mode, consents }: RecordingFacts): Verdict {
  const asked = isAsked(policy, kind, mode);
  if (!isAgreed(policy.recording[kind].consent, asked, consents)) return { publish: false, reason: 'consent_missing' };
  // Everyone's express consent is as good as the wish; a notice alone is not.
  if (mode === 'none' && !asked) return { publish: false, reason: 'not_requested' };
  return { publish: true };
}

/** A consent that joining implies ends where somebody says no; a notice asks nobody (G11, F09). */
function isAgreed(rule: Policy['recording'][BookingKind]['consent'], asked: boolean, consents: readonly Consent[]): boolean {
  if (asked) return consents.length > 0 && consents.every((consent) => consent === 'granted');
  return rule === 'notice' || !consents.includes('refused');
}

/** Whether customers decide. Who was asked has been promised an answer that counts, whatever the policy says later (G12). */
export const isAsked = (policy: Policy, kind: BookingKind, mode: RecordingMode): boolean =>
  policy.recording[kind].consent === 'each_customer' || mode === 'on_consent';

/** Whether the vendor is to record by itself: only what was asked for, and what could be shown as things stand (G12). */
export const recordsByItself = (facts: RecordingFacts): boolean => facts.mode !== 'none' && judge(facts).publish;

/** When its time is over. What was never published is kept no longer than if it had been at once (G15). */
export function expiryOf({ recording }: Policy, { readyAt, publishedAt }: { readyAt: Date; publishedAt: Date | null }): Date {
  const from = recording.retention_from === 'upload' ? readyAt : (publishedAt ?? readyAt);
  return plus(from, recording.retention_days * DAY);
}

/** What everybody hears whose recording ended, was taken back or withheld: not which of it. */
export const recordingGone = (): Failure => new Failure('gone', 'This recording is no longer available.');
