/** Standard Webhooks signatures over raw bytes: https://www.standardwebhooks.com (HMAC-SHA256, `whsec_` secrets). */
import { createHmac } from 'node:crypto';
import type { RandomBytes } from '../domain/time.ts';

/** 32 random bytes; the standard asks for 24 to 64. */
export const newSecret = (random: RandomBytes): string => `whsec_${random(32).toString('base64')}`;

/** The header value: one `v1,<base64>` per secret, newest first. `timestamp` in Unix seconds. */
export function signatureHeader({
  id,
  timestamp,
  body,
  secrets,
}: {
  id: string;
  timestamp: number;
  body: string;
  secrets: readonly string[];
}): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');
}
