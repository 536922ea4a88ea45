/** Secrets at rest: AES-256-GCM under a key ring. The first key seals, every key of the ring opens. */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { EncryptionKey } from '../config.ts';
import { Failure } from '../domain/failure.ts';
import type { RandomBytes } from '../domain/time.ts';

/** What the secret belongs to; ciphertext moved to another row or column does not open. */
export type SealContext = readonly string[];

export interface Vault {
  seal(plain: string | Buffer, context: SealContext): Buffer;
  /** The ids of the ring, newest first. */
  readonly keyIds: readonly [newest: string, ...older: string[]];
  /**
   * @throws Failure `key_unavailable` when the key is not in the ring, `sealed_damaged` when the ciphertext was changed or belongs to
   * another context. Both name the key's id.
   */
  open(sealed: Buffer, context: SealContext): string;
  /** The same for what is no text. */
  openBytes(sealed: Buffer, context: SealContext): Buffer;
  /** Keys for another purpose, derived from the ring in its order. */
  derive(purpose: string): readonly Buffer[];
}

// Layout: version (1 byte), length of the key id (1), key id, nonce (12), tag (16), ciphertext.
const VERSION = 1;
const NONCE = 12;
const TAG = 16;
/** What `keyIdOf` needs of a value: ids have at most 32 bytes. */
export const HEAD_BYTES = 2 + 32;

/** Which key sealed it. @throws Failure `sealed_damaged` when it is no sealed value */
export function keyIdOf(sealed: Buffer): string {
  const end = 2 + (sealed[1] ?? 0);
  if (sealed[0] !== VERSION || sealed.length < end) throw damaged();
  return sealed.subarray(2, end).toString();
}

export function createVault({ keys, random }: { keys: readonly EncryptionKey[]; random: RandomBytes }): Vault {
  const newest = keys[0];
  if (newest === undefined) throw new Error('The vault needs an encryption key.');
  const ring = new Map(keys.map(({ id, key }) => [id, key]));

  const openBytes = (sealed: Buffer, context: SealContext): Buffer => {
    const id = keyIdOf(sealed);
    const head = sealed.subarray(0, 2 + sealed[1]!);
    if (sealed.length < head.length + NONCE + TAG) throw damaged();
    const key = ring.get(id);
    if (key === undefined) throw new Failure('key_unavailable', `The encryption key "${shown(id)}" is missing from ENCRYPTION_KEYS.`);
    const nonce = sealed.subarray(head.length, head.length + NONCE);
    const tag = sealed.subarray(head.length + NONCE, head.length + NONCE + TAG);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG }).setAAD(boundTo(head, context)).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(sealed.subarray(head.length + NONCE + TAG)), decipher.final()]);
    } catch (error) {
      throw damaged(`A sealed value does not open with the encryption key "${id}".`, error);
    }
  };

  return {
    keyIds: [newest.id, ...keys.slice(1).map(({ id }) => id)],

    seal(plain, context) {
      const id = Buffer.from(newest.id);
      const head = Buffer.concat([Buffer.from([VERSION, id.length]), id]);
      const nonce = random(NONCE);
      const cipher = createCipheriv('aes-256-gcm', newest.key, nonce).setAAD(boundTo(head, context));
      const body = Buffer.concat([cipher.update(typeof plain === 'string' ? Buffer.from(plain) : plain), cipher.final()]);
      return Buffer.concat([head, nonce, cipher.getAuthTag(), body]);
    },

    open: (sealed, context) => openBytes(sealed, context).toString('utf8'),
    openBytes,

    derive: (purpose) => keys.map(({ key }) => createHmac('sha256', key).update(`derived:${purpose}`).digest()),
  };
}

const damaged = (detail = 'A sealed value is damaged.', cause?: unknown): Failure => new Failure('sealed_damaged', detail, { cause });

/** Of a damaged value the id may be any bytes. */
const shown = (id: string): string => id.replaceAll(/[^A-Za-z0-9_-]/g, '?');

const boundTo = (head: Buffer, context: SealContext): Buffer => Buffer.concat([head, Buffer.from(JSON.stringify(context))]);
