/** Secrets at rest: AES-256-GCM under a key ring. The first key seals, every key of the ring opens. */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { EncryptionKey } from '../config.ts';
import type { RandomBytes } from '../domain/time.ts';

/** What the secret belongs to; ciphertext moved to another row or column does not open. */
export type SealContext = readonly string[];

export interface Vault {
  seal(plain: string | Buffer, context: SealContext): Buffer;
  /** @throws Error that names the key id when the key is not in the ring, or when the ciphertext does not belong to the context. */
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

export function createVault({ keys, random }: { keys: readonly EncryptionKey[]; random: RandomBytes }): Vault {
  const newest = keys[0];
  if (newest === undefined) throw new Error('The vault needs an encryption key.');
  const ring = new Map(keys.map(({ id, key }) => [id, key]));

  const openBytes = (sealed: Buffer, context: SealContext): Buffer => {
    const head = sealed.subarray(0, 2 + (sealed[1] ?? 0));
    const id = head.subarray(2).toString();
    if (sealed[0] !== VERSION || sealed.length < head.length + NONCE + TAG) throw new Error('A sealed value is damaged.');
    const key = ring.get(id);
    if (key === undefined) throw new Error(`The encryption key "${id}" is missing from ENCRYPTION_KEYS.`);
    const nonce = sealed.subarray(head.length, head.length + NONCE);
    const tag = sealed.subarray(head.length + NONCE, head.length + NONCE + TAG);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG }).setAAD(boundTo(head, context)).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(sealed.subarray(head.length + NONCE + TAG)), decipher.final()]);
    } catch (error) {
      throw new Error(`A sealed value does not open with the encryption key "${id}".`, { cause: error });
    }
  };

  return {
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

const boundTo = (head: Buffer, context: SealContext): Buffer => Buffer.concat([head, Buffer.from(JSON.stringify(context))]);
