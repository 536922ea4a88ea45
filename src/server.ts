/** Puts a gateway together and serves it. Clock, randomness and environment come from the caller. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import pino, { type Logger } from 'pino';
import { createGoogleMeet } from '../providers/google-meet/index.ts';
import { createMicrosoftTeams } from '../providers/microsoft-teams/index.ts';
import type { Provider, ProviderId } from '../providers/provider.ts';
import { createZoom } from '../providers/zoom/index.ts';
import { createIntake } from '../webhooks/intake.ts';
import { createApp } from './app.ts';
import type { Config, EncryptionKey } from './config.ts';
import { createVault, type Vault } from './connections/vault.ts';
import { SECOND, type Clock, type RandomBytes } from './domain/time.ts';
import { createSend } from './events/deliver.ts';
import type { Gateway } from './gateway.ts';
import { openDatabase } from './store/database.ts';
import { startWorker, type Worker } from './worker.ts';

export interface Seams {
  readonly now: Clock;
  readonly random: RandomBytes;
  readonly keys: readonly EncryptionKey[];
  /** Where log lines go; standard output when left out. */
  readonly log?: Logger;
}

export interface Running {
  /** Where it listens: `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly gateway: Gateway;
  /** Stops accepting, finishes what is under way, closes the database. */
  close(): Promise<void>;
}

/** A gateway without a server: what the command line and the tests use. */
export async function openGateway(
  config: Config,
  { now, random, keys, log = createLog(config) }: Seams,
  wake: () => void = () => {},
): Promise<Gateway> {
  const db = await openDatabase(config.databaseUrl, { onError: (error) => log.error({ err: error }, 'the database reported an error') });
  const vault = createVault({ keys, random });
  return { config, db, providers: createProviders(config, vault, now), now, random, vault, log, wake };
}

export async function serveGateway(config: Config, seams: Seams, { host = '0.0.0.0' }: { host?: string } = {}): Promise<Running> {
  let worker: Worker | undefined;
  const gateway = await openGateway(config, seams, () => worker?.wake());
  const intake = createIntake({ ...gateway, wake: () => worker?.wakeInbox() });
  const app = createApp(gateway, intake);
  // The types of the adapter also allow HTTP/2; without options it is a plain server.
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.headersTimeout = 5 * SECOND;
  server.requestTimeout = 15 * SECOND;
  const { send, close: closeSend } = createSend({ allowPrivate: config.allowPrivateWebhookTargets });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(config.port, host, resolve);
    });
  } catch (error) {
    await gateway.db.close();
    throw error;
  }
  worker = await startWorker(gateway, send, intake);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    gateway,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await worker.stop();
      server.closeAllConnections();
      await closed;
      await closeSend();
      await gateway.db.close();
    },
  };
}

/** The configured vendors. Their SDKs are loaded at first use, not here. */
function createProviders(config: Config, vault: Vault, now: Clock): ReadonlyMap<ProviderId, Provider> {
  const { zoom, microsoft, google } = config;
  const providers: Provider[] = [];
  if (zoom !== undefined) providers.push(createZoom({ ...zoom, mediaOrigins: origins(zoom.oauthUrl, zoom.apiUrl), now }));
  if (microsoft !== undefined) {
    providers.push(
      createMicrosoftTeams({
        ...microsoft,
        clientStateSecrets: vault.derive('microsoft-client-state'),
        mediaOrigins: origins(microsoft.graphUrl),
        now,
      }),
    );
  }
  if (google !== undefined) providers.push(createGoogleMeet({ ...google, mediaOrigins: origins(google.apiUrl), now }));
  return new Map(providers.map((provider) => [provider.id, provider]));
}

const origins = (...urls: (string | undefined)[]): string[] => urls.filter((url) => url !== undefined).map((url) => new URL(url).origin);

/** Log lines are JSON on standard output. Secrets are not logged in the first place; what looks like one is masked all the same. */
const createLog = (config: Config): Logger =>
  pino({
    level: config.logLevel,
    serializers: { err: (error: Error) => scrubbed(pino.stdSerializers.err(error)) },
  });

/** Bearer tokens, our own links and webhook secrets, wherever in a text. */
const SECRETS =
  /(bearer\s+|whsec_|\/(?:j|h|r|connect)\/|(?:access_token|refresh_token|client_secret|code|pwd|p|zak)["']?[=:]\s*["']?)[A-Za-z0-9._~+/=-]{8,}/gi;

function scrubbed<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll(SECRETS, '$1[masked]')) as T;
}
