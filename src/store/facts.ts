import { eq } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Fact } from '../domain/session.ts';
import type { Reader } from './database.ts';

type StoredFact = Tables['meetingFacts']['$inferSelect'];

/** In no order: a set of facts has none. */
export async function listFacts(db: Reader, meetingId: string): Promise<Fact[]> {
  const { meetingFacts } = db.t;
  return (await db.select().from(meetingFacts).where(eq(meetingFacts.meetingId, meetingId))).map(factOf);
}

/** The columns hold what was written as a fact, so the words in them are the domain's. */
const factOf = ({ meetingId: _meetingId, key: _key, marketplaceId: _marketplaceId, ...fact }: StoredFact): Fact => fact as Fact;
