/** Tokens of the app itself (client credentials), for the operator's tenant that granted it application permissions. */
import http from 'node:http';
import https from 'node:https';
import type { ClientSecretCredential, ClientSecretCredentialOptions } from '@azure/identity';
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { HOUR, SECOND } from '../../src/domain/time.ts';
import { repeating, TIMEOUT_MS } from '../call.ts';
import type { Grant } from '../provider.ts';

const SCOPE = 'https://graph.microsoft.com/.default';

export interface AppOnlyOptions {
  /** One tenant: `common` cannot be asked for an app's own token. */
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Origin of Entra ID. */
  readonly loginUrl: string;
}

/** What the token endpoint said, which the library keeps to itself. */
interface Noted {
  status?: number;
  expiresInMs?: number;
}

const lifetime = z.object({ expires_in: z.coerce.number().int().positive() });

/**
 * A token that Entra has just made. The library keeps tokens in the memory of a credential and gives them out again until five minutes
 * before their end; here the grant's row is the memory, shared by all processes, so that every call gets a credential of its own.
 * @throws Failure `credentials_rejected` with Entra's error, `vendor_unavailable` when it does not answer.
 */
export function askAppOnlyToken(options: AppOnlyOptions): Promise<Pick<Grant, 'accessToken' | 'expiresInMs'>> {
  return repeating(async () => {
    const noted: Noted = {};
    try {
      const credential = await createCredential(options, noted);
      const { token } = await credential.getToken(SCOPE);
      // The library tells a moment by its own clock; the answer tells how long. Entra documents about an hour.
      return { accessToken: token, expiresInMs: noted.expiresInMs ?? HOUR };
    } catch (error) {
      throw named(error, noted, options.tenant);
    }
  });
}

async function createCredential(
  { tenant, clientId, clientSecret, loginUrl }: AppOnlyOptions,
  noted: Noted,
): Promise<ClientSecretCredential> {
  // Loaded with the first call: it takes longer than everything else at start.
  const { ClientSecretCredential } = await import('@azure/identity');
  return new ClientSecretCredential(tenant, clientId, clientSecret, credentialOptions(loginUrl, noted));
}

function credentialOptions(loginUrl: string, noted: Noted): ClientSecretCredentialOptions {
  const { origin, host } = new URL(loginUrl);
  const authorityHost = `https://${host}`;
  return {
    authorityHost,
    // Microsoft's public directory does not know a host that the operator configured.
    disableInstanceDiscovery: true,
    // `repeating` decides.
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [
      {
        position: 'perCall',
        policy: {
          name: 'configuredLoginOrigin',
          async sendRequest(request, next) {
            request.timeout = TIMEOUT_MS;
            const moved = origin !== authorityHost && request.url.startsWith(`${authorityHost}/`);
            if (moved) {
              // The library wants an https authority; the sandbox on loopback is http. `config.ts` refuses it for any other host.
              request.url = origin + request.url.slice(authorityHost.length);
              request.allowInsecureConnection = true;
            }
            // With an agent of its own, the library does not send the app's secret to whatever HTTPS_PROXY names, as no other call would.
            request.agent = (request.url.startsWith('https:') ? https : http).globalAgent;
            const response = await next(request);
            noted.status = response.status;
            if (request.method === 'POST') {
              const seconds = lifetime.safeParse(parseJson(response.bodyAsText ?? '')).data?.expires_in;
              if (seconds !== undefined) noted.expiresInMs = seconds * SECOND;
            }
            // The discovery document names its endpoints; they have to be https for the library, and come back here.
            if (!moved || request.method !== 'GET' || !response.bodyAsText) return response;
            return { ...response, bodyAsText: response.bodyAsText.replaceAll(origin, authorityHost) };
          },
        },
      },
    ],
  };
}

/** Entra's own error is in the words of the library's error, and nowhere else. Whatever it is, nobody but the operator can cure it. */
function named(error: unknown, { status }: Noted, tenant: string): Failure {
  const words = error instanceof Error ? error.message : String(error);
  const number = /AADSTS\d+/.exec(words)?.[0];
  const code = number ?? /\b(invalid_client|unauthorized_client|invalid_request|invalid_scope|invalid_grant)\b/.exec(words)?.[0];
  if (code === undefined || status === 429 || (status !== undefined && status >= 500)) {
    return new Failure('vendor_unavailable', 'Entra ID did not answer.', { cause: error });
  }
  return new Failure('credentials_rejected', `Entra ID refuses the app its own token in the tenant ${tenant}: ${code}.`, {
    cause: error,
    extra: { vendor_code: code },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
