/** What a booking sells, while nobody else changes it. */
import type { Writer } from '../store/database.ts';
import { listContents, type BookingKey, type Content, type ContentLink } from '../store/contents.ts';
import { professionalRow } from '../store/professionals.ts';

/** All contents that the booking ever had; empty when it had none. Held by the row of the professional, who never changes. */
export async function lockContents(tx: Writer, booking: BookingKey): Promise<Content[]> {
  const [first] = await listContents(tx, booking);
  if (first === undefined) return [];
  await professionalRow(tx, booking.marketplaceId, first.professionalId);
  return listContents(tx, booking);
}

/** Those that a buyer can open. */
export const forSale = (contents: readonly Content[]): Content[] => contents.filter(({ erasedAt }) => erasedAt === null);

/** Whether its buyer can open anything at that moment. */
export const isOpenFor = ({ expiresAt, revokedAt }: ContentLink, at: Date): boolean => revokedAt === null && expiresAt > at;
