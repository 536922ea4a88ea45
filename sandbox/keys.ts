/** RSA keys for tokens that are checked against a key set; made on first use and kept as long as the sandbox. */
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';

export interface SigningKey {
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
  keySet(): Promise<{ keys: JWK[] }>;
}

export function createSigningKey(id: string): SigningKey {
  let pair: Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> | undefined;
  const keys = () => (pair ??= generateKeyPair('RS256', { extractable: true }));
  return {
    sign: async (claims) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: id, typ: 'JWT' }).sign((await keys()).privateKey),
    keySet: async () => ({ keys: [{ ...(await exportJWK((await keys()).publicKey)), kid: id, alg: 'RS256', use: 'sig' }] }),
  };
}
