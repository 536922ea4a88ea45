import { and, desc, eq, inArray, lt } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Regarded, Standing } from '../domain/standing.ts';
import type { Reader, Writer } from './database.ts';
import type { ProfessionalKey } from './professionals.ts';

export type StandingDecision = Tables['standingDecisions']['$inferSelect'];
export type Appeal = Tables['appeals']['$inferSelect'];

export interface StandingInForce extends Regarded {
  /** What it rests on; null when nothing was decided, or when a suspension has ended. */
  readonly decision: StandingDecision | null;
}

/** As it was written last; undefined for whom nothing was ever written about. */
export async function findStanding(db: Reader, { marketplaceId, professionalId }: ProfessionalKey): Promise<StandingInForce | undefined> {
  const { professionals, standingDecisions } = db.t;
  const [row] = await db
    .select({ standing: professionals.standing, until: professionals.standingUntil, decision: standingDecisions })
    .from(professionals)
    .leftJoin(standingDecisions, eq(standingDecisions.id, professionals.decisionId))
    .where(and(eq(professionals.marketplaceId, marketplaceId), eq(professionals.professionalId, professionalId)));
  return row && { ...row, standing: row.standing as Standing };
}

/** What `findStanding` finds for the professionals of these meetings, by meeting. */
export async function findStandingsOf(db: Reader, meetingIds: readonly string[]): Promise<Map<string, StandingInForce>> {
  const { meetings, professionals, standingDecisions } = db.t;
  if (meetingIds.length === 0) return new Map();
  const rows = await db
    .select({ meetingId: meetings.id, standing: professionals.standing, until: professionals.standingUntil, decision: standingDecisions })
    .from(meetings)
    .innerJoin(
      professionals,
      and(eq(professionals.marketplaceId, meetings.marketplaceId), eq(professionals.professionalId, meetings.professionalId)),
    )
    .leftJoin(standingDecisions, eq(standingDecisions.id, professionals.decisionId))
    .where(inArray(meetings.id, [...meetingIds]));
  return new Map(rows.map(({ meetingId, ...row }) => [meetingId, { ...row, standing: row.standing as Standing }]));
}

export async function insertStandingDecision(tx: Writer, decision: StandingDecision): Promise<void> {
  await tx.insert(tx.t.standingDecisions).values(decision);
}

export async function findStandingDecision(db: Reader, id: string): Promise<StandingDecision | undefined> {
  return (await db.select().from(db.t.standingDecisions).where(eq(db.t.standingDecisions.id, id)))[0];
}

/** Newest first. */
export async function listStandingDecisions(
  db: Reader,
  { marketplaceId, professionalId }: ProfessionalKey,
  limit: number,
): Promise<StandingDecision[]> {
  const { standingDecisions } = db.t;
  return db
    .select()
    .from(standingDecisions)
    .where(and(eq(standingDecisions.marketplaceId, marketplaceId), eq(standingDecisions.professionalId, professionalId)))
    .orderBy(desc(standingDecisions.id))
    .limit(limit);
}

/** False when there is an appeal against that decision already. */
export async function insertAppeal(tx: Writer, appeal: Appeal): Promise<boolean> {
  const rows = await tx.insert(tx.t.appeals).values(appeal).onConflictDoNothing().returning({ id: tx.t.appeals.id });
  return rows.length === 1;
}

export async function findAppealAgainst(db: Reader, decisionId: string): Promise<Appeal | undefined> {
  return (await db.select().from(db.t.appeals).where(eq(db.t.appeals.decisionId, decisionId)))[0];
}

export async function findOwnAppeal(db: Reader, marketplaceId: string, id: string): Promise<Appeal | undefined> {
  const { appeals } = db.t;
  return (
    await db
      .select()
      .from(appeals)
      .where(and(eq(appeals.id, id), eq(appeals.marketplaceId, marketplaceId)))
  )[0];
}

/** Ends an open appeal; undefined when it is decided already. */
export async function decideAppeal(
  tx: Writer,
  id: string,
  decided: Pick<Appeal, 'state' | 'answer' | 'decidedAt'>,
): Promise<Appeal | undefined> {
  const { appeals } = tx.t;
  return (
    await tx
      .update(appeals)
      .set(decided)
      .where(and(eq(appeals.id, id), eq(appeals.state, 'open')))
      .returning()
  )[0];
}

/** Newest first, page by page. */
export async function listAppeals(
  db: Reader,
  { marketplaceId, professionalId, before, limit }: ProfessionalKey & { before?: string | undefined; limit: number },
): Promise<Appeal[]> {
  const { appeals } = db.t;
  return db
    .select()
    .from(appeals)
    .where(
      and(
        eq(appeals.marketplaceId, marketplaceId),
        eq(appeals.professionalId, professionalId),
        before === undefined ? undefined : lt(appeals.id, before),
      ),
    )
    .orderBy(desc(appeals.id))
    .limit(limit);
}
