/** The Pub/Sub push route. Anything but a 2xx makes Pub/Sub send it again for seven days and slow down everything behind it. */
import { createHash } from 'node:crypto';
import { Failure } from '../../src/domain/failure.ts';
import type { Delivery, Webhook } from '../provider.ts';
import { readEnvelope } from './envelope.ts';
import { readNotices } from './notices.ts';
import type { GoogleMeetOptions } from './options.ts';
import { createVerifyPush } from './push-token.ts';
import type { Records } from './records.ts';
import { createResolve } from './resolve.ts';

export function createPush(records: Records, options: GoogleMeetOptions): Webhook {
  const verify = createVerifyPush(options);
  return {
    async open(request) {
      const { bytes, now } = request;
      if (!(await verify(request.header('authorization'), now))) {
        throw new Failure('webhook_unauthenticated', 'The delivery could not be proven.');
      }
      // Proven but unreadable goes the same way: `read` refuses it by name, where refusing here would bring it back for days.
      return { kind: 'deliveries', status: 204, deliveries: [{ key: deliveryKey(bytes), bytes }] satisfies readonly Delivery[] };
    },
    read: readNotices,
    resolve: createResolve(records),
  };
}

/** Source and id together name an event for ever; Pub/Sub's own message id is new when Google publishes it again. */
function deliveryKey(bytes: Buffer): string {
  const event = readEnvelope(bytes);
  const ms = event === undefined ? 0 : event.time.getTime();
  const identity = event === undefined ? bytes : JSON.stringify([event.source, event.id]);
  return `${String(ms).padStart(13, '0')}.${createHash('sha256').update(identity).digest('base64url')}`;
}
