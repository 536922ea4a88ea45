import { and, desc, eq, gt, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Content = Tables['contents']['$inferSelect'];
export type ContentLink = Tables['contentLinks']['$inferSelect'];

/** A booking of a marketplace. */
export type BookingKey = Pick<Content, 'marketplaceId' | 'bookingId'>;

export async function insertContent(tx: Writer, content: Content): Promise<void> {
  await tx.insert(tx.t.contents).values(content);
}

export async function findOwnContent(db: Reader, marketplaceId: string, id: string): Promise<Content | undefined> {
  const { contents } = db.t;
  return (
    await db
      .select()
      .from(contents)
      .where(and(eq(contents.id, id), eq(contents.marketplaceId, marketplaceId)))
  )[0];
}

/** All that the booking ever sold, erased or not, in the order in which it was published. */
export async function listContents(db: Reader, { marketplaceId, bookingId }: BookingKey): Promise<Content[]> {
  const { contents } = db.t;
  return db
    .select()
    .from(contents)
    .where(and(eq(contents.marketplaceId, marketplaceId), eq(contents.bookingId, bookingId)))
    .orderBy(contents.id);
}

/** The marketplace's, newest first, page by page. */
export async function listOwnContents(
  db: Reader,
  {
    marketplaceId,
    bookingId,
    before,
    limit,
  }: { marketplaceId: string; bookingId?: string | undefined; before?: string | undefined; limit: number },
): Promise<Content[]> {
  const { contents } = db.t;
  return db
    .select()
    .from(contents)
    .where(
      and(
        eq(contents.marketplaceId, marketplaceId),
        bookingId === undefined ? undefined : eq(contents.bookingId, bookingId),
        before === undefined ? undefined : lt(contents.id, before),
      ),
    )
    .orderBy(desc(contents.id))
    .limit(limit);
}

/** Where they lie and what they are called goes; that they were there stays. Those that were erased now. */
export async function eraseContents(tx: Writer, ids: readonly string[], at: Date): Promise<Content[]> {
  const { contents } = tx.t;
  return tx
    .update(contents)
    .set({ linkSealed: null, title: '', erasedAt: at })
    .where(and(inArray(contents.id, [...ids]), isNull(contents.erasedAt)))
    .returning();
}

export async function insertContentLink(tx: Writer, link: ContentLink): Promise<void> {
  await tx.insert(tx.t.contentLinks).values(link);
}

export async function findContentLink(db: Reader, id: string): Promise<ContentLink | undefined> {
  return (await db.select().from(db.t.contentLinks).where(eq(db.t.contentLinks.id, id)))[0];
}

export async function findBuyersLink(db: Reader, { marketplaceId, bookingId }: BookingKey, customerId: string) {
  const { contentLinks } = db.t;
  return (
    await db
      .select()
      .from(contentLinks)
      .where(
        and(eq(contentLinks.marketplaceId, marketplaceId), eq(contentLinks.bookingId, bookingId), eq(contentLinks.customerId, customerId)),
      )
  )[0];
}

/** Of all buyers of these bookings, in the order in which they bought. */
export async function listContentLinks(db: Reader, marketplaceId: string, bookingIds: readonly string[]): Promise<ContentLink[]> {
  const { contentLinks } = db.t;
  if (bookingIds.length === 0) return [];
  return db
    .select()
    .from(contentLinks)
    .where(and(eq(contentLinks.marketplaceId, marketplaceId), inArray(contentLinks.bookingId, [...new Set(bookingIds)])))
    .orderBy(contentLinks.id);
}

/** How many buyers can still open what the booking sells. */
export async function countOpenContentLinks(db: Reader, { marketplaceId, bookingId }: BookingKey, at: Date): Promise<number> {
  const { contentLinks } = db.t;
  return db.$count(
    contentLinks,
    and(
      eq(contentLinks.marketplaceId, marketplaceId),
      eq(contentLinks.bookingId, bookingId),
      gt(contentLinks.expiresAt, at),
      isNull(contentLinks.revokedAt),
    ),
  );
}

/** A link, and whatever else its page takes. */
export interface OpenedContentLink {
  readonly link: ContentLink;
  readonly marketplace: Pick<Tables['marketplaces']['$inferSelect'], 'name' | 'preset' | 'policyPatch'>;
  /** As the newest meeting of the booking has them; null where the booking has none, or none of the buyer's. */
  readonly timeZone: string | null;
  readonly locale: string | null;
}

export async function findContentLinkByToken(db: Reader, tokenHash: string): Promise<OpenedContentLink | undefined> {
  const { attendees, contentLinks, marketplaces, meetings } = db.t;
  return (
    await db
      .select({
        link: contentLinks,
        marketplace: { name: marketplaces.name, preset: marketplaces.preset, policyPatch: marketplaces.policyPatch },
        timeZone: sql<string | null>`${meetings.timeZone}`,
        locale: sql<string | null>`${attendees.locale}`,
      })
      .from(contentLinks)
      .innerJoin(marketplaces, eq(marketplaces.id, contentLinks.marketplaceId))
      .leftJoin(meetings, and(eq(meetings.marketplaceId, contentLinks.marketplaceId), eq(meetings.bookingId, contentLinks.bookingId)))
      .leftJoin(attendees, and(eq(attendees.meetingId, meetings.id), eq(attendees.customerId, contentLinks.customerId)))
      .where(eq(contentLinks.tokenHash, tokenHash))
      .orderBy(desc(meetings.id))
      .limit(1)
  )[0];
}

/** Counts a view; how many there are now. */
export async function countContentView(tx: Writer, linkId: string, at: Date): Promise<number> {
  const { contentLinks } = tx.t;
  const [link] = await tx
    .update(contentLinks)
    .set({
      views: sql`${contentLinks.views} + 1`,
      firstViewedAt: sql`coalesce(${contentLinks.firstViewedAt}, ${sql.param(at, contentLinks.firstViewedAt)})`,
    })
    .where(eq(contentLinks.id, linkId))
    .returning({ views: contentLinks.views });
  return link?.views ?? 0;
}

/** Takes the readable form of the link away; the hash stays, so that an old link is answered with 410 and not with 404. */
export async function eraseContentLinkToken(tx: Writer, id: string): Promise<void> {
  const { contentLinks } = tx.t;
  await tx
    .update(contentLinks)
    .set({ tokenSealed: null })
    .where(and(eq(contentLinks.id, id), isNotNull(contentLinks.tokenSealed)));
}

/** The link opens nothing any more, and its readable form goes. False when it was revoked before. */
export async function revokeContentLink(tx: Writer, id: string, at: Date): Promise<boolean> {
  const { contentLinks } = tx.t;
  const rows = await tx
    .update(contentLinks)
    .set({ revokedAt: at, tokenSealed: null })
    .where(and(eq(contentLinks.id, id), isNull(contentLinks.revokedAt)))
    .returning({ id: contentLinks.id });
  return rows.length === 1;
}
