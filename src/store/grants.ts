import { and, eq, isNotNull, isNull, lt, lte, or, sql, type SQL } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { fingerprint } from '../domain/token.ts';
import type { Reader, Writer } from './database.ts';

export type Grant = Tables['grants']['$inferSelect'];
/** One whose refresh its holder may do; the end of the lease tells it from later ones. */
export type LeasedGrant = Grant & { readonly refreshLeasedUntil: Date };
/** What a vendor account is known by. */
export type GrantKey = Pick<Grant, 'provider' | 'kind' | 'accountId'>;

const ERASED = 'erased_';

/** What is kept of an account's id after its erasure: enough to know it again when it comes back, and nothing that names it. */
export const erasedAccountId = ({ provider, accountId }: Pick<GrantKey, 'provider' | 'accountId'>): string =>
  `${ERASED}${fingerprint('account', provider, accountId)}`;

/** What the account may be stored under. */
export const accountIds = (account: Pick<GrantKey, 'provider' | 'accountId'>): string[] => [account.accountId, erasedAccountId(account)];

/** The grant of this account, made when there is none. Its tokens come by `replaceTokens`: they are sealed for its id. */
export async function ensureGrant(tx: Writer, grant: GrantKey & Pick<Grant, 'id' | 'refreshedAt'>): Promise<Grant> {
  const { grants } = tx.t;
  const fresh = {
    ...grant,
    tokensSealed: null,
    accessExpiresAt: null,
    scopes: [],
    tokenVersion: 0,
    refreshLeasedUntil: null,
    failures: 0,
    failingSince: null,
    retryAt: null,
  };
  // An erased account that comes back gets its grant back, so that there are never two of one account.
  await tx
    .update(grants)
    .set({ accountId: grant.accountId })
    .where(and(eq(grants.provider, grant.provider), eq(grants.kind, grant.kind), eq(grants.accountId, erasedAccountId(grant))));
  const inserted = await tx.insert(grants).values(fresh).onConflictDoNothing().returning();
  return inserted[0] ?? (await findGrantOf(tx, grant))!;
}

export async function findGrant(db: Reader, id: string): Promise<Grant | undefined> {
  return (await db.select().from(db.t.grants).where(eq(db.t.grants.id, id)))[0];
}

/**
 * Holds the row until the end of the transaction: who decides by the connections of a grant decides alone. Always before the rows of
 * connections, so that no two transactions wait for each other.
 */
export async function lockGrant(tx: Writer, id: string): Promise<void> {
  const { grants } = tx.t;
  await tx.update(grants).set({ id }).where(eq(grants.id, id));
}

export async function findGrantOf(db: Reader, { provider, kind, accountId }: GrantKey): Promise<Grant | undefined> {
  const { grants } = db.t;
  return (
    await db
      .select()
      .from(grants)
      .where(and(eq(grants.provider, provider), eq(grants.kind, kind), eq(grants.accountId, accountId)))
  )[0];
}

/** Whom the tokens of the operator's own accounts at this vendor speak for. */
export async function listPlatformSubjects(db: Reader, provider: string): Promise<string[]> {
  const { grants } = db.t;
  const rows = await db
    .select({ accountId: grants.accountId })
    .from(grants)
    .where(and(eq(grants.provider, provider), eq(grants.kind, 'platform'), isNotNull(grants.tokensSealed)));
  return rows.map(({ accountId }) => accountId);
}

/** Dead tokens are taken away; the operator's own account begins without any. */
const refreshable = ({ t: { grants } }: Reader): SQL | undefined => or(isNotNull(grants.tokensSealed), eq(grants.kind, 'platform'));

/** True for the one caller that may refresh now. Nobody may while the vendor has asked for patience, or when there is nothing to refresh. */
export async function leaseRefresh(
  tx: Writer,
  { id, tokenVersion, now, until }: { id: string; tokenVersion: number; now: Date; until: Date },
): Promise<boolean> {
  const { grants } = tx.t;
  const rows = await tx
    .update(grants)
    .set({ refreshLeasedUntil: until })
    .where(
      and(
        eq(grants.id, id),
        eq(grants.tokenVersion, tokenVersion),
        refreshable(tx),
        or(isNull(grants.refreshLeasedUntil), lt(grants.refreshLeasedUntil, now)),
        or(isNull(grants.retryAt), lte(grants.retryAt, now)),
      ),
    )
    .returning({ id: grants.id });
  return rows.length === 1;
}

type NewTokens = Pick<Grant, 'id' | 'tokensSealed' | 'accessExpiresAt' | 'scopes' | 'refreshedAt'>;

const healthy = { refreshLeasedUntil: null, failures: 0, failingSince: null, retryAt: null } as const;

/**
 * The result of a refresh; ends the lease. Undefined when somebody else has replaced the tokens in between, `late` when their death has been
 * noted in between.
 */
export async function storeTokens(
  tx: Writer,
  { id, tokenVersion, ...tokens }: NewTokens & Pick<Grant, 'tokenVersion'>,
): Promise<'stored' | 'late' | undefined> {
  const { grants } = tx.t;
  const write = (alive: SQL | undefined) =>
    tx
      .update(grants)
      .set({ ...tokens, ...healthy, tokenVersion: tokenVersion + 1 })
      .where(and(eq(grants.id, id), eq(grants.tokenVersion, tokenVersion), alive))
      .returning({ id: grants.id });
  if ((await write(refreshable(tx))).length === 1) return 'stored';
  return (await write(undefined)).length === 1 ? 'late' : undefined;
}

/** The result of a new authorization: it counts whatever was there before. */
export async function replaceTokens(tx: Writer, { id, ...tokens }: NewTokens): Promise<void> {
  const { grants } = tx.t;
  await tx
    .update(grants)
    .set({ ...tokens, ...healthy, tokenVersion: sql`${grants.tokenVersion} + 1` })
    .where(eq(grants.id, id));
}

/**
 * Ends this lease, and no later one, after a refresh that brought nothing. `retryAt`: when the next may be tried, null for at once.
 * `failedAt`: it counts as a failure of this moment.
 */
export async function releaseRefresh(
  tx: Writer,
  { id, tokenVersion, refreshLeasedUntil }: LeasedGrant,
  { retryAt, failedAt }: { retryAt: Date | null; failedAt?: Date },
): Promise<void> {
  const { grants } = tx.t;
  const failure = failedAt && {
    failures: sql`${grants.failures} + 1`,
    failingSince: sql`coalesce(${grants.failingSince}, ${sql.param(failedAt, grants.failingSince)})`,
  };
  await tx
    .update(grants)
    .set({ refreshLeasedUntil: null, retryAt, ...failure })
    .where(and(eq(grants.id, id), eq(grants.tokenVersion, tokenVersion), eq(grants.refreshLeasedUntil, refreshLeasedUntil)));
}

/**
 * Takes dead tokens away, so that nobody asks the vendor with them again. True when they were still those of this version, which stays:
 * a refresh that was under way with them may yet bring new ones.
 */
export async function endTokens(tx: Writer, { id, tokenVersion }: { id: string; tokenVersion: number }): Promise<boolean> {
  const { grants } = tx.t;
  const rows = await tx
    .update(grants)
    .set({ ...healthy, tokensSealed: null, accessExpiresAt: null })
    .where(and(eq(grants.id, id), eq(grants.tokenVersion, tokenVersion)))
    .returning({ id: grants.id });
  return rows.length === 1;
}

/** False when its tokens, and with them perhaps its scopes, are others by now. */
export async function setScopes(tx: Writer, { id, tokenVersion, scopes }: Pick<Grant, 'id' | 'tokenVersion' | 'scopes'>): Promise<boolean> {
  const { grants } = tx.t;
  const rows = await tx
    .update(grants)
    .set({ scopes })
    .where(and(eq(grants.id, id), eq(grants.tokenVersion, tokenVersion)))
    .returning({ id: grants.id });
  return rows.length === 1;
}

/** Nothing of the grant is left but its row. */
export async function eraseTokens(tx: Writer, id: string): Promise<void> {
  const { grants } = tx.t;
  await tx
    .update(grants)
    .set({ ...healthy, tokensSealed: null, accessExpiresAt: null, scopes: [], tokenVersion: sql`${grants.tokenVersion} + 1` })
    .where(eq(grants.id, id));
}

/** Nor whose it was. Does nothing when that was done before. */
export async function eraseGrant(tx: Writer, id: string): Promise<void> {
  const grant = await findGrant(tx, id);
  if (grant === undefined || grant.accountId.startsWith(ERASED)) return;
  await eraseTokens(tx, id);
  await tx
    .update(tx.t.grants)
    .set({ accountId: erasedAccountId(grant) })
    .where(eq(tx.t.grants.id, id));
}
