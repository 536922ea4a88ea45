import { and, asc, desc, eq, inArray, lt, notInArray, or } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { idBefore } from '../domain/id.ts';
import { among, prepared, slot, type Reader, type Writer } from './database.ts';

export type Call = Tables['calls']['$inferSelect'];

/** False when a call between the two rings already. */
export async function insertCall(tx: Writer, call: Call): Promise<boolean> {
  const rows = await tx.insert(tx.t.calls).values(call).onConflictDoNothing().returning({ id: tx.t.calls.id });
  return rows.length === 1;
}

export async function findOwnCall(db: Reader, marketplaceId: string, id: string): Promise<Call | undefined> {
  const { calls } = db.t;
  return (
    await db
      .select()
      .from(calls)
      .where(and(eq(calls.id, id), eq(calls.marketplaceId, marketplaceId)))
  )[0];
}

export async function findCalls(db: Reader, ids: readonly string[]): Promise<Call[]> {
  if (ids.length === 0) return [];
  return db
    .select()
    .from(db.t.calls)
    .where(inArray(db.t.calls.id, [...ids]));
}

/** By the link of either side. */
export async function findCallByToken(db: Reader, tokenHash: string): Promise<Call | undefined> {
  const { calls } = db.t;
  return (
    await db
      .select()
      .from(calls)
      .where(or(eq(calls.professionalTokenHash, tokenHash), eq(calls.customerTokenHash, tokenHash)))
  )[0];
}

/** The call that rings between the two; whoever else wants to change it waits. */
export async function lockRingingCall(
  tx: Writer,
  { marketplaceId, professionalId, customerId }: Pick<Call, 'marketplaceId' | 'professionalId' | 'customerId'>,
): Promise<Call | undefined> {
  const { calls } = tx.t;
  const ringing = and(
    eq(calls.marketplaceId, marketplaceId),
    eq(calls.professionalId, professionalId),
    eq(calls.customerId, customerId),
    eq(calls.state, 'ringing'),
  );
  // A write that changes nothing takes the row's lock and reads it anew, on both engines.
  return (await tx.update(calls).set({ customerId }).where(ringing).returning())[0];
}

/** Of the professional, whoever calls. */
export async function listRingingCalls(
  db: Reader,
  { marketplaceId, professionalId }: Pick<Call, 'marketplaceId' | 'professionalId'>,
): Promise<string[]> {
  const { calls } = db.t;
  const rows = await db
    .select({ id: calls.id })
    .from(calls)
    .where(and(eq(calls.marketplaceId, marketplaceId), eq(calls.professionalId, professionalId), eq(calls.state, 'ringing')));
  return rows.map(({ id }) => id);
}

/** The same by its id, in any state. */
export async function lockCall(tx: Writer, id: string): Promise<Call | undefined> {
  return (await tx.update(tx.t.calls).set({ id }).where(eq(tx.t.calls.id, id)).returning())[0];
}

const freeCalls = prepared('calls_free', (tx: Writer) =>
  tx.skipLocked(tx.select().from(tx.t.calls).where(among(tx.t.calls.id, 'ids')).$dynamic()),
);

/** Those of them that nobody else is changing; until the end of the transaction nobody else will. */
export const lockFreeCalls = async (tx: Writer, ids: readonly string[]): Promise<Call[]> =>
  ids.length === 0 ? [] : freeCalls(tx, { ids });

/** Lock it before. */
export async function setCall(tx: Writer, id: string, changes: Partial<Call>): Promise<Call> {
  return (await tx.update(tx.t.calls).set(changes).where(eq(tx.t.calls.id, id)).returning())[0]!;
}

const expired = prepared('calls_expire', (tx: Writer) => {
  const { calls } = tx.t;
  return tx
    .update(calls)
    .set({ state: 'expired', answeredAt: slot('at', calls.answeredAt) })
    .where(among(calls.id, 'ids'));
});

/** Lock them before. */
export async function setCallsExpired(tx: Writer, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length > 0) await expired(tx, { ids, at });
}

/** The answer under way has come to nothing, unless another one is under way by now. */
export async function stopAnswering(tx: Writer, { id, answeredAt }: Pick<Call, 'id'> & { answeredAt: Date }): Promise<void> {
  const { calls } = tx.t;
  await tx
    .update(calls)
    .set({ answeredAt: null })
    .where(and(eq(calls.id, id), eq(calls.state, 'ringing'), eq(calls.answeredAt, answeredAt)));
}

/** The marketplace's, newest first, page by page. */
export async function listCalls(
  db: Reader,
  filter: {
    marketplaceId: string;
    professionalId?: string | undefined;
    customerId?: string | undefined;
    state?: string | undefined;
    before?: string | undefined;
    limit: number;
  },
): Promise<Call[]> {
  const { calls } = db.t;
  return db
    .select()
    .from(calls)
    .where(
      and(
        eq(calls.marketplaceId, filter.marketplaceId),
        filter.professionalId === undefined ? undefined : eq(calls.professionalId, filter.professionalId),
        filter.customerId === undefined ? undefined : eq(calls.customerId, filter.customerId),
        filter.state === undefined ? undefined : eq(calls.state, filter.state),
        filter.before === undefined ? undefined : lt(calls.id, filter.before),
      ),
    )
    .orderBy(desc(calls.id))
    .limit(filter.limit);
}

/** Of those that came to nothing, `limit` of the oldest that began before then. How many there were. */
export async function deleteUnansweredCalls(tx: Writer, before: Date, limit: number): Promise<number> {
  const { calls } = tx.t;
  const old = tx
    .select({ id: calls.id })
    .from(calls)
    .where(and(lt(calls.id, idBefore('cal', before)), notInArray(calls.state, ['ringing', 'accepted'])))
    .orderBy(asc(calls.id))
    .limit(limit);
  return (await tx.delete(calls).where(inArray(calls.id, old)).returning({ id: calls.id })).length;
}

/** What open pages of calls depend on: the state alone. */
export async function readCallStates(db: Reader, ids: readonly string[]): Promise<Map<string, string>> {
  const { calls } = db.t;
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: calls.id, state: calls.state })
    .from(calls)
    .where(inArray(calls.id, [...ids]));
  return new Map(rows.map(({ id, state }) => [id, state]));
}
