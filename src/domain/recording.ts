/** When a recording may be shown, and to whom (G12, G11, F09). */
import type { BookingKind, Policy, RecordingMode } from './policy.ts';

export const RECORDING_STATES = ['processing', 'withheld', 'published', 'expired', 'revoked'] as const;
export type RecordingState = (typeof RECORDING_STATES)[number];

/** `missing` until the customer decides. */
export type Consent = 'missing' | 'granted' | 'refused';

export type Verdict = { readonly publish: true } | { readonly publish: false; readonly reason: 'consent_missing' | 'not_requested' };

/** Decides over a recording that the vendor has finished. `consents`: of everyone who bought. */
export function judge({
  policy,
  kind,
  mode,
  consents,
}: {
  policy: Policy;
  kind: BookingKind;
  mode: RecordingMode;
  consents: readonly Consent[];
}): Verdict {
  const asked = isAsked(policy, kind, mode);
  const consented = !asked || (consents.length > 0 && consents.every((consent) => consent === 'granted'));
  if (!consented) return { publish: false, reason: 'consent_missing' };
  // Everyone's express consent is as good as the wish; a notice alone is not.
  if (mode === 'none' && !asked) return { publish: false, reason: 'not_requested' };
  return { publish: true };
}

/** Whether customers decide. Who was asked has been promised an answer that counts, whatever the policy says later (G12). */
export const isAsked = (policy: Policy, kind: BookingKind, mode: RecordingMode): boolean =>
  policy.recording[kind].consent === 'each_customer' || mode === 'on_consent';

/** Whether the vendor may be told to record by itself, before anyone can have consented. */
export const recordsFromTheStart = (policy: Policy, kind: BookingKind, mode: RecordingMode): boolean =>
  mode === 'always' && policy.recording[kind].consent !== 'each_customer';
