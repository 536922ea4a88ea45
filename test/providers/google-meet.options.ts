/** What the adapter's test files share: its options, Google's keys and push tokens. */
import { readFileSync } from 'node:fs';
import { http, HttpResponse, type RequestHandler } from 'msw';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { createGoogleMeet, type GoogleMeetOptions } from '../../providers/google-meet/index.ts';
import { LINK_SCOPES } from '../../providers/google-meet/scopes.ts';
import type { Provider } from '../../providers/provider.ts';
import { SECOND } from '../../src/domain/time.ts';
import type { GuardOptions } from '../contracts/validate.ts';
import { API, NOW } from './google-meet.stand-in.ts';

export const JWKS_URL = 'https://keys.test/oauth2/v3/certs';
export const AUDIENCE = 'https://gateway.example/webhooks/google-meet';
export const PUSHER = 'push@gw-test.iam.gserviceaccount.com';
export const TOPIC = 'projects/gw-test/topics/meet-events';

export const GOOGLE_CONTRACT: GuardOptions = {
  spec: 'google',
  origins: {
    [`${API}/v2`]: 'https://meet.googleapis.com/v2',
    [`${API}/v1`]: 'https://workspaceevents.googleapis.com/v1',
    [`${API}/calendar`]: 'https://www.googleapis.com/calendar',
    [`${API}/drive`]: 'https://www.googleapis.com/drive',
  },
  // The token endpoint and `userinfo` are OAuth and OpenID Connect, which have no published shapes here.
  uncovered: [`${API}/v1/userinfo`, 'https://accounts.test/', 'https://oauth2.test/', 'https://keys.test/', 'https://media.test/'],
};

/** An account without an organisation: Google refuses `spaces.create`, Calendar makes the links. */
export const PERSONAL = { id: '113774264463038321964', email: 'dana@gmail.com', organisation: null, scopes: LINK_SCOPES };
export const WORKSPACE = { ...PERSONAL, email: 'dana@example.com', organisation: 'example.com' };

export const googleMeet = (overrides: Partial<GoogleMeetOptions> = {}): Provider =>
  createGoogleMeet({
    clientId: 'client-1.apps.googleusercontent.com',
    clientSecret: 'GOCSPX-secret',
    authUrl: 'https://accounts.test',
    tokenUrl: 'https://oauth2.test',
    apiUrl: API,
    jwksUrl: JWKS_URL,
    pubsubTopic: TOPIC,
    pushAudience: AUDIENCE,
    pushServiceAccount: PUSHER,
    mediaOrigins: ['https://media.test'],
    now: () => NOW,
    wait: () => Promise.resolve(),
    ...overrides,
  });

export const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/google-meet/${name}.json`, import.meta.url));

/** A push of Pub/Sub as it is documented, with this event inside. */
export const push = (attributes: Record<string, string>, data: unknown, message: Record<string, unknown> = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      message: {
        attributes: {
          'ce-datacontenttype': 'application/json',
          'ce-id': '00000000-0000-4000-8000-000000000001',
          'ce-source': '//workspaceevents.googleapis.com/subscriptions/meet-users-abc',
          'ce-specversion': '1.0',
          'ce-time': '2026-11-20T10:00:00.123456Z',
          'ce-type': 'google.workspace.meet.conference.v2.started',
          ...attributes,
        },
        data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64'),
        messageId: '2070443601311541',
        ...message,
      },
      subscription: 'projects/gw-test/subscriptions/meet-events-push',
    }),
  );

export interface Signing {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signing(kid: string): Promise<Signing> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

export const GOOGLE_KEY = await signing('google-1');
export const STRANGERS_KEY = await signing('google-1');

/** Google's key endpoint; `fetched` counts. */
export function keyEndpoint(keys: () => readonly Signing[] | undefined = () => [GOOGLE_KEY]): {
  handler: RequestHandler;
  fetched(): number;
} {
  let count = 0;
  return {
    fetched: () => count,
    handler: http.get(JWKS_URL, () => {
      count += 1;
      const served = keys();
      return served === undefined ? HttpResponse.error() : HttpResponse.json({ keys: served.map(({ jwk }) => jwk) });
    }),
  };
}

/** A push token as documented, an hour long. */
export const pushToken = (now: Date, claims: Record<string, unknown> = {}, { kid, privateKey }: Signing = GOOGLE_KEY): Promise<string> => {
  const iat = Math.floor(now.getTime() / SECOND);
  return new SignJWT({
    iss: 'https://accounts.google.com',
    aud: AUDIENCE,
    azp: '113774264463038321964',
    sub: '113774264463038321964',
    email: PUSHER,
    email_verified: true,
    iat,
    exp: iat + 3_600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
    .sign(privateKey);
};
