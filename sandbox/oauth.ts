/** Codes, grants and tokens of all three vendors; what the endpoints say about them is each vendor's own business. */
import { createHash } from 'node:crypto';
import { MINUTE, plus } from './clock.ts';
import { secret } from './ids.ts';
import type { RandomBytes } from './ids.ts';
import type { Client, VendorId } from './world.ts';

/** Zoom documents 5 minutes; the others name no figure. */
const CODE_LIFE_MS = 5 * MINUTE;

export interface AuthorizeRequest {
  readonly vendor: VendorId;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string | null;
  readonly scopes: readonly string[];
  readonly codeChallenge: string | null;
  readonly codeChallengeMethod: string;
  readonly parameters: URLSearchParams;
}

export interface Grant {
  readonly vendor: VendorId;
  readonly clientId: string;
  /** Null for the application itself. */
  readonly userId: string | null;
  readonly scopes: readonly string[];
  revoked: boolean;
}

export interface Token {
  readonly value: string;
  readonly kind: 'access' | 'refresh';
  readonly grant: Grant;
  readonly scopes: readonly string[];
  /** Use moves it, at vendors that count from the last use. */
  expiresAt: Date;
  /** When a refresh token that may be used once only has been used. */
  spentAt: Date | null;
}

export interface Code {
  readonly request: AuthorizeRequest;
  readonly userId: string;
  readonly granted: readonly string[];
  readonly expiresAt: Date;
  used: boolean;
}

export type Redeemed =
  | { readonly code: Code; readonly error?: undefined }
  | { readonly code?: undefined; readonly error: 'unknown' | 'used' | 'expired' | 'client' | 'redirect' | 'verifier' };

export interface OAuthStore {
  /** Remembers a request while the consent page is open. */
  open(request: AuthorizeRequest): string;
  opened(id: string): AuthorizeRequest | undefined;
  approve(request: AuthorizeRequest, userId: string, granted: readonly string[]): string;
  redeem(form: { code: string; clientId: string; redirectUri: string; verifier: string | undefined }): Redeemed;
  grant(grant: Omit<Grant, 'revoked'>): Grant;
  grants(vendor: VendorId, userId: string): readonly Grant[];
  issue(grant: Grant, token: { kind: Token['kind']; lifeMs: number; prefix: string; scopes?: readonly string[] }): Token;
  /** Whatever its state; the vendor decides. */
  token(value: string, vendor: VendorId): Token | undefined;
  /** A live access token of the vendor. */
  access(authorization: string | undefined, vendor: VendorId): Token | undefined;
  reset(): void;
}

export function createOAuthStore({ now, random }: { now: () => Date; random: RandomBytes }): OAuthStore {
  const open = new Map<string, AuthorizeRequest>();
  const codes = new Map<string, Code>();
  const tokens = new Map<string, Token>();
  let grants: Grant[] = [];

  return {
    open(request) {
      const id = secret(random, 16);
      open.set(id, request);
      return id;
    },
    opened: (id) => open.get(id),
    approve(request, userId, granted) {
      const value = secret(random, 24);
      codes.set(value, { request, userId, granted, expiresAt: plus(now(), CODE_LIFE_MS), used: false });
      return value;
    },
    redeem({ code: value, clientId, redirectUri, verifier }) {
      const code = codes.get(value);
      if (!code) return { error: 'unknown' };
      if (code.used) return { error: 'used' };
      if (code.expiresAt <= now()) return { error: 'expired' };
      if (code.request.clientId !== clientId) return { error: 'client' };
      if (code.request.redirectUri !== redirectUri) return { error: 'redirect' };
      if (!verifierFits(code.request, verifier)) return { error: 'verifier' };
      code.used = true;
      return { code };
    },
    grant(fields) {
      const grant = { ...fields, revoked: false };
      grants.push(grant);
      return grant;
    },
    grants: (vendor, userId) => grants.filter((grant) => grant.vendor === vendor && grant.userId === userId && !grant.revoked),
    issue(grant, { kind, lifeMs, prefix, scopes = grant.scopes }) {
      const token: Token = {
        value: `${prefix}${secret(random)}`,
        kind,
        grant,
        scopes,
        expiresAt: plus(now(), lifeMs),
        spentAt: null,
      };
      tokens.set(token.value, token);
      return token;
    },
    token(value, vendor) {
      const token = tokens.get(value);
      return token?.grant.vendor === vendor ? token : undefined;
    },
    access(authorization, vendor) {
      const token = tokens.get(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
      const live = token?.kind === 'access' && token.grant.vendor === vendor && !token.grant.revoked && token.expiresAt > now();
      return live ? token : undefined;
    },
    reset() {
      open.clear();
      codes.clear();
      tokens.clear();
      grants = [];
    },
  };
}

/** The client that authenticates with the `Authorization` header or, where the vendor allows it, in the form. */
export function authenticates(client: Client, authorization: string | undefined, form: URLSearchParams): boolean {
  const basic = /^Basic (.+)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return form.get('client_id') === client.id && form.get('client_secret') === client.secret;
  const [id = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  // RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
  const decoded = [id, rest.join(':')].map((part) => new URLSearchParams(`v=${part}`).get('v'));
  return decoded[0] === client.id && decoded[1] === client.secret;
}

/** Reads an authorization request; a text when it cannot even be sent back to the application. */
export function readAuthorizeRequest(vendor: VendorId, client: Client, parameters: URLSearchParams): AuthorizeRequest | string {
  const redirectUri = parameters.get('redirect_uri') ?? '';
  if (parameters.get('client_id') !== client.id) return 'There is no application with this client_id.';
  if (!URL.canParse(redirectUri) || !/^https?:$/.test(new URL(redirectUri).protocol))
    return 'redirect_uri is missing or not a web address.';
  if (parameters.get('response_type') !== 'code') return 'response_type has to be "code".';
  return {
    vendor,
    clientId: client.id,
    redirectUri,
    state: parameters.get('state'),
    scopes: (parameters.get('scope') ?? '').split(/\s+/).filter(Boolean),
    codeChallenge: parameters.get('code_challenge'),
    codeChallengeMethod: parameters.get('code_challenge_method') ?? 'plain',
    parameters,
  };
}

function verifierFits({ codeChallenge, codeChallengeMethod }: AuthorizeRequest, verifier: string | undefined): boolean {
  if (codeChallenge === null) return true;
  if (verifier === undefined) return false;
  const expected = codeChallengeMethod === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  return expected === codeChallenge;
}
