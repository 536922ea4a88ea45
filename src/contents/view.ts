/** A buyer's link is opened: checked, counted, followed. */
import { followedAddress } from '../domain/approved-storage.ts';
import { Failure } from '../domain/failure.ts';
import { policyOf } from '../domain/presets/index.ts';
import { hashToken } from '../domain/token.ts';
import { emit } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { viewEntryId } from '../recordings/view.ts';
import { hasAuditEntry, insertAuditEntry } from '../store/audit.ts';
import { countContentView, findContentLinkByToken, listContents, type Content, type OpenedContentLink } from '../store/contents.ts';
import { saleOf } from './access.ts';
import { forSale, isOpenFor } from './booking.ts';
import { storedContent } from './stored-link.ts';

export interface OpenedAccess extends OpenedContentLink {
  /** What can be opened now; empty when the time is over, or everything was taken back. */
  readonly contents: readonly Content[];
}

/** @throws Failure `not_found` */
export async function openContentLink({ db, now }: Gateway, token: string): Promise<OpenedAccess> {
  const opened = await findContentLinkByToken(db.read, hashToken(token));
  if (opened === undefined) throw new Failure('not_found', 'There is no such link.');
  // The day of expiry counts from its moment, not from when the job gets to it.
  const contents = isOpenFor(opened.link, now()) ? forSale(await listContents(db.read, opened.link)) : [];
  return { ...opened, contents };
}

/** Where one of the contents lies; written down as a view. @throws Failure `gone` */
export async function followContent(gateway: Gateway, { link, marketplace, contents }: OpenedAccess, contentId: string): Promise<string> {
  const content = contents.find(({ id }) => id === contentId);
  if (content === undefined) throw new Failure('gone', 'This content is no longer available.');
  const url = followedAddress(storedContent(gateway, content).url, policyOf(marketplace));
  await noteView(gateway, link, content);
  return url;
}

/** The first view of each content by each buyer is told to the marketplace. */
async function noteView(gateway: Gateway, { id: linkId, customerId }: OpenedAccess['link'], content: Content): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    const at = now();
    // Holds the link's row: two views of one moment come one after the other.
    const views = await countContentView(tx, linkId, at);
    const id = viewEntryId(at, linkId, content.id);
    if (await hasAuditEntry(tx, id)) return;
    await insertAuditEntry(tx, {
      id,
      marketplaceId: content.marketplaceId,
      at,
      action: 'content.viewed',
      subjectId: content.id,
      details: { customer_id: customerId, link_id: linkId, views },
    });
    await emit(tx, gateway, {
      marketplaceId: content.marketplaceId,
      type: 'content.viewed',
      subjectId: linkId,
      key: content.id,
      data: { ...saleOf(content), content_id: content.id, customer_id: customerId },
    });
  });
  wake();
}
