/** Who has bought gets one personal link to all contents of the booking, for a time (T13). */
import { openerOfLists, type Opener } from '../connections/opener.ts';
import { contentLinkContext } from '../connections/sealed.ts';
import { Failure, found, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { DAY, plus } from '../domain/time.ts';
import { hashToken, newToken } from '../domain/token.ts';
import { emitAll, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { insertAuditEntry } from '../store/audit.ts';
import {
  findBuyersLink,
  insertContentLink,
  revokeContentLink,
  type BookingKey,
  type Content,
  type ContentLink,
} from '../store/contents.ts';
import type { Writer } from '../store/database.ts';
import { eraseEventLinks } from '../store/events.ts';
import { scheduleJob } from '../store/jobs.ts';
import { forSale, lockContents } from './booking.ts';

export interface Access {
  readonly link: ContentLink;
  /** What it opens, in the order of publication. */
  readonly contents: readonly Content[];
  readonly isNew: boolean;
}

/**
 * The customer has bought. What a suspended professional has for sale can still be paid for: the money was taken before. The same report once more gives the link that there is, with the time that it has left.
 * @throws Failure `not_found` (the booking sells nothing), `gone` (it was taken back, or its time is over)
 */
export async function giveAccess(
  gateway: Gateway,
  { marketplaceId, bookingId, customerId }: BookingKey & { customerId: string },
): Promise<Access> {
  const { db, now, random, vault, wake } = gateway;
  const booking = { marketplaceId, bookingId };
  const access = await db.write(async (tx): Promise<Access> => {
    const all = await lockContents(tx, booking);
    const contents = forSale(all);
    if (all.length === 0) throw notFound();
    if (contents.length === 0) throw new Failure('gone', 'Nothing of this booking is for sale any more.');
    const at = now();
    const known = await findBuyersLink(tx, booking, customerId);
    if (known !== undefined) {
      if (known.revokedAt !== null) throw new Failure('gone', "This customer's access was taken back.");
      if (known.expiresAt <= at) throw new Failure('gone', "The time of this customer's access is over.");
      return { link: known, contents, isNew: false };
    }
    const { contents: rules } = await policyFor(tx, booking);
    const token = newToken(random);
    const id = newId(gateway, 'cnl');
    const link: ContentLink = {
      id,
      marketplaceId,
      bookingId,
      customerId,
      tokenHash: hashToken(token),
      tokenSealed: vault.seal(token, contentLinkContext(id)),
      views: 0,
      firstViewedAt: null,
      expiresAt: plus(at, rules.access_days * DAY),
      revokedAt: null,
      createdAt: at,
    };
    await insertContentLink(tx, link);
    await scheduleJob(tx, { kind: 'content.expire', subjectId: id, dueAt: link.expiresAt });
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at,
      action: 'content.access_given',
      subjectId: id,
      details: { booking_id: bookingId, customer_id: customerId, expires_at: link.expiresAt.toISOString() },
    });
    await tellPublished(tx, gateway, [link], contents, 'bought');
    return { link, contents, isNew: true };
  });
  wake();
  return access;
}

/**
 * One buyer cannot open anything of the booking from now on, as after a refund; the others can. Taken back once more it stays as it is. `by`:
 * the id of an API key.
 * @throws Failure `not_found`
 */
export async function revokeAccess(
  { db, now, random }: Gateway,
  { marketplaceId, bookingId, customerId, by }: BookingKey & { customerId: string; by: string },
): Promise<void> {
  const booking = { marketplaceId, bookingId };
  await db.write(async (tx) => {
    await lockContents(tx, booking);
    const { id } = found(await findBuyersLink(tx, booking, customerId));
    const at = now();
    if (!(await revokeContentLink(tx, id, at))) return;
    await eraseEventLinks(tx, [id]);
    await insertAuditEntry(tx, {
      id: newId({ now, random }, 'aud'),
      marketplaceId,
      at,
      action: 'content.access_revoked',
      subjectId: id,
      details: { booking_id: bookingId, customer_id: customerId, by },
    });
  });
}

/** What these buyers can open now, each told alone: the link of one ends without those of the others. `key`: what made it so. */
export async function tellPublished(
  tx: Writer,
  gateway: Gateway,
  links: readonly ContentLink[],
  contents: readonly Content[],
  key: string,
): Promise<void> {
  const opener = openerOfLists(gateway);
  const events = links.flatMap((link): NewEvent<'content.published'>[] => {
    const url = urlOf(gateway, link, opener);
    if (url === null) return [];
    return [
      {
        marketplaceId: link.marketplaceId,
        type: 'content.published',
        subjectId: link.id,
        key,
        data: {
          ...saleOf(contents[0]!),
          content_ids: contents.map(({ id }) => id),
          expires_at: link.expiresAt.toISOString(),
        },
        links: { links: [{ customer_id: link.customerId, url }] },
      },
    ];
  });
  await emitAll(tx, gateway, events);
}

/** What every event about contents says. */
export const saleOf = ({ bookingId, professionalId }: Content) => ({ booking_id: bookingId, professional_id: professionalId });

/** The buyer's page; null once the link is over. */
export function urlOf({ config, vault }: Pick<Gateway, 'config' | 'vault'>, link: ContentLink, opener: Opener = vault): string | null {
  const token = link.tokenSealed === null ? null : opener.open(link.tokenSealed, contentLinkContext(link.id));
  return token === null ? null : `${config.publicUrl}/s/${token}`;
}
