/** What the tests of the Teams adapter share: its options, documented payloads, and a signer of notifications. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createMicrosoftTeams, type MicrosoftTeamsOptions } from '../../../providers/microsoft-teams/index.ts';
import type { Provider } from '../../../providers/provider.ts';
import { testAccount, type TestAccount } from '../../support/account.ts';
import { GRAPH } from './stand-in.ts';

export const NOW = new Date('2026-11-20T10:00:00Z');
export const LOGIN = 'https://login.test';
export const TENANT = '98a79ebe-74bf-4e07-a017-7b410848cb32';
export const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';
export const ACCOUNT_ID = '976f4b31-fd01-4e0b-9178-29cc40c14438';
export const SECRET = Buffer.alloc(32, 7);

/** In the paths of a host, as the app itself asks. */
export const HOST_PATH = `/users/${ACCOUNT_ID}`;
const ME = 'https://graph.microsoft.com/v1.0/me';

/** For `describeProvider` and `guardedServer`. */
export const CONTRACT = {
  spec: 'microsoft-graph',
  origins: {
    [GRAPH]: 'https://graph.microsoft.com',
    'http://127.0.0.1:4010': 'https://graph.microsoft.com',
    // The documentation gives these calls one page for both paths; the published shapes here name them under `/me` only.
    [`${GRAPH}/v1.0${HOST_PATH}?`]: `${ME}?`,
    [`${GRAPH}/v1.0${HOST_PATH}/events`]: `${ME}/events`,
    [`${GRAPH}/v1.0${HOST_PATH}/licenseDetails`]: `${ME}/licenseDetails`,
  },
  uncovered: [`${LOGIN}/`, 'https://contoso-my.sharepoint.com/', 'https://media.test/'],
} as const;

export const account = (facts: Parameters<typeof testAccount>[0] = {}): TestAccount =>
  testAccount({ id: ACCOUNT_ID, organisation: TENANT, ...facts });

export const teams = (overrides: Partial<MicrosoftTeamsOptions> = {}): Provider =>
  createMicrosoftTeams({
    clientId: 'client-1',
    clientSecret: 'client-secret-1',
    loginUrl: LOGIN,
    graphUrl: GRAPH,
    clientStateSecrets: [SECRET],
    now: () => NOW,
    ...overrides,
  });

export const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/microsoft-teams/${name}`, import.meta.url));

export const clientState = (secret: Buffer = SECRET, accountId: string = ACCOUNT_ID): string =>
  `${Buffer.from(accountId).toString('base64url')}.${createHmac('sha256', secret).update(accountId).digest('base64url')}`;

/** The notification with this client state in every item; undefined takes it out. */
export function withState(bytes: Buffer, state: string | undefined): Buffer {
  const body = JSON.parse(bytes.toString()) as Record<string, unknown>;
  const items = (Array.isArray(body['value']) ? body['value'] : [body]) as Record<string, unknown>[];
  for (const item of items) item['clientState'] = state;
  return Buffer.from(JSON.stringify(body));
}

/** The notification with some members of every item replaced. */
export function withMembers(bytes: Buffer, members: Readonly<Record<string, unknown>>): Buffer {
  const body = JSON.parse(bytes.toString()) as { value: Record<string, unknown>[] };
  return Buffer.from(JSON.stringify({ value: body.value.map((item) => Object.assign(item, members)) }));
}

/** An id token as Entra sends it; nobody checks the signature of what came from the token endpoint itself. */
export function idToken(tid: string, claims: Readonly<Record<string, unknown>> = {}): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = {
    iss: `${LOGIN}/${tid}/v2.0`,
    aud: 'client-1',
    sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    oid: ACCOUNT_ID,
    tid,
    iat: seconds,
    exp: seconds + 3_600,
    ...claims,
  };
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(payload)}.c2lnbmF0dXJl`;
}
