import { and, asc, eq, isNotNull, isNull } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';
import type { Meeting } from './meetings.ts';

export type Package = Tables['packages']['$inferSelect'];

export async function insertPackage(tx: Writer, row: Package): Promise<void> {
  await tx.insert(tx.t.packages).values(row);
}

/** The package of the marketplace once every link is there. */
export async function findOwnPackage(db: Reader, marketplaceId: string, id: string): Promise<Package | undefined> {
  const { packages } = db.t;
  return (
    await db
      .select()
      .from(packages)
      .where(and(eq(packages.id, id), eq(packages.marketplaceId, marketplaceId), isNotNull(packages.settledAt)))
  )[0];
}

/** In the order in which they were given. */
export async function listPackageMeetings(db: Reader, marketplaceId: string, packageId: string): Promise<Meeting[]> {
  const { meetings } = db.t;
  return db
    .select()
    .from(meetings)
    .where(and(eq(meetings.packageId, packageId), eq(meetings.marketplaceId, marketplaceId)))
    .orderBy(asc(meetings.id));
}

/** False when it was undone by somebody else. */
export async function settlePackage(tx: Writer, id: string, at: Date): Promise<boolean> {
  const { packages } = tx.t;
  const rows = await tx
    .update(packages)
    .set({ settledAt: at })
    .where(and(eq(packages.id, id), isNull(packages.settledAt)))
    .returning({ id: packages.id });
  return rows.length === 1;
}

/** Takes the package's row away; undefined when it was settled, or is gone already. */
export async function dropUnsettledPackage(tx: Writer, id: string): Promise<Package | undefined> {
  const { packages } = tx.t;
  return (
    await tx
      .delete(packages)
      .where(and(eq(packages.id, id), isNull(packages.settledAt)))
      .returning()
  )[0];
}
