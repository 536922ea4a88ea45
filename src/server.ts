/** Puts a gateway together and serves it. Clock, randomness and environment come from the caller. */
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Logger } from 'pino';
import { createGoogleMeet } from '../providers/google-meet/index.ts';
import { createMicrosoftTeams } from '../providers/microsoft-teams/index.ts';
import type { Provider, ProviderId } from '../providers/provider.ts';
import { createZoom } from '../providers/zoom/index.ts';
import { createIntake } from '../webhooks/intake.ts';
import { createApp } from './app.ts';
import type { Config, EncryptionKey } from './config.ts';
import { checkKeyRing } from './connections/keyring.ts';
import { createVault, type Vault } from './connections/vault.ts';
import { SECOND, type Clock, type RandomBytes } from './domain/time.ts';
import { createSend } from './events/deliver.ts';
import type { Gateway } from './gateway.ts';
import { createLive, type Live } from './http/live.ts';
import { createLog } from './log.ts';
import { openDatabase } from './store/database.ts';
import { startWorker, type Worker } from './worker.ts';

/** How long requests under way may take at a stop: a download may be long, the rest answers within seconds. */
const GRACE_MS = 10 * SECOND;

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
  /** Stops accepting, finishes what is under way, closes the database. Once, however often it is called. */
  close(): Promise<void>;
}

/**
 * A gateway without a server: what the command line and the tests use.
 * @throws DatabaseUnusable, KeysUnusable
 */
export async function openGateway(
  config: Config,
  { now, random, keys, log = createLog(config.logLevel) }: Seams,
  wake: () => void = () => {},
): Promise<Gateway> {
  const db = await openDatabase(config.databaseUrl, { onError: (error) => log.error({ err: error }, 'the database reported an error') });
  try {
    await checkKeyRing(db, { keys, now, random });
  } catch (error) {
    await db.close();
    throw error;
  }
  const vault = createVault({ keys, random });
  return { config, db, providers: createProviders(config, vault, now), now, random, vault, log, wake };
}

export async function serveGateway(config: Config, seams: Seams, { host = '0.0.0.0' }: { host?: string } = {}): Promise<Running> {
  let worker: Worker | undefined;
  let live: Live | undefined;
  const gateway = await openGateway(config, seams, () => {
    worker?.wake();
    live?.look();
  });
  live = createLive(gateway);
  const { intake, takeBreak } = createIntake({ ...gateway, wake: () => worker?.wakeInbox() });
  const app = createApp(gateway, intake, live);
  // The types of the adapter also allow HTTP/2; without other options it is a plain server. Node looks for who is too slow every 30 s only.
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: { connectionsCheckingInterval: SECOND } }) as Server;
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
  worker = await startWorker(gateway, send, takeBreak);
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // Streams never end by themselves; their pages come back to the next process.
    live.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Connections that become idle are closed as they do; what is under way may finish.
    const idle = setInterval(() => server.closeIdleConnections(), 100);
    // The same seconds for both: one after the other they would be more than a supervisor gives.
    const graceOver = wait(GRACE_MS, undefined, { ref: false });
    await worker.stop();
    await Promise.race([closed, graceOver]);
    clearInterval(idle);
    server.closeAllConnections();
    await closed;
    await closeSend();
    await gateway.db.close();
  };
  return {
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    gateway,
    close: () => (closing ??= close()),
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
