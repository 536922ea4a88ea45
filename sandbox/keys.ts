/** RSA keys for tokens that are checked against a key set; made on first use and kept as long as the process, as making one takes a while. */
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';

export interface SigningKey {
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
  keySet(): Promise<{ keys: JWK[] }>;
}

const pairs = new Map<string, Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }>>();

export function createSigningKey(id: string): SigningKey {
  const keys = () => {
    const pair = pairs.get(id) ?? generateKeyPair('RS256', { extractable: true });
    pairs.set(id, pair);
    return pair;
  };
  return {
    sign: async (claims) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: id, typ: 'JWT' }).sign((await keys()).privateKey),
    keySet: async () => ({ keys: [{ ...(await exportJWK((await keys()).publicKey)), kid: id, alg: 'RS256', use: 'sig' }] }),
  };
}
