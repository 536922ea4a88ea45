import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigInvalid, readConfig } from '../../src/config.ts';
import { selfSigned } from '../support/certificate.ts';

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

  it('case 127: names everything that is wrong at once, and no value', () => {
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

describe('the configuration of the platform accounts (F04)', () => {
  const ZOOM = { ZOOM_CLIENT_ID: 'z', ZOOM_CLIENT_SECRET: 'zs', ZOOM_WEBHOOK_SECRET: 'w' };
  const GOOGLE = { GOOGLE_CLIENT_ID: 'g', GOOGLE_CLIENT_SECRET: 'gs' };
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const KEY_FILE = JSON.stringify({ type: 'service_account', client_email: 'hosts@example.iam', client_id: '1', private_key: privateKey });

  it('is absent where nothing is set', () => {
    expect(readConfig(ZOOM).zoom).toMatchObject({ platform: undefined });
    expect(readConfig({ MICROSOFT_CLIENT_ID: 'm', MICROSOFT_CLIENT_SECRET: 'ms' }).microsoft).toMatchObject({ platform: undefined });
    expect(readConfig(GOOGLE).google).toMatchObject({ platform: undefined });
  });

  it("takes the Server-to-Server app's own credentials, or those of the other app", () => {
    expect(readConfig({ ...ZOOM, ZOOM_ACCOUNT_ID: 'a' }).zoom?.platform).toEqual({ accountId: 'a', clientId: 'z', clientSecret: 'zs' });
    const own = { ...ZOOM, ZOOM_ACCOUNT_ID: 'a', ZOOM_PLATFORM_CLIENT_ID: 'p', ZOOM_PLATFORM_CLIENT_SECRET: 'ps' };
    expect(readConfig(own).zoom?.platform).toEqual({ accountId: 'a', clientId: 'p', clientSecret: 'ps' });
  });

  it('reads certificates for notifications with their keys, in either order, and refuses what does not belong together', () => {
    const [one, other] = [selfSigned(), selfSigned()];
    const microsoft = { MICROSOFT_CLIENT_ID: 'id', MICROSOFT_CLIENT_SECRET: 'secret' };
    const read = (pem: string) => readConfig({ ...microsoft, MICROSOFT_NOTIFICATION_KEYS: pem }).microsoft?.notificationKeys;
    expect(readConfig(microsoft).microsoft?.notificationKeys).toEqual([]);
    const trimmed = ({ certificate, privateKey }: typeof one) => ({ certificate: certificate.trim(), privateKey: privateKey.trim() });
    expect(read(`${one.privateKey}${one.certificate}${other.certificate}${other.privateKey}`)).toEqual([trimmed(one), trimmed(other)]);
    for (const pem of [one.certificate, one.privateKey, one.certificate + other.privateKey, 'no-such-file', '-----BEGIN CERTIFICATE-----'])
      expect(problemsOf({ ...microsoft, MICROSOFT_NOTIFICATION_KEYS: pem })).toEqual([
        expect.stringMatching(/^MICROSOFT_NOTIFICATION_KEYS must be RSA certificates/),
      ]);
    expect(problemsOf({ MICROSOFT_NOTIFICATION_KEYS: one.certificate + one.privateKey })).toEqual([
      'MICROSOFT_NOTIFICATION_KEYS needs MICROSOFT_CLIENT_ID',
    ]);
  });

  it('takes one tenant of Microsoft', () => {
    const microsoft = { MICROSOFT_CLIENT_ID: 'm', MICROSOFT_CLIENT_SECRET: 'ms' };
    expect(readConfig({ ...microsoft, MICROSOFT_PLATFORM_TENANT: 'contoso.example' }).microsoft?.platform).toEqual({
      tenant: 'contoso.example',
    });
    expect(problemsOf({ ...microsoft, MICROSOFT_PLATFORM_TENANT: 'common' })).toEqual(['MICROSOFT_PLATFORM_TENANT must be one tenant']);
  });

  it("takes the key of Google's service account as it is or by the path of its file", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gateway-key-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'key.json');
    await writeFile(path, KEY_FILE);
    for (const GOOGLE_SERVICE_ACCOUNT_KEY of [KEY_FILE, path]) {
      expect(readConfig({ ...GOOGLE, GOOGLE_SERVICE_ACCOUNT_KEY }).google?.platform).toEqual({
        clientEmail: 'hosts@example.iam',
        clientId: '1',
        privateKey,
        tokenUrl: 'https://oauth2.googleapis.com/token',
      });
    }
    for (const GOOGLE_SERVICE_ACCOUNT_KEY of [join(folder, 'absent'), '{}', KEY_FILE.replace('PRIVATE', 'canary')]) {
      const problems = problemsOf({ ...GOOGLE, GOOGLE_SERVICE_ACCOUNT_KEY });
      expect(problems).toEqual([expect.stringMatching(/^GOOGLE_SERVICE_ACCOUNT_KEY must be the JSON key/)]);
      expect(problems.join()).not.toMatch(/canary|BEGIN/);
    }
  });

  it('names what a platform account cannot do without', () => {
    expect(
      problemsOf({
        ZOOM_ACCOUNT_ID: 'a',
        ZOOM_PLATFORM_CLIENT_ID: 'p',
        MICROSOFT_PLATFORM_TENANT: 't',
        GOOGLE_SERVICE_ACCOUNT_KEY: KEY_FILE,
      }),
    ).toEqual([
      expect.stringMatching(/^ZOOM_PLATFORM_CLIENT_SECRET is missing/),
      'ZOOM_ACCOUNT_ID needs ZOOM_CLIENT_ID',
      'MICROSOFT_PLATFORM_TENANT needs MICROSOFT_CLIENT_ID',
      'GOOGLE_SERVICE_ACCOUNT_KEY needs GOOGLE_CLIENT_ID',
    ]);
  });
});
