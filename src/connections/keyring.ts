/**
 * The key ring against what the database remembers of it, at every start: a lost key or another key of the same name is noticed before
 * anything is sealed or served. A key is remembered from its first use until `rotate-encryption-key` finds nothing under it any more.
 */
import type { EncryptionKey } from '../config.ts';
import { isFailure } from '../domain/failure.ts';
import type { Clock, RandomBytes } from '../domain/time.ts';
import type { Database } from '../store/database.ts';
import { insertKnownKey, listKnownKeys, type KnownKey } from '../store/encryption-keys.ts';
import { createVault, type SealContext } from './vault.ts';

/** The ring cannot be used with this database. The message is one line for the operator, with ids of keys and no values. */
export class KeysUnusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeysUnusable';
  }
}

const CHECK = 'This key has sealed something here.';
const checkContext = (id: string): SealContext => ['encryption_key', id, 'check'];

/** @throws KeysUnusable when a key that is in use is missing from the ring, or is another one under the same id */
export async function checkKeyRing(
  db: Database,
  { keys, now, random }: { keys: readonly EncryptionKey[]; now: Clock; random: RandomBytes },
): Promise<void> {
  const known = await listKnownKeys(db.read);
  compare(known, keys, random);
  // The first key alone seals. Where nothing is remembered yet, any of the ring may have sealed what is there.
  const sealing = known.length === 0 ? keys : keys.slice(0, 1);
  const fresh = sealing
    .filter(({ id }) => known.every((one) => one.id !== id))
    .map((key) => ({ id: key.id, checkSealed: createVault({ keys: [key], random }).seal(CHECK, checkContext(key.id)), createdAt: now() }));
  if (fresh.length === 0) return;
  await db.write(async (tx) => {
    for (const key of fresh) await insertKnownKey(tx, key);
    // Another process may have been first, with another key of this id.
    compare(await listKnownKeys(tx), keys, random);
  });
}

function compare(known: readonly KnownKey[], keys: readonly EncryptionKey[], random: RandomBytes): void {
  const missing = known.filter(({ id }) => keys.every((key) => key.id !== id)).map(({ id }) => `"${id}"`);
  if (missing.length > 0) {
    throw new KeysUnusable(
      `ENCRYPTION_KEYS lacks ${missing.length === 1 ? 'the key' : 'the keys'} ${missing.join(', ')}: values in the database are sealed with it. ` +
        'A key may be taken out after `rotate-encryption-key` has said so.',
    );
  }
  const vault = createVault({ keys, random });
  for (const { id, checkSealed } of known) {
    try {
      vault.open(checkSealed, checkContext(id));
    } catch (error) {
      if (!isFailure(error, 'sealed_damaged')) throw error;
      throw new KeysUnusable(`The key "${id}" in ENCRYPTION_KEYS is not the one that this database was sealed with.`);
    }
  }
}
