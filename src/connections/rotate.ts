/**
 * Seals everything with the newest key, while gateways go on working. A value is replaced only if it is still the one that was read, so
 * that nothing newer is lost; and each replacement stands for itself, so that a run may die at any moment and be started again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isFailure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { deleteKnownKey, listKnownKeys } from '../store/encryption-keys.ts';
import { pageOfSealed, replaceSealed, type SealedValue } from '../store/sealed-values.ts';
import { planReplacements } from './retire.ts';
import { countSealed, keyOf, pages } from './sealed-count.ts';
import { SEALED_COLUMNS, type BoundColumn } from './sealed.ts';

/** Chosen: values read at once and replaced in one transaction of some milliseconds; deliveries may have 256 KiB each. */
const PAGE = 100;
/**
 * The pause after each transaction. A gateway that waits for SQLite's only writer looks every 100 ms at last: shorter gaps it may miss
 * again and again, until its request fails.
 */
const REST_MS = { sqlite: 120, postgres: 0 };
/** The last round has to find nothing to do. Only a gateway that still seals with an old key keeps it from that. */
const MAX_ROUNDS = 5;
const MAX_TRIES = 5;

export interface ColumnReport {
  readonly table: string;
  readonly column: string;
  /** Sealed with the newest key by this run. */
  readonly resealed: number;
  /** The rows whose values were left as they are, because they do not open. They hold their key back. */
  readonly unreadable: readonly string[];
}

export interface RotationReport {
  readonly newest: string;
  /** Columns with something to tell. */
  readonly columns: readonly ColumnReport[];
  /** Older keys that seal nothing any more: they may be taken out of the ring. */
  readonly removable: readonly string[];
  /** Subscriptions at vendors that hang on older keys. The running gateways replace them, and no key is removable before. */
  readonly subscriptionsToReplace: number;
  /** Older keys that are still needed, with how many values they seal. */
  readonly kept: readonly { readonly id: string; readonly values: number }[];
}

export async function rotateEncryptionKey(gateway: Pick<Gateway, 'db' | 'now' | 'providers' | 'vault'>): Promise<RotationReport> {
  const { db, vault } = gateway;
  const [newest, ...older] = vault.keyIds;
  let columns: ColumnReport[] = SEALED_COLUMNS.map(({ table, column }) => ({ table, column, resealed: 0, unreadable: [] }));
  for (let round = 1, again = true; again && round <= MAX_ROUNDS; round += 1) {
    again = false;
    const before = columns;
    columns = [];
    for (const [index, column] of SEALED_COLUMNS.entries()) {
      const { old, resealed, unreadable } = await resealColumn(gateway, column);
      again ||= old > unreadable.length;
      columns.push({ ...before[index]!, resealed: before[index]!.resealed + resealed, unreadable });
    }
  }

  const subscriptionsToReplace = await planReplacements(gateway, (work) => patiently(() => db.write(work)));
  const left = await countSealed(gateway);
  const known = (await listKnownKeys(db.read)).map(({ id }) => id);
  const ids = new Set([...older, ...known, ...left.keys()]);
  ids.delete(newest);
  // What is not known any more has nothing left to do already.
  const unused = [...ids].filter((id) => !left.has(id) && (subscriptionsToReplace === 0 || !known.includes(id)));
  await db.write(async (tx) => {
    for (const id of unused) await deleteKnownKey(tx, id);
  });
  return {
    newest,
    columns: columns.filter(({ resealed, unreadable }) => resealed + unreadable.length > 0),
    removable: unused,
    subscriptionsToReplace,
    kept: [...ids].filter((id) => !unused.includes(id)).map((id) => ({ id, values: left.get(id) ?? 0 })),
  };
}

/** One look at every value of a column. `old`: those that were not sealed with the newest key. */
async function resealColumn(
  { db, vault }: Pick<Gateway, 'db' | 'vault'>,
  column: BoundColumn,
): Promise<{ old: number; resealed: number; unreadable: string[] }> {
  let old = 0;
  let resealed = 0;
  const unreadable: string[] = [];
  for await (const page of pages((after) => pageOfSealed(db.read, column, { after, limit: PAGE }))) {
    const replacements: { value: SealedValue; by: Buffer }[] = [];
    for (const value of page.filter(({ sealed }) => keyOf(sealed) !== vault.keyIds[0])) {
      old += 1;
      const context = column.context(value.key);
      try {
        replacements.push({ value, by: vault.seal(vault.openBytes(value.sealed, context), context) });
      } catch (error) {
        if (!isFailure(error, 'sealed_damaged') && !isFailure(error, 'key_unavailable')) throw error;
        unreadable.push(Object.values(value.key).join(' '));
      }
    }
    if (replacements.length === 0) continue;
    resealed += await patiently(() =>
      db.write(async (tx) => {
        let replaced = 0;
        for (const replacement of replacements) if (await replaceSealed(tx, column, replacement)) replaced += 1;
        return replaced;
      }),
    );
    await wait(REST_MS[db.dialect]);
  }
  return { old, resealed, unreadable };
}

/** Busy gateways may hold SQLite's only writer for a moment longer than one statement waits. */
async function patiently<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (attempt === MAX_TRIES || !isFailure(error, 'storage_unavailable')) throw error;
      await wait(error.retryAfterMs);
    }
  }
}
