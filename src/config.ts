/**
 * The environment, read once. `readConfig` names everything that is wrong at once, and never a value. Besides the environment it reads
 * one file, if the environment names it: the key of Google's service account.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export interface ZoomConfig {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Newest first; more than one while the operator rotates it. */
  readonly webhookSecrets: readonly string[];
  readonly oauthUrl: string;
  readonly apiUrl: string;
  /** The operator's own account, by a Server-to-Server app (F04). */
  readonly platform: { readonly accountId: string; readonly clientId: string; readonly clientSecret: string } | undefined;
}

export interface MicrosoftConfig {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
  readonly loginUrl: string;
  readonly graphUrl: string;
  /** For notifications with the recording inside, the newest first; empty: basic ones. */
  readonly notificationKeys: readonly NotificationKey[];
  /** The operator's own tenant, by application permissions of the same app (F04). */
  readonly platform: { readonly tenant: string } | undefined;
}

export interface NotificationKey {
  /** PEM, both. */
  readonly certificate: string;
  readonly privateKey: string;
}

export interface GoogleConfig {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authUrl: string;
  readonly tokenUrl: string;
  /** Undefined: the four real hosts. */
  readonly apiUrl: string | undefined;
  readonly jwksUrl: string;
  readonly pubsubTopic: string | undefined;
  readonly pushAudience: string | undefined;
  readonly pushServiceAccount: string | undefined;
  /** The operator's own domain, by a service account with domain-wide delegation (F04). */
  readonly platform: GooglePlatformConfig | undefined;
}

export interface GooglePlatformConfig {
  readonly clientEmail: string;
  /** What an administrator delegates to; absent in shortened keys. */
  readonly clientId: string | undefined;
  /** PEM. */
  readonly privateKey: string;
  /** Whole URL of the token endpoint; also the audience of what the key signs. */
  readonly tokenUrl: string;
}

export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

export interface Config {
  readonly port: number;
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly databaseUrl: string;
  /** Newest first; undefined in development: `main.ts` makes one in the data folder. */
  readonly encryptionKeys: readonly EncryptionKey[] | undefined;
  readonly allowPrivateWebhookTargets: boolean;
  readonly metricsToken: string | undefined;
  readonly logLevel: string;
  /** A provider without its variables is not configured, and everything else works. */
  readonly zoom: ZoomConfig | undefined;
  readonly microsoft: MicrosoftConfig | undefined;
  readonly google: GoogleConfig | undefined;
}

export class ConfigInvalid extends Error {
  /** One line per problem, without values. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const text = z.string().min(1, 'must not be empty');
const origin = z.string().transform((value, context) => {
  const problem = problemOfUrl(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  return value.replace(/\/+$/, '');
});

const environmentSchema = z.object({
  PORT: z.coerce
    .number('must be a port number')
    .int('must be a port number')
    .min(0, 'must be a port number')
    .max(65_535, 'must be a port number')
    .default(3_000),
  PUBLIC_URL: origin.optional(),
  DATABASE_URL: z
    .string()
    .regex(/^(file:.+|postgres(ql)?:\/\/.+)$/, 'must be file:<path> or postgres://…')
    .default('file:./data/gateway.db'),
  ENCRYPTION_KEYS: z.string().transform(parseKeys).optional(),
  ZOOM_CLIENT_ID: text.optional(),
  ZOOM_CLIENT_SECRET: text.optional(),
  ZOOM_WEBHOOK_SECRET: text.optional(),
  ZOOM_ACCOUNT_ID: text.optional(),
  ZOOM_PLATFORM_CLIENT_ID: text.optional(),
  ZOOM_PLATFORM_CLIENT_SECRET: text.optional(),
  ZOOM_OAUTH_URL: origin.default('https://zoom.us'),
  ZOOM_API_URL: origin.default('https://api.zoom.us/v2'),
  MICROSOFT_CLIENT_ID: text.optional(),
  MICROSOFT_CLIENT_SECRET: text.optional(),
  MICROSOFT_TENANT: z
    .string()
    .regex(/^[A-Za-z0-9.-]+$/, 'must be common, organizations, consumers, a tenant id or a domain')
    .default('common'),
  MICROSOFT_PLATFORM_TENANT: z
    .string()
    .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'must be a tenant id or a domain')
    .refine((tenant) => !['common', 'organizations', 'consumers'].includes(tenant), 'must be one tenant')
    .optional(),
  MICROSOFT_NOTIFICATION_KEYS: z.string().transform(parseNotificationKeys).optional(),
  MICROSOFT_LOGIN_URL: origin.default('https://login.microsoftonline.com'),
  MICROSOFT_GRAPH_URL: origin.default('https://graph.microsoft.com'),
  GOOGLE_CLIENT_ID: text.optional(),
  GOOGLE_CLIENT_SECRET: text.optional(),
  GOOGLE_AUTH_URL: origin.default('https://accounts.google.com'),
  GOOGLE_TOKEN_URL: origin.default('https://oauth2.googleapis.com'),
  GOOGLE_API_URL: origin.optional(),
  GOOGLE_JWKS_URL: origin.default('https://www.googleapis.com/oauth2/v3/certs'),
  GOOGLE_PUBSUB_TOPIC: z
    .string()
    .regex(/^projects\/[^/]+\/topics\/[^/]+$/, 'must be projects/<project>/topics/<topic>')
    .optional(),
  GOOGLE_PUSH_AUDIENCE: text.optional(),
  GOOGLE_PUSH_SERVICE_ACCOUNT: z
    .string()
    .regex(/^[^@\s]+@[^@\s]+$/, 'must be the e-mail address of a service account')
    .optional(),
  GOOGLE_SERVICE_ACCOUNT_KEY: z.string().transform(parseServiceAccount).optional(),
  ALLOW_PRIVATE_WEBHOOK_TARGETS: z.enum(['true', 'false'], 'must be true or false').default('false'),
  METRICS_TOKEN: z.string().min(16, 'must have 16 characters or more').optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be a log level').default('info'),
});

/** Variables of which all or none must be there. */
const GROUPS: readonly (readonly (keyof z.infer<typeof environmentSchema>)[])[] = [
  ['ZOOM_CLIENT_ID', 'ZOOM_CLIENT_SECRET', 'ZOOM_WEBHOOK_SECRET'],
  ['ZOOM_PLATFORM_CLIENT_ID', 'ZOOM_PLATFORM_CLIENT_SECRET'],
  ['MICROSOFT_CLIENT_ID', 'MICROSOFT_CLIENT_SECRET'],
  ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'],
  ['GOOGLE_PUBSUB_TOPIC', 'GOOGLE_PUSH_AUDIENCE', 'GOOGLE_PUSH_SERVICE_ACCOUNT'],
];

/** Variables that mean nothing without another one. */
const NEEDS: readonly (readonly [name: keyof z.infer<typeof environmentSchema>, needed: keyof z.infer<typeof environmentSchema>])[] = [
  ['ZOOM_ACCOUNT_ID', 'ZOOM_CLIENT_ID'],
  ['ZOOM_PLATFORM_CLIENT_ID', 'ZOOM_ACCOUNT_ID'],
  ['MICROSOFT_PLATFORM_TENANT', 'MICROSOFT_CLIENT_ID'],
  ['MICROSOFT_NOTIFICATION_KEYS', 'MICROSOFT_CLIENT_ID'],
  ['GOOGLE_SERVICE_ACCOUNT_KEY', 'GOOGLE_CLIENT_ID'],
];

/** @throws ConfigInvalid with everything that is wrong */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is how many deployment tools say "not set".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(given);
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  for (const group of GROUPS) {
    const missing = group.filter((name) => given[name] === undefined);
    if (missing.length > 0 && missing.length < group.length)
      problems.push(...missing.map((name) => `${name} is missing (${group.join(', ')} belong together)`));
  }
  for (const [name, needed] of NEEDS)
    if (given[name] !== undefined && given[needed] === undefined) problems.push(`${name} needs ${needed}`);
  if (!parsed.success || problems.length > 0) throw new ConfigInvalid(problems);
  const e = parsed.data;
  return {
    port: e.PORT,
    publicUrl: e.PUBLIC_URL ?? `http://localhost:${e.PORT}`,
    databaseUrl: e.DATABASE_URL,
    encryptionKeys: e.ENCRYPTION_KEYS,
    allowPrivateWebhookTargets: e.ALLOW_PRIVATE_WEBHOOK_TARGETS === 'true',
    metricsToken: e.METRICS_TOKEN,
    logLevel: e.LOG_LEVEL,
    zoom:
      e.ZOOM_CLIENT_ID && e.ZOOM_CLIENT_SECRET && e.ZOOM_WEBHOOK_SECRET
        ? {
            clientId: e.ZOOM_CLIENT_ID,
            clientSecret: e.ZOOM_CLIENT_SECRET,
            webhookSecrets: e.ZOOM_WEBHOOK_SECRET.split(',').map((secret) => secret.trim()),
            oauthUrl: e.ZOOM_OAUTH_URL,
            apiUrl: e.ZOOM_API_URL,
            platform: e.ZOOM_ACCOUNT_ID
              ? {
                  accountId: e.ZOOM_ACCOUNT_ID,
                  // At Zoom a Server-to-Server app is an app of its own; a sandbox or proxy may use one for both.
                  clientId: e.ZOOM_PLATFORM_CLIENT_ID ?? e.ZOOM_CLIENT_ID,
                  clientSecret: e.ZOOM_PLATFORM_CLIENT_SECRET ?? e.ZOOM_CLIENT_SECRET,
                }
              : undefined,
          }
        : undefined,
    microsoft:
      e.MICROSOFT_CLIENT_ID && e.MICROSOFT_CLIENT_SECRET
        ? {
            clientId: e.MICROSOFT_CLIENT_ID,
            clientSecret: e.MICROSOFT_CLIENT_SECRET,
            tenant: e.MICROSOFT_TENANT,
            loginUrl: e.MICROSOFT_LOGIN_URL,
            graphUrl: e.MICROSOFT_GRAPH_URL,
            notificationKeys: e.MICROSOFT_NOTIFICATION_KEYS ?? [],
            platform: e.MICROSOFT_PLATFORM_TENANT ? { tenant: e.MICROSOFT_PLATFORM_TENANT } : undefined,
          }
        : undefined,
    google:
      e.GOOGLE_CLIENT_ID && e.GOOGLE_CLIENT_SECRET
        ? {
            clientId: e.GOOGLE_CLIENT_ID,
            clientSecret: e.GOOGLE_CLIENT_SECRET,
            authUrl: e.GOOGLE_AUTH_URL,
            tokenUrl: e.GOOGLE_TOKEN_URL,
            apiUrl: e.GOOGLE_API_URL,
            jwksUrl: e.GOOGLE_JWKS_URL,
            pubsubTopic: e.GOOGLE_PUBSUB_TOPIC,
            pushAudience: e.GOOGLE_PUSH_AUDIENCE,
            pushServiceAccount: e.GOOGLE_PUSH_SERVICE_ACCOUNT,
            platform: e.GOOGLE_SERVICE_ACCOUNT_KEY
              ? { ...e.GOOGLE_SERVICE_ACCOUNT_KEY, tokenUrl: `${e.GOOGLE_TOKEN_URL}/token` }
              : undefined,
          }
        : undefined,
  };
}

function problemOfUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return 'must be a URL';
  const { protocol, hostname, username, search, hash } = new URL(value);
  if (username !== '' || search !== '' || hash !== '') return 'must be a URL without user name, query and fragment';
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) return undefined;
  return 'must be https (plain http only for a loopback address)';
}

/** `id:base64-32-bytes`, comma separated, newest first. */
function parseKeys(value: string, context: z.RefinementCtx): EncryptionKey[] {
  const keys = value.split(',').map((entry) => {
    const [id = '', encoded = ''] = entry.trim().split(':');
    return { id, key: Buffer.from(encoded, 'base64') };
  });
  if (keys.some(({ id, key }) => !/^[A-Za-z0-9_-]{1,32}$/.test(id) || key.length !== 32)) {
    context.addIssue({ code: 'custom', message: 'must be id:base64-of-32-bytes, several separated by commas, newest first' });
  } else if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    context.addIssue({ code: 'custom', message: 'has a key id twice' });
  } else if (new Set(keys.map(({ key }) => key.toString('base64'))).size < keys.length) {
    context.addIssue({ code: 'custom', message: 'has the same key under two ids' });
  } else if (keys.some(({ key }) => looksMadeUp(key))) {
    context.addIssue({ code: 'custom', message: 'has a key that is not random: make one with `openssl rand -base64 32`' });
  }
  return keys;
}

const serviceAccount = z.object({
  client_email: z.string().regex(/^[^@\s]+@[^@\s]+$/),
  client_id: z.string().optional(),
  private_key: z.string(),
});

/** The JSON key as Google's console gives it out, or the path of a file with it. */
function parseServiceAccount(value: string, context: z.RefinementCtx): Omit<GooglePlatformConfig, 'tokenUrl'> {
  try {
    const json = value.trimStart().startsWith('{') ? value : readFileSync(value, 'utf8');
    const { client_email: clientEmail, client_id: clientId, private_key: privateKey } = serviceAccount.parse(JSON.parse(json));
    createPrivateKey(privateKey);
    return { clientEmail, clientId, privateKey };
  } catch {
    context.addIssue({ code: 'custom', message: 'must be the JSON key of a service account, or the path of a readable file with it' });
    return z.NEVER;
  }
}

/** Pairs of certificate and private key in PEM, the newest first, or the path of a file with them. Microsoft encrypts with RSA. */
function parseNotificationKeys(value: string, context: z.RefinementCtx): NotificationKey[] {
  try {
    const pem = value.includes('-----BEGIN') ? value : readFileSync(value, 'utf8');
    const blocks = (label: RegExp): string[] =>
      (pem.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? []).filter((one) => label.test(one));
    const privateKeys = blocks(/BEGIN (RSA )?PRIVATE KEY/);
    const pairs = blocks(/BEGIN CERTIFICATE/).map((certificate, index) => ({ certificate, privateKey: privateKeys[index] ?? '' }));
    const fits = ({ certificate, privateKey }: NotificationKey): boolean => {
      const key = createPrivateKey(privateKey);
      return key.asymmetricKeyType === 'rsa' && new X509Certificate(certificate).checkPrivateKey(key);
    };
    if (pairs.length > 0 && pairs.length === privateKeys.length && pairs.every(fits)) return pairs;
  } catch {
    // Said below, without a word of what was in it.
  }
  context.addIssue({
    code: 'custom',
    message: 'must be RSA certificates, each with its private key, in PEM, or the path of a readable file with them',
  });
  return z.NEVER;
}

/** A random key has 30 different bytes on average, and fewer than 20 once in 10^10 keys. */
const DIFFERENT_BYTES = 20;

/** Zeros, repeated patterns, counting, and anything that can be typed: none of it comes out of a random generator. */
function looksMadeUp(key: Buffer): boolean {
  const steps = new Set(key.subarray(1).map((byte, index) => byte - key[index]!));
  return new Set(key).size < DIFFERENT_BYTES || steps.size === 1 || key.every((byte) => byte >= 0x20 && byte < 0x7f);
}
