/** Change notifications and lifecycle notifications of Microsoft Graph. */
import { Failure } from '../../src/domain/failure.ts';
import { parseAnswer } from '../call.ts';
import type { Account, Pointer, VendorEvent, Webhook } from '../provider.ts';
import { provesClientState } from './client-state.ts';
import { isGone } from './events.ts';
import type { Graph } from './graph.ts';
import { deliveryOf, noticesOf, openBody, readStored, recordingIn } from './notification.ts';
import { callRecording, recordingPath, vendorRecording } from './recordings.ts';

/** Chosen: a real token has about 120 characters. */
const MAX_VALIDATION_TOKEN = 4_096;

export function createWebhook({ graph, clientStateSecrets }: { graph: Graph; clientStateSecrets: readonly Buffer[] }): Webhook {
  return {
    open({ bytes, query, now }) {
      // Before any look at the body: the handshake has none.
      const token = query.get('validationToken');
      if (token !== null && token.length > 0) {
        if (token.length > MAX_VALIDATION_TOKEN) throw unauthenticated();
        return { kind: 'answer', status: 200, contentType: 'text/plain; charset=utf-8', body: token };
      }
      // One POST may carry items of several subscriptions, and of other senders: each one is proven by itself.
      const proven = openBody(bytes).filter(({ clientState }) => provesClientState(clientStateSecrets, clientState));
      if (proven.length === 0) throw unauthenticated();
      return { kind: 'deliveries', status: 202, deliveries: proven.map((item) => deliveryOf(item, now)) };
    },

    read: (bytes) => noticesOf(readStored(bytes)),

    resolve: (account, pointer) => resolve(graph, account, pointer),
  };
}

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
