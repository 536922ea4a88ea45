/** The personal links of a recording: one per recipient (G17). */
import { recordingLinkContext } from '../connections/sealed.ts';
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
  const { config, now, random, vault } = gateway;
  const known = (await listRecordingLinks(tx, [recording.id])).filter(({ kind }) => kind === 'recipient');
  const byCustomer = new Map<string, RecordingLink[]>();
  for (const link of known) byCustomer.set(link.customerId, [...(byCustomer.get(link.customerId) ?? []), link]);
  const end = lastEnd(known);
  const given: GivenLink[] = [];
  const give = (id: string, customerId: string, token: string) => given.push({ id, customerId, url: `${config.publicUrl}/r/${token}` });
  for (const customerId of customerIds) {
    const own = byCustomer.get(customerId) ?? [];
    const open = own.find(({ revokedAt }) => revokedAt === null);
    if (open !== undefined) {
      if (open.tokenSealed !== null) give(open.id, customerId, vault.open(open.tokenSealed, recordingLinkContext(open.id)));
      continue;
    }
    // The recording's own end came last: who had lost the link before that had lost it alone.
    if (own.length > 0 && !(anew && lastEnd(own) === end)) continue;
    const token = newToken(random);
    const id = newId(gateway, 'rcl');
    await insertRecordingLink(tx, {
      id,
      marketplaceId: recording.marketplaceId,
      recordingId: recording.id,
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
    });
    give(id, customerId, token);
  }
  return given;
}

const lastEnd = (links: readonly RecordingLink[]): number =>
  links.reduce((last, { revokedAt }) => Math.max(last, revokedAt?.getTime() ?? 0), 0);
