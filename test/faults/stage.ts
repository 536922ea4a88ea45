/** Vendors and marketplace in the test process, and the gateway either as the real program or in here, on one database. */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { createApi, type Api } from '../../demo/clients.ts';
import { freePort, RETURN_URL } from '../../demo/world.ts';
import type { SandboxOptions } from '../../sandbox/app.ts';
import { startSandbox, type RunningSandbox } from '../../sandbox/server.ts';
import { readConfig } from '../../src/config.ts';
import { createMarketplace } from '../../src/marketplaces/manage.ts';
import { openGateway, serveGateway, type Running } from '../../src/server.ts';
import { startLedger, type Ledger } from './ledger.ts';
import { startProgram, type Program } from './program.ts';

export const ZOOM_SECRET = 'zoom-webhook-secret';

export interface Stage {
  readonly publicUrl: string;
  readonly databaseUrl: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly sandbox: RunningSandbox;
  readonly ledger: Ledger;
  readonly marketplaceId: string;
  readonly api: Api;
  /** The API of a program that was started on another port. */
  apiAt(port: number): Api;
  /** Resolves when the program takes requests; `port`: another one than the address says. Killed when the test is over. */
  start(options?: { port?: number; environment?: Readonly<Record<string, string>> }): Promise<Program>;
  /** The gateway in this process, on the real clock plus `aheadMs`. Closed when the test is over. */
  serve(options?: { aheadMs?: number; environment?: Readonly<Record<string, string>> }): Promise<Running>;
}

/** `address`: as `Engine.createUrl` gives it. */
export async function createStage(address: string, sandboxOptions: Pick<SandboxOptions, 'zoom'> = {}): Promise<Stage> {
  const ledger = await startLedger();
  onTestFinished(() => ledger.close());
  const sandbox = await startSandbox({ port: 0, now: () => new Date(), random: randomBytes, ...sandboxOptions });
  onTestFinished(() => sandbox.close());
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const databaseUrl = address.startsWith('postgres') ? address : `file:${address}`;
  const environment = {
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
    ALLOW_PRIVATE_WEBHOOK_TARGETS: 'true',
    ZOOM_CLIENT_ID: 'sandbox-client',
    ZOOM_CLIENT_SECRET: 'sandbox-secret',
    ZOOM_WEBHOOK_SECRET: ZOOM_SECRET,
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
  };
  const config = readConfig(environment);
  const seams = { random: randomBytes, keys: config.encryptionKeys!, log: pino({ level: 'silent' }) };
  const operator = await openGateway(config, { now: () => new Date(), ...seams });
  const { marketplace, apiKey } = await createMarketplace(operator, { name: 'Test', preset: 'guide', returnUrls: [RETURN_URL] });
  await operator.db.close();

  return {
    publicUrl,
    databaseUrl: address,
    environment,
    sandbox,
    ledger,
    marketplaceId: marketplace.id,
    api: createApi(publicUrl, apiKey),
    apiAt: (own) => createApi(`http://127.0.0.1:${own}`, apiKey),
    async start({ port: own = port, environment: more = {} } = {}) {
      const program = startProgram({ ...environment, PORT: String(own), ...more });
      onTestFinished(async () => {
        program.kill('SIGKILL');
        await program.exit;
      });
      await program.listening;
      return program;
    },
    async serve({ aheadMs = 0, environment: more = {} } = {}) {
      const own = readConfig({ ...environment, ...more });
      const running = await serveGateway(own, { now: () => new Date(Date.now() + aheadMs), ...seams }, { host: '127.0.0.1' });
      onTestFinished(() => running.close());
      return running;
    },
  };
}

/** The numbers of the meetings that Zoom has. */
export async function zoomMeetings({ sandbox }: Stage): Promise<string[]> {
  const answer = await fetch(`${sandbox.url}/control/state`);
  const { vendors } = (await answer.json()) as { vendors: { zoom: { meetings: { id: number; deleted: boolean }[] } } };
  return vendors.zoom.meetings.filter(({ deleted }) => !deleted).map(({ id }) => String(id));
}
