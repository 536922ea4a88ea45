/** A delivery is proven, stored and answered; everything else happens later, in a job. */
import type { IncomingMessage } from 'node:http';
import type { Opened, WebhookRequest } from '../providers/provider.ts';
import { inboxContext } from '../src/connections/sealed.ts';
import type { ProviderId } from '../src/domain/apps.ts';
import { Failure } from '../src/domain/failure.ts';
import type { Gateway } from '../src/gateway.ts';
import type { Intake } from './intake.ts';

/** Zoom's recording.completed with many files is about 30 kB; Pub/Sub allows far more, Meet's events use about 1 kB. */
export const MAX_WEBHOOK_BYTES = 256 * 1024;

/** Proves one request and stores what it brought. */
export async function receive(
  { providers, now, vault }: Pick<Gateway, 'providers' | 'now' | 'vault'>,
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
    await intake(
      opened.deliveries.map((delivery) => {
        const key = `${provider}:${delivery.key}`;
        return { key, provider, bodySealed: vault.seal(delivery.bytes, inboxContext(key)), receivedAt };
      }),
    );
  }
  return { kind: 'deliveries', status: opened.status };
}

/** The raw bytes, counted while they arrive. @throws Failure `too_large`, `malformed`, `unsupported_media_type` */
export function readBytes(incoming: IncomingMessage): Promise<Buffer> {
  const { 'content-encoding': encoding, 'content-length': length } = incoming.headers;
  if (encoding !== undefined && encoding !== 'identity')
    return Promise.reject(new Failure('unsupported_media_type', 'A compressed body is not accepted.'));
  if (Number(length ?? 0) > MAX_WEBHOOK_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= MAX_WEBHOOK_BYTES) chunks.push(chunk);
      else {
        // What else comes is the server's to throw away, with the connection.
        incoming.off('data', onData).pause();
        reject(tooLarge());
      }
    };
    incoming.on('data', onData);
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    incoming.on('error', (error) => reject(new Failure('malformed', 'The body could not be read.', { cause: error })));
    incoming.on('close', () => {
      if (!incoming.complete) reject(new Failure('malformed', 'The body ended early.'));
    });
  });
}

const tooLarge = (): Failure => new Failure('too_large', `A webhook may have ${MAX_WEBHOOK_BYTES} bytes.`);
