/** The health of a connection, by names that the API, the events and the pages share. */

export const CONNECTION_STATES = ['active', 'reconnect_required', 'revoked'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/**
 * Why a connection is not active. The pages say each in the professional's language (`connectReason` of the texts), the API in English.
 *
 * - `expired`: the vendor ended the permission by age or disuse, or it was used up by a refresh whose answer got lost.
 * - `withdrawn`: the professional took the permission back at the vendor, or changed the password where that ends it.
 * - `replaced`: a newer permission of the same account for this gateway ended it.
 * - `admin_blocked`: an administrator of the organisation has to allow the app, or has blocked it.
 * - `permission_missing`: a permission without which nothing works was not given.
 * - `account_gone`: the vendor does not know the account any more.
 * - `unreachable`: the vendor could not renew the permission for days.
 * - `no_refresh`: the vendor never gave the means to renew it.
 * - `app_removed`: the app was removed from the account at the vendor.
 * - `disconnected`: by the marketplace or the professional, here.
 * - `unknown`: the vendor gave no reason.
 */
export const CONNECTION_REASONS = [
  'expired',
  'withdrawn',
  'replaced',
  'admin_blocked',
  'permission_missing',
  'account_gone',
  'unreachable',
  'no_refresh',
  'app_removed',
  'disconnected',
  'unknown',
] as const;
export type ConnectionReason = (typeof CONNECTION_REASONS)[number];

/** Why a grant ended by itself: what an adapter can say about a refresh that the vendor refused for good. */
export type GrantEnd = Extract<
  ConnectionReason,
  'expired' | 'withdrawn' | 'replaced' | 'admin_blocked' | 'permission_missing' | 'account_gone' | 'unknown'
>;

export const isConnectionReason = (value: unknown): value is ConnectionReason => CONNECTION_REASONS.some((reason) => reason === value);

/** As it was stored. A name that is not one of ours any more says as much as none. */
export const readReason = (stored: string | null): ConnectionReason | null =>
  stored === null || isConnectionReason(stored) ? stored : 'unknown';
