/** Files and links that a booking sells; they lie elsewhere (T13). */
import { approvedAddress } from '../domain/approved-storage.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Policy } from '../domain/policy.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { holdStanding } from '../professionals/standing.ts';
import type { Upload } from '../recordings/upload.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { insertContent, listContentLinks, listContents, type BookingKey, type Content } from '../store/contents.ts';
import { tellPublished } from './access.ts';
import { forSale, isOpenFor } from './booking.ts';
import { sealContent, storedContent } from './stored-link.ts';

interface NewContent extends BookingKey {
  readonly professionalId: string;
  readonly upload: Upload;
  /** The id of an API key. */
  readonly by: string;
}

/**
 * Puts a link up for sale, and gives it to those who bought before. The same link once more gives the content that is there.
 * @throws Failure `upload_not_approved` (with `approved_hosts`), `too_many_uploads`, `conflict`, `professional_suspended`
 */
export async function publishContent(gateway: Gateway, wanted: NewContent): Promise<{ content: Content; isNew: boolean }> {
  const { db, now, wake } = gateway;
  const { marketplaceId, bookingId, professionalId, upload, by } = wanted;
  const published = await db.write(async (tx) => {
    // Two publications at the same moment count one after the other: the first one of a booking has no row yet that says whose it is.
    await tx.hold(`contents ${marketplaceId} ${bookingId}`);
    await holdStanding(tx, { marketplaceId, professionalId, now: now() });
    const policy = await policyFor(tx, wanted);
    const url = approvedAddress(upload.url, policy);
    const all = await listContents(tx, wanted);
    if (all.some((content) => content.professionalId !== professionalId))
      throw new Failure('conflict', 'The contents of this booking are sold by another professional.');
    const { known, mark } = markOf(wanted, url, all);
    if (known !== undefined) {
      if (known.title === upload.title && storedContent(gateway, known).passcode === upload.passcode)
        return { content: known, isNew: false };
      throw new Failure('conflict', 'This link is for sale already, with another title or passcode. Take it back first.');
    }
    const buyers = await listContentLinks(tx, marketplaceId, [bookingId]);
    const at = now();
    const open = buyers.filter((link) => isOpenFor(link, at));
    if (buyers.length > 0 && buyers.every(({ expiresAt }) => expiresAt <= at))
      throw new Failure('conflict', 'The time of what this booking sold is over.');
    checkRoom(policy, forSale(all));

    const id = newId(gateway, 'cnt');
    const content: Content = {
      id,
      marketplaceId,
      bookingId,
      professionalId,
      title: upload.title,
      linkSealed: sealContent(gateway, id, { url, passcode: upload.passcode }),
      fingerprint: mark,
      erasedAt: null,
      createdAt: at,
    };
    await insertContent(tx, content);
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at,
      action: 'content.published',
      subjectId: id,
      details: { booking_id: bookingId, professional_id: professionalId, by },
    });
    await tellPublished(tx, gateway, open, [...forSale(all), content], id);
    return { content, isNew: true };
  });
  wake();
  return published;
}

function checkRoom({ contents }: Policy, live: readonly Content[]): void {
  const { max_links: most } = contents;
  if (live.length >= most) throw new Failure('too_many_uploads', `A booking may sell ${most} links.`, { extra: { max_links: most } });
}

/** By what the link is recognized in this booking, and the content that has it now. One that was taken back may come again. */
function markOf(
  { marketplaceId, bookingId }: BookingKey,
  url: string,
  all: readonly Content[],
): { known: Content | undefined; mark: string } {
  for (let round = 0; ; round += 1) {
    const mark = fingerprint('content', marketplaceId, bookingId, url, String(round));
    const known = all.find((content) => content.fingerprint === mark);
    if (known === undefined || known.erasedAt === null) return { known, mark };
  }
}
