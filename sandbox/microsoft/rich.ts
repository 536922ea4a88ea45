/** Notifications with the resource inside: https://learn.microsoft.com/graph/change-notifications-with-resource-data */
import { createCipheriv, createHash, createHmac, publicEncrypt, X509Certificate } from 'node:crypto';
import { HOUR, plus, unixSeconds } from '../clock.ts';
import type { Microsoft } from './state.ts';

/** The app by which Microsoft sends notifications. */
const PUBLISHER = '0bf30f3b-4a52-48df-9a82-234910c4a086';

export function encrypt({ world }: Microsoft, resource: object, { certificate, id }: { certificate: string; id: string }): object {
  const { publicKey, raw } = new X509Certificate(Buffer.from(certificate, 'base64'));
  const secret = world.random(32);
  const cipher = createCipheriv('aes-256-cbc', secret, secret.subarray(0, 16));
  const data = Buffer.concat([cipher.update(JSON.stringify(resource)), cipher.final()]);
  return {
    data: data.toString('base64'),
    dataSignature: createHmac('sha256', secret).update(data).digest('base64'),
    dataKey: publicEncrypt(publicKey, secret).toString('base64'),
    encryptionCertificateId: id,
    encryptionCertificateThumbprint: createHash('sha1').update(raw).digest('hex').toUpperCase(),
  };
}

/** Of the token beside them, for one app in one tenant. */
export const publisherClaims = (tenantId: string, clientId: string, now: Date): Record<string, unknown> => ({
  aud: clientId,
  iss: `https://sts.windows.net/${tenantId}/`,
  iat: unixSeconds(now),
  nbf: unixSeconds(now),
  exp: unixSeconds(plus(now, 8 * HOUR)),
  appid: PUBLISHER,
  appidacr: '2',
  tid: tenantId,
  ver: '1.0',
});
