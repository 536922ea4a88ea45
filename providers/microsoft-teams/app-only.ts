/** Tokens of the app itself (client credentials), for tenants that granted it application permissions. */
import type { AccessToken, ClientSecretCredential, ClientSecretCredentialOptions } from '@azure/identity';
import { Failure } from '../../src/domain/failure.ts';
import { repeating, TIMEOUT_MS } from '../call.ts';

const SCOPE = 'https://graph.microsoft.com/.default';

export interface AppOnlyOptions {
  /** One tenant: `common` cannot be asked for an app's own token. */
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Origin of Entra ID. */
  readonly loginUrl?: string;
}

/**
 * Gives a valid token; kept in memory and renewed by the library.
 * @throws Failure `vendor_refused` with Entra's error, `vendor_unavailable` when it does not answer.
 */
export function createAppOnlyToken(options: AppOnlyOptions): () => Promise<string> {
  let loading: Promise<ClientSecretCredential> | undefined;
  return () =>
    repeating(async () => {
      loading ??= createCredential(options);
      const credential = await loading;
      try {
        return tokenOf(await credential.getToken(SCOPE));
      } catch (error) {
        throw named(error);
      }
    });
}

async function createCredential({ tenantId, clientId, clientSecret, loginUrl }: AppOnlyOptions): Promise<ClientSecretCredential> {
  // Loaded with the first call: it takes longer than everything else at start.
  const { ClientSecretCredential } = await import('@azure/identity');
  return new ClientSecretCredential(tenantId, clientId, clientSecret, credentialOptions(loginUrl ?? 'https://login.microsoftonline.com'));
}

function credentialOptions(loginUrl: string): ClientSecretCredentialOptions {
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
            if (origin === authorityHost || !request.url.startsWith(`${authorityHost}/`)) return next(request);
            // The library wants an https authority; the sandbox on loopback is http. `config.ts` refuses it for any other host.
            request.url = origin + request.url.slice(authorityHost.length);
            request.allowInsecureConnection = true;
            const response = await next(request);
            // The discovery document names its endpoints; they have to be https for the library, and come back here.
            if (request.method !== 'GET' || !response.bodyAsText) return response;
            return { ...response, bodyAsText: response.bodyAsText.replaceAll(origin, authorityHost) };
          },
        },
      },
    ],
  };
}

function tokenOf(answer: AccessToken | null): string {
  if (answer) return answer.token;
  throw new Failure('vendor_nonsense', 'Entra ID answered without a token.');
}

/** Entra's own error is in the words of the library's error, and nowhere else. */
function named(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const words = error instanceof Error ? error.message : String(error);
  const number = /AADSTS\d+/.exec(words)?.[0];
  const code = number ?? /\b(invalid_client|unauthorized_client|invalid_request|invalid_scope|invalid_grant)\b/.exec(words)?.[0];
  if (code === undefined) return new Failure('vendor_unavailable', 'Entra ID did not answer.', { cause: error });
  return new Failure('vendor_refused', `Entra ID refused a token for the app: ${code}.`, { cause: error, extra: { vendor_code: code } });
}
