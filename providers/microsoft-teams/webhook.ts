/** Change notifications and lifecycle notifications of Microsoft Graph. */
import { Failure } from '../../src/domain/failure.ts';
import { parseAnswer } from '../call.ts';
import type { Account, Opened, Pointer, VendorEvent, Webhook } from '../provider.ts';
import { provesClientState } from './client-state.ts';
import { isGone } from './events.ts';
import type { Graph } from './graph.ts';
import { deliveryOf, noticesOf, openBody, readStored, recordingIn, type ReceivedItem } from './notification.ts';
import { callRecording, recordingPath, vendorRecording } from './recordings.ts';
import type { Rich } from './rich.ts';

/** Chosen: a real token has about 120 characters. */
const MAX_VALIDATION_TOKEN = 4_096;

export interface WebhookOptions {
  readonly graph: Graph;
  readonly clientStateSecrets: readonly Buffer[];
  /** Undefined where notifications are basic. */
  readonly rich: Rich | undefined;
}

export function createWebhook({ graph, clientStateSecrets, rich }: WebhookOptions): Webhook {
  return {
    open({ bytes, query, now }) {
      // Before any look at the body: the handshake has none.
      const token = query.get('validationToken');
      if (token !== null && token.length > 0) {
        if (token.length > MAX_VALIDATION_TOKEN) throw unauthenticated();
        return { kind: 'answer', status: 200, contentType: 'text/plain; charset=utf-8', body: token };
      }
      // One POST may carry items of several subscriptions, and of other senders: each one is proven by itself.
      const { items, validationTokens } = openBody(bytes);
      const proven = items.filter(({ clientState }) => provesClientState(clientStateSecrets, clientState));
      if (proven.length === 0) throw unauthenticated();
      const opened = (tenants: ReadonlySet<string>): Opened => ({
        kind: 'deliveries',
        status: 202,
        deliveries: proven.map((item) => deliveryOf(believed(item, tenants), now)),
      });
      const isRich = rich !== undefined && proven.some(({ encryptedContent }) => encryptedContent != null);
      return isRich ? rich.provenTenants(validationTokens, now).then(opened) : opened(NOBODY);
    },

    read: (bytes) => noticesOf(readStored(bytes), rich?.decrypt),

    resolve: (account, pointer) => resolve(graph, account, pointer),
  };
}

const NOBODY: ReadonlySet<string> = new Set();

/** Without the content that nobody vouches for. */
const believed = (item: ReceivedItem, tenants: ReadonlySet<string>): ReceivedItem =>
  tenants.has(item.tenantId?.toLowerCase() ?? '') ? item : { ...item, encryptedContent: undefined };

async function resolve(graph: Graph, account: Account, pointer: Pointer): Promise<readonly VendorEvent[]> {
  const named = recordingIn(pointer.resource);
  if (!named) return [];
  try {
    const path = recordingPath(account, named.meetingId, named.recordingId);
    const answer = await graph(account, { method: 'GET', path, repeatable: true });
    const recording = parseAnswer(callRecording, answer, 'read a recording');
    return [
      {
        type: 'recording.ready',
        meetingId: recording.meetingId ?? named.meetingId,
        at: recording.endDateTime ?? recording.createdDateTime ?? pointer.at,
        recording: vendorRecording(recording),
      },
    ];
  } catch (error) {
    // Deleted between the notification and now.
    if (isGone(error)) return [];
    throw error;
  }
}

const unauthenticated = (): Failure => new Failure('webhook_unauthenticated', 'The delivery could not be proven to come from Microsoft.');
