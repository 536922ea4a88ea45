import { describe, expect, it } from 'vitest';
import { ConfigInvalid, readConfig } from '../../src/config.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

function problemsOf(environment: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('works without any variable: no app is configured', () => {
    expect(readConfig({})).toMatchObject({
      port: 3_000,
      publicUrl: 'http://localhost:3000',
      databaseUrl: 'file:./data/gateway.db',
      encryptionKeys: undefined,
      allowPrivateWebhookTargets: false,
      zoom: undefined,
      microsoft: undefined,
      google: undefined,
    });
  });

  it('takes an empty variable as one that is not set', () => {
    expect(readConfig({ PORT: '', ZOOM_CLIENT_ID: '' })).toMatchObject({ port: 3_000, zoom: undefined });
  });

  it('reads every variable of the contract', () => {
    const config = readConfig({
      PORT: '8080',
      PUBLIC_URL: 'https://gateway.example/',
      DATABASE_URL: 'postgres://db/gateway',
      ENCRYPTION_KEYS: `new:${KEY}, old:${Buffer.alloc(32, 8).toString('base64')}`,
      ZOOM_CLIENT_ID: 'z',
      ZOOM_CLIENT_SECRET: 'zs',
      ZOOM_WEBHOOK_SECRET: 'new-secret, old-secret',
      MICROSOFT_CLIENT_ID: 'm',
      MICROSOFT_CLIENT_SECRET: 'ms',
      GOOGLE_CLIENT_ID: 'g',
      GOOGLE_CLIENT_SECRET: 'gs',
      ALLOW_PRIVATE_WEBHOOK_TARGETS: 'true',
    });
    expect(config).toMatchObject({
      port: 8_080,
      publicUrl: 'https://gateway.example',
      encryptionKeys: [{ id: 'new' }, { id: 'old' }],
      allowPrivateWebhookTargets: true,
      zoom: { webhookSecrets: ['new-secret', 'old-secret'], oauthUrl: 'https://zoom.us', apiUrl: 'https://api.zoom.us/v2' },
      microsoft: { tenant: 'common', loginUrl: 'https://login.microsoftonline.com', graphUrl: 'https://graph.microsoft.com' },
      google: { authUrl: 'https://accounts.google.com', tokenUrl: 'https://oauth2.googleapis.com', apiUrl: undefined },
    });
  });

  it('names everything that is wrong at once, and no value', () => {
    const environment = {
      PORT: 'canary-port',
      PUBLIC_URL: 'http://canary.example',
      DATABASE_URL: 'mysql://user:canary-password@db/x',
      ENCRYPTION_KEYS: 'k1:canary-key',
      ZOOM_CLIENT_SECRET: 'canary-zoom',
      GOOGLE_PUBSUB_TOPIC: 'canary-topic',
      GOOGLE_API_URL: 'https://user:canary@example.com',
      MICROSOFT_TENANT: 'canary/../tenant',
      ALLOW_PRIVATE_WEBHOOK_TARGETS: 'canary-maybe',
      METRICS_TOKEN: 'canary-short',
      LOG_LEVEL: 'canary-loud',
    };
    const problems = problemsOf(environment);
    for (const name of Object.keys(environment).filter((name) => name !== 'ZOOM_CLIENT_SECRET'))
      expect(
        problems.filter((problem) => problem.startsWith(`${name} `)),
        name,
      ).toHaveLength(1);
    expect(problems).toContainEqual(expect.stringMatching(/^ZOOM_CLIENT_ID is missing/));
    expect(problems).toContainEqual(expect.stringMatching(/^ZOOM_WEBHOOK_SECRET is missing/));
    expect(new ConfigInvalid(problems).message).not.toContain('canary');
    for (const problem of problems) expect(new ConfigInvalid(problems).message).toContain(problem);
  });

  it.each([
    ['a key that is not 32 bytes', `k1:${Buffer.alloc(31).toString('base64')}`],
    ['a key without a name', `:${KEY}`],
    ['a key id twice', `k1:${KEY},k1:${KEY}`],
  ])('refuses %s', (_what, ENCRYPTION_KEYS) => {
    expect(problemsOf({ ENCRYPTION_KEYS })).toHaveLength(1);
  });

  it.each(['http://127.0.0.1:4010', 'http://localhost:4010', 'http://[::1]:4010', 'https://anything.example'])(
    'takes %s as an address of a vendor',
    (url) => {
      expect(problemsOf({ ZOOM_OAUTH_URL: url })).toEqual([]);
    },
  );

  it.each([
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'ftp://127.0.0.1',
    'https://user@zoom.us',
    'https://zoom.us/?x=1',
    'zoom.us',
  ])('refuses %s as an address of a vendor', (url) => {
    expect(problemsOf({ ZOOM_OAUTH_URL: url })).toHaveLength(1);
  });
});
