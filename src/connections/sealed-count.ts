/** Sealed values page by page, and by the key that sealed them. */
import type { Gateway } from '../gateway.ts';
import { pageOfSealed, type SealedValue } from '../store/sealed-values.ts';
import { SEALED_COLUMNS } from './sealed.ts';
import { HEAD_BYTES, keyIdOf } from './vault.ts';

/** Counting reads heads only. */
const COUNTED_PAGE = 1_000;

/** How many values each key has sealed, by its id. What is no sealed value at all counts for none. */
export async function countSealed({ db }: Pick<Gateway, 'db'>): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const column of SEALED_COLUMNS) {
    for await (const page of pages((after) => pageOfSealed(db.read, column, { after, limit: COUNTED_PAGE, bytes: HEAD_BYTES }))) {
      for (const { sealed } of page) {
        const id = keyOf(sealed);
        if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
  }
  return counts;
}

export async function* pages(read: (after: SealedValue['key'] | undefined) => Promise<SealedValue[]>): AsyncGenerator<SealedValue[]> {
  let after: SealedValue['key'] | undefined;
  for (;;) {
    const page = await read(after);
    if (page.length === 0) return;
    yield page;
    after = page.at(-1)!.key;
  }
}

/** Undefined for what is no sealed value. */
export function keyOf(sealed: Buffer): string | undefined {
  try {
    return keyIdOf(sealed);
  } catch {
    return undefined;
  }
}
