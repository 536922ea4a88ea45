/** Sandbox, gateway and marketplace on free ports with a temporary database, all on one clock that the story may move. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { startSandbox, type RunningSandbox } from '../sandbox/server.ts';
import { readConfig } from '../src/config.ts';
import { addHost } from '../src/connections/platform.ts';
import type { PresetName } from '../src/domain/presets/index.ts';
import { createMarketplace } from '../src/marketplaces/manage.ts';
import { serveGateway, type Running } from '../src/server.ts';
import { createApi, type Api } from './clients.ts';
import { startReceiver, type Receiver } from './receiver.ts';

export interface WorldOptions {
  readonly logLevel: string;
  /** Where the gateway's log lines go; standard output when left out. */
  readonly log?: Logger;
  /** Default: a SQLite file in a temporary folder. */
  readonly databaseUrl?: string;
  readonly policy?: PresetName;
  /** Further variables of the gateway, or other values for those that are set here; undefined takes one away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** `cli` runs the operator's command as an operator would (needs the built program); `direct` calls what is behind it. */
  readonly operator: 'cli' | 'direct';
  /** A standing clock moves by `jump` only. */
  readonly clock: 'running' | 'standing';
}

export interface World {
  readonly publicUrl: string;
  readonly marketplaceId: string;
  readonly apiKey: string;
  readonly zoomWebhookSecret: string;
  readonly sandbox: RunningSandbox;
  readonly gateway: Running;
  readonly receiver: Receiver;
  readonly api: Api;
  readonly now: () => Date;
  /** Puts a user of the operator's own Zoom account into the marketplace's pool of hosts. */
  addHost(email: string): Promise<void>;
  /** Moves the clock of everything, and lets the worker look at what has become due. */
  jump(ms: number): void;
  close(): Promise<void>;
}

const PUSH_ACCOUNT = 'push@sandbox.iam.gserviceaccount.com';
const ZOOM_SECRET = 'sandbox-webhook-secret';

export async function createWorld({
  logLevel,
  log,
  databaseUrl,
  policy = 'guide',
  environment: changes = {},
  operator,
  clock,
}: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-world-'));
  const startedAt = Date.now();
  let offsetMs = 0;
  const now = () => new Date((clock === 'running' ? Date.now() : startedAt) + offsetMs);

  const receiver = await startReceiver();
  const sandbox = await startSandbox({ port: 0, now, random: randomBytes });
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const environment = {
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    DATABASE_URL: databaseUrl ?? `file:${join(folder, 'gateway.db')}`,
    ENCRYPTION_KEYS: `demo:${randomBytes(32).toString('base64')}`,
    ALLOW_PRIVATE_WEBHOOK_TARGETS: 'true',
    LOG_LEVEL: logLevel,
    ZOOM_CLIENT_ID: 'sandbox-client',
    ZOOM_CLIENT_SECRET: 'sandbox-secret',
    ZOOM_WEBHOOK_SECRET: ZOOM_SECRET,
    ZOOM_ACCOUNT_ID: 'sandbox-account',
    ZOOM_OAUTH_URL: sandbox.url,
    ZOOM_API_URL: `${sandbox.url}/v2`,
    MICROSOFT_CLIENT_ID: 'sandbox-client',
    MICROSOFT_CLIENT_SECRET: 'sandbox-secret',
    MICROSOFT_LOGIN_URL: sandbox.url,
    MICROSOFT_GRAPH_URL: sandbox.url,
    GOOGLE_CLIENT_ID: 'sandbox-client',
    GOOGLE_CLIENT_SECRET: 'sandbox-secret',
    GOOGLE_AUTH_URL: sandbox.url,
    GOOGLE_TOKEN_URL: sandbox.url,
    GOOGLE_API_URL: sandbox.url,
    GOOGLE_JWKS_URL: `${sandbox.url}/oauth2/v3/certs`,
    GOOGLE_PUBSUB_TOPIC: 'projects/sandbox/topics/meet-events',
    GOOGLE_PUSH_AUDIENCE: `${publicUrl}/webhooks/google-meet`,
    GOOGLE_PUSH_SERVICE_ACCOUNT: PUSH_ACCOUNT,
  };

  const config = readConfig({ ...environment, ...changes });
  const gateway = await serveGateway(
    config,
    { now, random: randomBytes, keys: config.encryptionKeys!, ...(log === undefined ? {} : { log }) },
    { host: '127.0.0.1' },
  );
  const operations = operator === 'cli' ? byCommand({ ...environment, ...changes }) : byCall(gateway);
  const { marketplaceId, apiKey } = await operations.createMarketplace(policy);
  await sandbox.sandbox.configureWebhooks({
    zoom: { url: `${publicUrl}/webhooks/zoom`, secret: ZOOM_SECRET },
    google: {
      url: `${publicUrl}/webhooks/google-meet`,
      audience: `${publicUrl}/webhooks/google-meet`,
      service_account: PUSH_ACCOUNT,
      subscription: 'projects/sandbox/subscriptions/meet-events-push',
    },
  });

  return {
    publicUrl,
    marketplaceId,
    apiKey,
    zoomWebhookSecret: ZOOM_SECRET,
    sandbox,
    gateway,
    receiver,
    api: createApi(publicUrl, apiKey),
    now,
    addHost: (email) => operations.addHost(marketplaceId, email),
    jump(ms) {
      offsetMs += ms;
      gateway.gateway.wake();
    },
    async close() {
      await gateway.close();
      await sandbox.close();
      await receiver.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const NAME = 'Demo Marketplace';
export const RETURN_URL = 'http://127.0.0.1/marketplace';

interface Operations {
  createMarketplace(policy: PresetName): Promise<{ marketplaceId: string; apiKey: string }>;
  addHost(marketplaceId: string, email: string): Promise<void>;
}

function byCommand(environment: Readonly<Record<string, string | undefined>>): Operations {
  const run = async (words: readonly string[]): Promise<unknown> => {
    const cli = fileURLToPath(new URL('../src/cli.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...words, '--json'], { env: { ...process.env, ...environment } });
    return JSON.parse(stdout);
  };
  return {
    async createMarketplace(policy) {
      const made = await run(['marketplace', 'create', '--name', NAME, '--policy', policy, '--return-url', RETURN_URL]);
      const { id, api_key: apiKey } = made as { id: string; api_key: string };
      return { marketplaceId: id, apiKey };
    },
    async addHost(marketplaceId, email) {
      await run(['connections', 'add-platform', 'zoom', '--marketplace', marketplaceId, '--host', email]);
    },
  };
}

const byCall = ({ gateway }: Running): Operations => ({
  async createMarketplace(preset) {
    const { marketplace, apiKey } = await createMarketplace(gateway, { name: NAME, preset, returnUrls: [RETURN_URL] });
    return { marketplaceId: marketplace.id, apiKey };
  },
  async addHost(marketplaceId, host) {
    await addHost(gateway, { marketplaceId, provider: 'zoom', host });
  },
});

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
