/** The personal links of a recording: one per recipient (G17). */
import { recordingLinkContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { insertRecordingLink, listRecordingLinks, type Recording, type RecordingLink } from '../store/recordings.ts';

export interface GivenLink {
  readonly id: string;
  readonly customerId: string;
  readonly url: string;
}

/**
 * The links that these recipients have from now on; a recipient without one gets one. A link that was taken back from a single recipient
 * stays taken back. `anew`: all of them were taken back with the recording itself.
 */
export async function giveLinks(
  tx: Writer,
  gateway: Gateway,
  recording: Recording,
  customerIds: readonly string[],
  { anew }: { anew: boolean },
): Promise<GivenLink[]> {
  const { config, vault } = gateway;
  const known = (await listRecordingLinks(tx, [recording.id])).filter(({ kind }) => kind === 'recipient');
  const given: GivenLink[] = [];
  const give = (id: string, customerId: string, token: string) => given.push({ id, customerId, url: `${config.publicUrl}/r/${token}` });
  for (const customerId of new Set(customerIds)) {
    const own = known.filter((link) => link.customerId === customerId);
    const open = own.find(({ revokedAt }) => revokedAt === null);
    if (open !== undefined) {
      if (open.tokenSealed !== null) give(open.id, customerId, vault.open(open.tokenSealed, recordingLinkContext(open.id)));
      continue;
    }
    if (own.some(isTakenBackAlone) || (own.length > 0 && !anew)) continue;
    const { token, ...link } = newLink(gateway, recording, customerId);
    // What is told has to open: a link that somebody else gave at this moment would be another one.
    if (!(await insertRecordingLink(tx, link))) throw new Failure('conflict', 'The links have just been given. Try again.');
    give(link.id, customerId, token);
  }
  return given;
}

/** Not stored yet. `token`: what the recipient gets, and nobody can read from the row. */
export function newLink(
  { now, random, vault }: Pick<Gateway, 'now' | 'random' | 'vault'>,
  { id: recordingId, marketplaceId }: Recording,
  customerId: string,
): RecordingLink & { token: string } {
  const token = newToken(random);
  const id = newId({ now, random }, 'rcl');
  return {
    id,
    marketplaceId,
    recordingId,
    kind: 'recipient',
    customerId,
    incidentId: null,
    tokenHash: hashToken(token),
    tokenSealed: vault.seal(token, recordingLinkContext(id)),
    views: 0,
    firstViewedAt: null,
    expiresAt: null,
    revokedAt: null,
    createdAt: now(),
    token,
  };
}

/** A recipient's link that has an end of its own was taken back by itself, and not with all others. */
export const isTakenBackAlone = ({ kind, expiresAt }: RecordingLink): boolean => kind === 'recipient' && expiresAt !== null;
