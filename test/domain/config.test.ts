import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigInvalid, readConfig } from '../../src/config.ts';

const KEY = randomBytes(32).toString('base64');

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
      ENCRYPTION_KEYS: `new:${KEY}, old:${randomBytes(32).toString('base64')}`,
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
    ['one key under two ids', `k1:${KEY},k2:${KEY}`],
  ])('refuses %s', (_what, ENCRYPTION_KEYS) => {
    expect(problemsOf({ ENCRYPTION_KEYS })).toHaveLength(1);
  });

  it.each([
    ['zeros', Buffer.alloc(32)],
    ['one byte', Buffer.alloc(32, 0xa5)],
    ['a short pattern', Buffer.from('deadbeef'.repeat(8), 'hex')],
    ['half of zeros', Buffer.concat([randomBytes(16), Buffer.alloc(16)])],
    ['counting', Buffer.from(Array.from({ length: 32 }, (_, index) => 250 + index))],
    ['counting down in threes', Buffer.from(Array.from({ length: 32 }, (_, index) => 100 - 3 * index))],
    ['a default', Buffer.from('changemechangemechangemechangeme')],
    ['a sentence', Buffer.from('The quick brown fox jumps over t')],
    ['a digest in hexadecimal', Buffer.from(randomBytes(16).toString('hex'))],
  ])('case 90: refuses a key that is %s', (_what, key) => {
    expect(problemsOf({ ENCRYPTION_KEYS: `good:${KEY},bad:${key.toString('base64')}` })).toEqual([
      expect.stringContaining('ENCRYPTION_KEYS has a key that is not random'),
    ]);
  });

  it('case 90: takes every key that a random generator makes', () => {
    fc.assert(
      fc.property(fc.constant(undefined), () => {
        expect(problemsOf({ ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}` })).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
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
