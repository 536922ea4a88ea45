/** What the sandbox's own tests share: a running sandbox, a receiver of webhooks, and an OAuth client written for the purpose. */
import { createHash, randomBytes } from 'node:crypto';
import { serve } from '@hono/node-server';
import { expect, onTestFinished } from 'vitest';
import { startSandbox } from '../../sandbox/server.ts';
import type { SandboxOptions } from '../../sandbox/app.ts';
import { loadContract } from '../contracts/contract.ts';

export const START = new Date('2026-12-01T10:00:00Z');
export const REDIRECT = 'http://gateway.example/callback';
export const BASIC = `Basic ${Buffer.from('sandbox-client:sandbox-secret').toString('base64')}`;

export async function running(options: Partial<SandboxOptions> = {}) {
  const { url, sandbox, close } = await startSandbox({ port: 0, now: () => START, random: randomBytes, schedule: null, ...options });
  onTestFinished(close);
  const call = async (method: string, path: string, { token, body }: { token?: string; body?: unknown } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) expect(outsideContract(method, path, response.status, text)).toEqual([]);
    return { status: response.status, headers: response.headers, body: (text.startsWith('{') ? JSON.parse(text) : text) as Body };
  };
  return { url, sandbox, call };
}

/** What the vendors' published shapes have against an answer of the sandbox; nothing where no shape is published. */
function outsideContract(method: string, path: string, status: number, text: string): string[] {
  const host = PUBLISHED.find(([prefix]) => path.startsWith(prefix));
  if (!host) return [];
  const contract = loadContract(host[1]);
  const operation = contract.find(method, new URL(host[2] + path));
  const schema = operation?.answers[status]?.['application/json'];
  if (operation && !operation.answers[status]) return [`${method} ${path}: the answer ${status} is not documented`];
  return schema ? contract.checkAnswer(schema, JSON.parse(text)).map((error) => `${method} ${path}${error}`) : [];
}

const PUBLISHED = [
  ['/v2/users', 'zoom', 'https://api.zoom.us'],
  ['/v2/meetings', 'zoom', 'https://api.zoom.us'],
  ['/v1.0/', 'microsoft-graph', 'https://graph.microsoft.com'],
  ['/v2/', 'google', 'https://meet.googleapis.com'],
  ['/v1/subscriptions', 'google', 'https://workspaceevents.googleapis.com'],
  ['/calendar/', 'google', 'https://www.googleapis.com'],
  ['/drive/', 'google', 'https://www.googleapis.com'],
] as const;

/** An answer of a vendor: text, or an object of such, as the test that looks into it expects. */
export type Body = string & { readonly [name: string]: Body };

export interface Received {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly text: string;
}

/** A real server that remembers what it got and answers what `answer` says. */
export async function receiver(answer: (received: Received) => Response) {
  const received: Received[] = [];
  let server: ReturnType<typeof serve> | undefined;
  const port = await new Promise<number>((resolve) => {
    server = serve(
      {
        hostname: '127.0.0.1',
        port: 0,
        fetch: async (request) => {
          const { pathname, searchParams } = new URL(request.url);
          const one = { path: pathname, query: searchParams, headers: request.headers, text: await request.text() };
          received.push(one);
          return answer(one);
        },
      },
      (address) => resolve(address.port),
    );
  });
  onTestFinished(() => void server?.close());
  return { url: `http://127.0.0.1:${port}`, received };
}

/** Goes through the consent page as a browser would; answers the parameters that came back to the application. */
export async function consent(url: string, path: string, { user, scopes = '', decision = 'allow', untick = [] }: Consent) {
  const verifier = randomBytes(32).toString('base64url');
  const authorize = new URL(path, url);
  const parameters = {
    response_type: 'code',
    client_id: 'sandbox-client',
    redirect_uri: REDIRECT,
    state: 'st&te',
    scope: scopes,
    access_type: 'offline',
    prompt: 'consent',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) authorize.searchParams.set(name, value);
  const page = await (await fetch(authorize)).text();
  const form = new URLSearchParams({ request: /name="request" value="([^"]+)"/.exec(page)?.[1] ?? '', user, decision });
  for (const [, scope = ''] of page.matchAll(/type="checkbox" name="scope" value="([^"]+)"/g))
    if (!untick.includes(scope)) form.append('scope', scope);
  const response = await fetch(new URL('/sandbox/consent', url), { method: 'POST', body: form, redirect: 'manual' });
  const location = new URL(response.headers.get('location') ?? 'http://nowhere.example');
  return { page, verifier, status: response.status, back: location, code: location.searchParams.get('code') ?? '' };
}

interface Consent {
  readonly user: string;
  readonly scopes?: string;
  readonly decision?: 'allow' | 'deny';
  readonly untick?: readonly string[];
}

export async function token(url: string, path: string, form: Record<string, string>) {
  const response = await fetch(new URL(path, url), { method: 'POST', headers: { authorization: BASIC }, body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

/** Consent, then the code for tokens. */
export async function connect(url: string, paths: { authorize: string; token: string }, who: Consent) {
  const { code, verifier } = await consent(url, paths.authorize, who);
  const { body } = await token(url, paths.token, {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    redirect_uri: REDIRECT,
  });
  return {
    access: body['access_token'] ?? '',
    refresh: body['refresh_token'] ?? '',
    scope: body['scope'] ?? '',
    idToken: body['id_token'] ?? '',
  };
}

export const ZOOM = { authorize: '/oauth/authorize', token: '/oauth/token' };
export const MICROSOFT = { authorize: '/common/oauth2/v2.0/authorize', token: '/common/oauth2/v2.0/token' };
export const GOOGLE = { authorize: '/o/oauth2/v2/auth', token: '/token' };
