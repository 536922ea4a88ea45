/** The end of a content: nobody can open it any more, and where it lies is erased. A tombstone stays (G15, T13). */
import { found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { emit } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuditEntry } from '../store/audit.ts';
import {
  countOpenContentLinks,
  eraseContentLinkToken,
  eraseContents,
  findContentLink,
  findOwnContent,
  type Content,
} from '../store/contents.ts';
import type { Writer } from '../store/database.ts';
import { eraseEventLinks } from '../store/events.ts';
import { scheduleJob } from '../store/jobs.ts';
import { saleOf } from './access.ts';
import { forSale, lockContents } from './booking.ts';

/**
 * Takes a content back: whoever bought cannot open it from now on. The links of the buyers stay for what else the booking sells, and for what
 * comes in its place. `by`: the id of an API key.
 * @throws Failure `not_found`
 */
export async function takeContentBack(
  gateway: Gateway,
  { marketplaceId, id, by }: { marketplaceId: string; id: string; by: string },
): Promise<void> {
  await gateway.db.write(async (tx) => {
    const content = found(await findOwnContent(tx, marketplaceId, id));
    await lockContents(tx, content);
    await erase(tx, gateway, [content], { action: 'content.taken_back', by });
  });
}

/** Job `content.expire`: the time of one buyer is over. With that of the last one everything that the booking sold is erased. */
export async function expireContentLink(gateway: Gateway, linkId: string): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    const link = await findContentLink(tx, linkId);
    if (link === undefined) return;
    const at = now();
    if (link.expiresAt > at) {
      await scheduleJob(tx, { kind: 'content.expire', subjectId: linkId, dueAt: link.expiresAt });
      return;
    }
    const all = await lockContents(tx, link);
    await eraseContentLinkToken(tx, linkId);
    await eraseEventLinks(tx, [linkId]);
    const isLast = (await countOpenContentLinks(tx, link, at)) === 0;
    if (isLast) await erase(tx, gateway, forSale(all), { action: 'content.erased', by: 'expiry' });
    const erasedAt = isLast ? at.toISOString() : null;
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId: link.marketplaceId,
      at,
      action: 'content.expired',
      subjectId: linkId,
      details: { booking_id: link.bookingId, customer_id: link.customerId, views: link.views, erased_at: erasedAt },
    });
    await emit(tx, gateway, {
      marketplaceId: link.marketplaceId,
      type: 'content.expired',
      subjectId: linkId,
      key: 'once',
      data: { ...saleOf(all[0]!), customer_id: link.customerId, erased_at: erasedAt },
    });
  });
  wake();
}

async function erase(
  tx: Writer,
  gateway: Gateway,
  contents: readonly Content[],
  { action, by }: { action: 'content.taken_back' | 'content.erased'; by: string },
): Promise<void> {
  const at = gateway.now();
  const ids = contents.map(({ id }) => id);
  for (const { id, marketplaceId, bookingId } of await eraseContents(tx, ids, at)) {
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at,
      action,
      subjectId: id,
      details: { booking_id: bookingId, by, erased_at: at.toISOString() },
    });
  }
}
