/** The personal links of a recording: one per recipient (G17). */
import { recordingLinkContext } from '../connections/sealed.ts';
import { newId } from '../domain/id.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { insertRecordingLink, listRecordingLinks, type Recording } from '../store/recordings.ts';

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
  const end = Math.max(...known.map(({ revokedAt }) => revokedAt?.getTime() ?? 0));
  const given: GivenLink[] = [];
  const give = (id: string, customerId: string, token: string) => given.push({ id, customerId, url: `${config.publicUrl}/r/${token}` });
  for (const customerId of customerIds) {
    const last = known.findLast((link) => link.customerId === customerId);
    if (last !== undefined && last.revokedAt === null) {
      if (last.tokenSealed !== null) give(last.id, customerId, vault.open(last.tokenSealed, recordingLinkContext(last.id)));
      continue;
    }
    // The recording's own end came last: who had lost the link before that had lost it alone.
    if (last?.revokedAt && !(anew && last.revokedAt.getTime() === end)) continue;
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
