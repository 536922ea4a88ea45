/** RSA keys for tokens that are checked against a key set; made on first use and kept as long as the process, as making one takes a while. */
import { SignJWT, exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

export interface SigningKey {
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
  keySet(): Promise<{ keys: JWK[] }>;
  /** The claims of a token that this key signed for the audience; undefined for any other, and for one that is not valid at the moment. */
  verify(token: string, expected: { audience: string; now: Date }): Promise<JWTPayload | undefined>;
  /** The private half, PKCS #8 in PEM. */
  pem(): Promise<string>;
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
    verify: async (token, { audience, now }) => {
      try {
        return (await jwtVerify(token, (await keys()).publicKey, { audience, currentDate: now, algorithms: ['RS256'] })).payload;
      } catch {
        return undefined;
      }
    },
    pem: async () => exportPKCS8((await keys()).privateKey),
    keySet: async () => ({ keys: [{ ...(await exportJWK((await keys()).publicKey)), kid: id, alg: 'RS256', use: 'sig' }] }),
  };
}
