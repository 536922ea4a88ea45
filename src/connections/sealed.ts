/**
 * Everything that is sealed in the database, and what each value is bound to: the row's id and the field. Ids are unique over all
 * marketplaces (docs/decisions/0012-what-sealed-values-are-bound-to.md). A context never changes: what it sealed would not open any more.
 */
import type { SealedColumn, Tables } from '../store/sealed-values.ts';
import type { SealContext } from './vault.ts';

type Row<T extends keyof Tables> = Tables[T]['$inferSelect'];
type SealedName<T extends keyof Tables> = Extract<keyof Row<T>, `${string}Sealed`>;
/** The checks of the keys themselves are sealed by the key that they check, whichever is the newest (keyring.ts). */
type SealedTable = Exclude<{ [T in keyof Tables]: SealedName<T> extends never ? never : T }[keyof Tables], 'encryptionKeys'>;

/** A column whose name ends in `Sealed` and that is missing here does not compile. */
type Registry = {
  readonly [T in SealedTable]: {
    readonly key: readonly Extract<keyof Row<T>, string>[];
    readonly context: { readonly [C in SealedName<T>]: (key: Row<T>) => SealContext };
  };
};

export const codeVerifierContext = (stateHash: string): SealContext => ['authorization', stateHash, 'verifier'];
export const connectTokenContext = (stateHash: string): SealContext => ['authorization', stateHash, 'token'];
// The first grant of an account had the id of its connection, hence the word.
export const tokensContext = (grantId: string): SealContext => ['connection', grantId, 'tokens'];
export const joinUrlContext = (meetingId: string): SealContext => ['meeting', meetingId, 'join_url'];
export const hostTokenContext = (meetingId: string): SealContext => ['meeting', meetingId, 'host_token'];
export const staleLinkContext = (key: string): SealContext => ['stale_link', key];
export const joinTokenContext = (attendeeId: string): SealContext => ['attendee', attendeeId, 'join_token'];
export const vendorRecordingContext = (recordingId: string): SealContext => ['recording', recordingId, 'vendor_id'];
export const recordingPlaceContext = (recordingId: string): SealContext => ['recording', recordingId, 'link'];
export const signingKeyContext = (keyId: string): SealContext => ['signing_key', keyId, 'private'];
export const professionalCallContext = (callId: string): SealContext => ['call', callId, 'professional'];
export const customerCallContext = (callId: string): SealContext => ['call', callId, 'customer'];
export const guestContext = (guestId: string): SealContext => ['guest', guestId];
export const contentContext = (contentId: string): SealContext => ['content', contentId, 'link'];
export const contentLinkContext = (linkId: string): SealContext => ['content_link', linkId];
export const recordingLinkContext = (linkId: string): SealContext => ['recording_link', linkId];
// After a rotation the same bytes are the previous secret, hence one context for both columns.
export const endpointSecretContext = (endpointId: string): SealContext => ['endpoint', endpointId, 'secret'];
export const eventLinksContext = (eventId: string): SealContext => ['event', eventId, 'links'];
export const inboxContext = (key: string): SealContext => ['inbox', key, 'body'];
export const answerContext = (marketplaceId: string, key: string): SealContext => ['idempotency', marketplaceId, key];

const REGISTRY: Registry = {
  authorizations: {
    key: ['stateHash'],
    context: {
      codeVerifierSealed: ({ stateHash }) => codeVerifierContext(stateHash),
      connectTokenSealed: ({ stateHash }) => connectTokenContext(stateHash),
    },
  },
  grants: { key: ['id'], context: { tokensSealed: ({ id }) => tokensContext(id) } },
  meetings: {
    key: ['id'],
    context: { vendorJoinUrlSealed: ({ id }) => joinUrlContext(id), hostTokenSealed: ({ id }) => hostTokenContext(id) },
  },
  staleLinks: { key: ['key'], context: { joinUrlSealed: ({ key }) => staleLinkContext(key) } },
  attendees: { key: ['id'], context: { joinTokenSealed: ({ id }) => joinTokenContext(id) } },
  recordings: {
    key: ['id'],
    context: { vendorRecordingSealed: ({ id }) => vendorRecordingContext(id), linkSealed: ({ id }) => recordingPlaceContext(id) },
  },
  calls: {
    key: ['id'],
    context: {
      professionalTokenSealed: ({ id }) => professionalCallContext(id),
      customerTokenSealed: ({ id }) => customerCallContext(id),
    },
  },
  guests: { key: ['id'], context: { tokenSealed: ({ id }) => guestContext(id) } },
  contents: { key: ['id'], context: { linkSealed: ({ id }) => contentContext(id) } },
  contentLinks: { key: ['id'], context: { tokenSealed: ({ id }) => contentLinkContext(id) } },
  signingKeys: { key: ['id'], context: { privateSealed: ({ id }) => signingKeyContext(id) } },
  recordingLinks: { key: ['id'], context: { tokenSealed: ({ id }) => recordingLinkContext(id) } },
  webhookEndpoints: {
    key: ['id'],
    context: { secretSealed: ({ id }) => endpointSecretContext(id), previousSecretSealed: ({ id }) => endpointSecretContext(id) },
  },
  events: { key: ['id'], context: { linksSealed: ({ id }) => eventLinksContext(id) } },
  inbox: { key: ['key'], context: { bodySealed: ({ key }) => inboxContext(key) } },
  idempotencyKeys: {
    key: ['marketplaceId', 'key'],
    context: { bodySealed: ({ marketplaceId, key }) => answerContext(marketplaceId, key) },
  },
};

export interface BoundColumn extends SealedColumn {
  readonly context: (key: Readonly<Record<string, string>>) => SealContext;
}

export const SEALED_COLUMNS: readonly BoundColumn[] = Object.entries(REGISTRY).flatMap(([table, { key, context }]) =>
  Object.entries(context).map(([column, contextOf]) => ({
    table: table as keyof Tables,
    column,
    key,
    context: contextOf as BoundColumn['context'],
  })),
);
