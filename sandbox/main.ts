/** Runs the sandbox alone: `npm run sandbox`. The environment and its defaults are described in docs/sandbox.md. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { startSandbox } from './server.ts';

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(4010),
  SANDBOX_CLIENT_ID: z.string().default('sandbox-client'),
  SANDBOX_CLIENT_SECRET: z.string().default('sandbox-secret'),
  ZOOM_ACCOUNT_ID: z.string().default('sandbox-account'),
  ZOOM_WEBHOOK_URL: z.url().optional(),
  ZOOM_WEBHOOK_SECRET: z.string().default('sandbox-webhook-secret'),
  GOOGLE_PUSH_URL: z.url().optional(),
  GOOGLE_PUSH_AUDIENCE: z.string().optional(),
  GOOGLE_PUSH_SERVICE_ACCOUNT: z.string().default('push@sandbox.iam.gserviceaccount.com'),
  GOOGLE_PUSH_SUBSCRIPTION: z.string().default('projects/sandbox/subscriptions/meet-events-push'),
});

const read = environment.parse(process.env);
const client = { id: read.SANDBOX_CLIENT_ID, secret: read.SANDBOX_CLIENT_SECRET };

const { url, sandbox, close } = await startSandbox({
  port: read.PORT,
  now: () => new Date(),
  random: randomBytes,
  clients: { zoom: client, 'microsoft-teams': client, 'google-meet': client },
  zoom: {
    accountId: read.ZOOM_ACCOUNT_ID,
    ...(read.ZOOM_WEBHOOK_URL === undefined ? {} : { webhook: { url: read.ZOOM_WEBHOOK_URL, secret: read.ZOOM_WEBHOOK_SECRET } }),
  },
  google:
    read.GOOGLE_PUSH_URL === undefined
      ? {}
      : {
          webhook: {
            url: read.GOOGLE_PUSH_URL,
            audience: read.GOOGLE_PUSH_AUDIENCE ?? read.GOOGLE_PUSH_URL,
            serviceAccount: read.GOOGLE_PUSH_SERVICE_ACCOUNT,
            subscription: read.GOOGLE_PUSH_SUBSCRIPTION,
          },
        },
});

console.log(`Sandbox of Zoom, Microsoft and Google: ${url} (control: ${url}/control/state)`);
for (const vendor of ['zoom', 'microsoft-teams', 'google-meet'] as const) {
  for (const { email, note } of sandbox.users(vendor)) console.log(`  ${vendor}: ${email} (${note})`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close());
