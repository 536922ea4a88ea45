/** The gateway's own signature under what others have to be able to verify: Ed25519, by the public keys at `/.well-known/jwks.json`. */
import { calculateJwkThumbprint, CompactSign, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { signingKeyContext } from '../connections/sealed.ts';
import type { Gateway } from '../gateway.ts';
import { findSigningKey, insertSigningKey, listSigningKeys, type SigningKey } from '../store/signing-keys.ts';

/** RFC 8037; with an Ed25519 key it can mean nothing else. */
const ALGORITHM = 'EdDSA';
/** The place of the key that signs. Of two processes that make one at the same time the first to take the place wins. */
const CURRENT = 'evidence_1';

/** A compact JWS of the claims. `typ`: what kind of statement it is, so that none is taken for another. */
export const sign = (gateway: Signing, typ: string, claims: object): Promise<string> => signText(gateway, typ, JSON.stringify(claims));

/** The same of a text that stands elsewhere: a JWS with detached content (RFC 7515, appendix F). Whoever verifies puts the text back. */
export async function signDetached(gateway: Signing, typ: string, text: string): Promise<string> {
  const [header, , signature] = (await signText(gateway, typ, text)).split('.');
  return `${header}..${signature}`;
}

type Signing = Pick<Gateway, 'db' | 'now' | 'vault'>;

async function signText(gateway: Signing, typ: string, text: string): Promise<string> {
  const { id, publicJwk, privateSealed } = (await findSigningKey(gateway.db.read, CURRENT)) ?? (await makeKey(gateway));
  const key = await importJWK(JSON.parse(gateway.vault.open(privateSealed, signingKeyContext(id))) as JWK, ALGORITHM);
  return new CompactSign(Buffer.from(text)).setProtectedHeader({ alg: ALGORITHM, typ, kid: publicJwk['kid']! }).sign(key);
}

/** A JSON Web Key Set (RFC 7517) of every key that ever signed; empty before the first signature. */
export async function publicKeys({ db }: Pick<Gateway, 'db'>): Promise<{ keys: SigningKey['publicJwk'][] }> {
  return { keys: (await listSigningKeys(db.read)).map(({ publicJwk }) => publicJwk) };
}

async function makeKey({ db, now, vault }: Signing): Promise<SigningKey> {
  const pair = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  const open = await exportJWK(pair.publicKey);
  const made: SigningKey = {
    id: CURRENT,
    publicJwk: { kty: open.kty!, crv: open.crv!, x: open.x!, kid: await calculateJwkThumbprint(open), alg: ALGORITHM, use: 'sig' },
    privateSealed: vault.seal(JSON.stringify(await exportJWK(pair.privateKey)), signingKeyContext(CURRENT)),
    createdAt: now(),
  };
  return db.write(async (tx) => {
    await insertSigningKey(tx, made);
    return (await findSigningKey(tx, CURRENT))!;
  });
}
