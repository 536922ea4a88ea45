/**
 * Notifications with the resource inside, encrypted for a certificate of ours (rich ones). Source:
 * https://learn.microsoft.com/graph/change-notifications-with-resource-data. What is inside is believed only with Microsoft's own token
 * beside it, and only when it opens; otherwise the notification is worth as much as a basic one, and the recording is asked for.
 */
import { createDecipheriv, createHash, createHmac, createPrivateKey, privateDecrypt, timingSafeEqual, X509Certificate } from 'node:crypto';
import { jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { SECOND } from '../../src/domain/time.ts';

/** The app that sends Microsoft's notifications. */
const PUBLISHER = '0bf30f3b-4a52-48df-9a82-234910c4a086';
/** Chosen, like the next two: how far Microsoft's clock may be from ours. */
const CLOCK_TOLERANCE_MS = 30 * SECOND;
const MAX_TOKENS = 20;
const MAX_TOKEN_LENGTH = 8_192;

export const encryptedContent = z.object({
  data: z.string().min(1),
  dataSignature: z.string().min(1),
  dataKey: z.string().min(1),
  encryptionCertificateId: z.string().min(1).max(128),
});
export type EncryptedContent = z.infer<typeof encryptedContent>;

/** A certificate with its private key, both PEM. */
export interface NotificationKey {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Rich {
  /** For a new subscription. */
  readonly certificate: { readonly encryptionCertificate: string; readonly encryptionCertificateId: string };
  /** The tenants that Microsoft's tokens vouch for. */
  provenTenants(tokens: readonly string[], now: Date): Promise<ReadonlySet<string>>;
  /** The resource; undefined when it is for no key of ours, or was changed on the way. */
  readonly decrypt: (content: EncryptedContent) => unknown;
}

/** Undefined without keys: then subscriptions are basic. The newest key first; older ones open what is on its way. */
export function createRich(
  keys: readonly NotificationKey[],
  { clientId, jwks }: { clientId: string; jwks: JWTVerifyGetKey },
): Rich | undefined {
  const ring = keys.map(({ certificate, privateKey }) => {
    const { raw } = new X509Certificate(certificate);
    return { raw, id: createHash('sha256').update(raw).digest('hex'), privateKey: createPrivateKey(privateKey) };
  });
  const [newest] = ring;
  if (newest === undefined) return undefined;

  const tenantOf = async (token: string, now: Date): Promise<string | undefined> => {
    try {
      const { payload } = await jwtVerify(token, jwks, {
        algorithms: ['RS256'],
        audience: clientId,
        currentDate: now,
        clockTolerance: CLOCK_TOLERANCE_MS / SECOND,
        requiredClaims: ['exp', 'iss'],
      });
      const { tid, appid, azp } = payload;
      // The same words for every app of every tenant: who sent it is in the app's id, for whom in the tenant's.
      const genuine = typeof tid === 'string' && payload.iss === `https://sts.windows.net/${tid}/` && (appid ?? azp) === PUBLISHER;
      return genuine ? tid.toLowerCase() : undefined;
    } catch {
      return undefined;
    }
  };

  return {
    certificate: { encryptionCertificate: newest.raw.toString('base64'), encryptionCertificateId: newest.id },

    async provenTenants(tokens, now) {
      const tenants = new Set<string>();
      for (const token of tokens.slice(0, MAX_TOKENS)) {
        const tenant = token.length > MAX_TOKEN_LENGTH ? undefined : await tenantOf(token, now);
        if (tenant !== undefined) tenants.add(tenant);
      }
      return tenants;
    },

    decrypt({ data, dataSignature, dataKey, encryptionCertificateId }) {
      const key = ring.find(({ id }) => id === encryptionCertificateId);
      if (key === undefined) return undefined;
      try {
        // OAEP with SHA-1, which is Node's default.
        const secret = privateDecrypt(key.privateKey, Buffer.from(dataKey, 'base64'));
        const sealed = Buffer.from(data, 'base64');
        const signature = createHmac('sha256', secret).update(sealed).digest();
        const given = Buffer.from(dataSignature, 'base64');
        if (given.length !== signature.length || !timingSafeEqual(given, signature)) return undefined;
        const decipher = createDecipheriv('aes-256-cbc', secret, secret.subarray(0, 16));
        return JSON.parse(Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8'));
      } catch {
        return undefined;
      }
    },
  };
}
