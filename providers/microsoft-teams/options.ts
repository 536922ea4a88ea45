import type { Account } from '../provider.ts';
import type { NotificationKey } from './rich.ts';

export interface MicrosoftTeamsOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** `common` (work and personal accounts), `organizations`, `consumers`, or the id of one tenant. */
  readonly tenant?: string;
  /** Origin of Entra ID; another one for national clouds and the sandbox. */
  readonly loginUrl?: string;
  /** Origin of Graph. */
  readonly graphUrl?: string;
  /** Keys of the subscriptions' client state: the first one signs, all are accepted, so that they can be rotated. */
  readonly clientStateSecrets: readonly Buffer[];
  /** For notifications with the recording inside, the newest first; without any they are basic, and the recording is asked for. */
  readonly notificationKeys?: readonly NotificationKey[];
  /** Origins from which media may be streamed, beside the documented ones. */
  readonly mediaOrigins?: readonly string[];
  /** The operator's own tenant, in which the app has application permissions. */
  readonly platform?: { readonly tenant: string } | undefined;
  readonly now: () => Date;
}

/** The tenant of all personal Microsoft accounts, in `tid`. */
export const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** What a professional with a personal account reads. */
export const PERSONAL_ACCOUNT =
  'This is a personal Microsoft account, and Microsoft lets apps make Teams meetings only for work and school accounts. ' +
  'Connect a work or school account, or paste the link of a meeting you made yourself in Teams.';

/** What of an account a call needs. Without an id while it is not known yet whose token it is. */
export type Caller = Pick<Account, 'hosting' | 'accessToken'> & Partial<Pick<Account, 'id'>>;

/** Whose calendar and meetings a call is about. */
export type Organizer = Caller & Pick<Account, 'id'>;

/**
 * The organizer in a path. An app's own token has no `/me`; then the organizer is named by object id, because Teams does not take a user
 * principal name there.
 */
export const organizerPath = ({ hosting, id }: Pick<Organizer, 'hosting' | 'id'>): string =>
  hosting === 'platform' ? `/users/${encodeURIComponent(id)}` : '/me';
