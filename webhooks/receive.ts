/**
 * The durable ack. A delivery is proven, stored and answered; everything else happens later, in a job.
 * What arrives in the same turn of the event loop shares one commit, so that `synchronous=FULL` costs one fsync for all.
 */
import type { IncomingMessage } from 'node:http';
import type { Opened, WebhookRequest } from '../providers/provider.ts';
import type { ProviderId } from '../src/domain/apps.ts';
import { Failure } from '../src/domain/failure.ts';
import type { Gateway } from '../src/gateway.ts';
import { insertInboxEntries, type InboxEntry } from '../src/store/inbox.ts';

/** Zoom's recording.completed with many files is about 30 kB; Pub/Sub allows far more, Meet's events use about 1 kB. */
export const MAX_WEBHOOK_BYTES = 256 * 1024;
/** Rows of one commit: more would only make the first one wait. */
const MAX_BATCH = 128;

export type NewEntry = Pick<InboxEntry, 'key' | 'provider' | 'body' | 'receivedAt'>;
export type Intake = (entries: readonly NewEntry[]) => Promise<void>;

/** Resolves when the entries are on disk. @throws Failure `storage_unavailable` */
export function createIntake({ db, wake }: Pick<Gateway, 'db' | 'wake'>): Intake {
  let waiting: { entries: readonly NewEntry[]; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let writing = false;

  const flush = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_BATCH);
      try {
        await db.write((tx) => insertInboxEntries(tx, unique(batch.flatMap(({ entries }) => entries))));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    writing = false;
    wake();
  };

  return (entries) =>
    new Promise((resolve, reject) => {
      waiting.push({ entries, resolve, reject });
      // While a commit runs, newcomers gather for the next one by themselves.
      if (waiting.length === 1 && !writing) setImmediate(() => void flush());
    });
}

/** Proves one request and stores what it brought. */
export async function receive(
  { providers, now }: Pick<Gateway, 'providers' | 'now'>,
  intake: Intake,
  provider: ProviderId,
  request: Omit<WebhookRequest, 'now'>,
): Promise<Extract<Opened, { kind: 'answer' }> | { kind: 'deliveries'; status: number }> {
  const webhook = providers.get(provider)?.webhook;
  if (webhook === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway.');
  const receivedAt = now();
  const opening = webhook.open({ ...request, now: receivedAt });
  const opened = opening instanceof Promise ? await opening : opening;
  if (opened.kind === 'answer') return opened;
  if (opened.deliveries.length > 0) {
    await intake(opened.deliveries.map(({ key, bytes }) => ({ key: `${provider}:${key}`, provider, body: bytes, receivedAt })));
  }
  return { kind: 'deliveries', status: opened.status };
}

/** The raw bytes, counted while they arrive. @throws Failure `too_large`, `malformed` */
export function readBytes(incoming: IncomingMessage): Promise<Buffer> {
  if (incoming.headers['content-encoding'] !== undefined && incoming.headers['content-encoding'] !== 'identity') {
    return Promise.reject(new Failure('unsupported_media_type', 'A compressed body is not accepted.'));
  }
  if (Number(incoming.headers['content-length'] ?? 0) > MAX_WEBHOOK_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_WEBHOOK_BYTES) {
        incoming.removeAllListeners('data');
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    incoming.on('error', (error) => reject(new Failure('malformed', 'The body could not be read.', { cause: error })));
    incoming.on('close', () => reject(new Failure('malformed', 'The body ended early.')));
  });
}

const tooLarge = (): Failure => new Failure('too_large', `A webhook may have ${MAX_WEBHOOK_BYTES} bytes.`);

/** One multi-row insert may not name a key twice on PostgreSQL's side of things; the first one counts. */
const unique = (entries: readonly NewEntry[]): NewEntry[] =>
  [...new Map(entries.toReversed().map((entry) => [entry.key, entry])).values()].toReversed();
