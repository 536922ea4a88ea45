/** What a vendor tells of a running meeting: a fact of it, and news for the marketplace. */
import type { VendorEvent } from '../../providers/provider.ts';
import { MOST_NAME_CHARACTERS, MOST_PARTICIPANT_ID_CHARACTERS } from '../events/catalogue/members.ts';
import { emit } from '../events/emit.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import { noteFact } from './facts.ts';
import { limitReached } from './limit-timer.ts';
import { NOBODY, sideOf } from './side.ts';
import { tellMeeting } from './tell.ts';

type RunEvent = Extract<VendorEvent, { instanceId: string }>;

export async function noteVendorEvent(tx: Writer, gateway: Gateway, read: Meeting, event: RunEvent): Promise<void> {
  // What is told at once takes a number of the meeting, and then the meeting itself is wanted: whoever has it wants a number next.
  const meeting = (await lockMeeting(tx, read.id)) ?? read;
  // A digest: Zoom's id of a run is also that of its recording, of which nothing is left after its time (G15).
  const instanceId = fingerprint('run', event.instanceId);
  const common = { instanceId, at: event.at, source: 'vendor' } as const;
  switch (event.type) {
    case 'meeting.started':
      return noteFact(tx, gateway, meeting, { ...common, ...NOBODY, kind: 'started', participantId: null, limitReached: false });
    case 'meeting.ended':
      if (event.limitReached) await tellLimit(tx, gateway, meeting, instanceId, event.at);
      return noteFact(tx, gateway, meeting, {
        ...common,
        ...NOBODY,
        kind: 'ended',
        participantId: null,
        limitReached: event.limitReached,
      });
    case 'participant.joined':
    case 'participant.left': {
      if (event.limitReached) await tellLimit(tx, gateway, meeting, instanceId, event.at);
      const participantId = storable(event.participantId);
      const { side, customerId } = await sideOf(tx, gateway, meeting, event.userId);
      await tellMeeting(
        tx,
        gateway,
        meeting,
        event.type === 'participant.joined' ? 'meeting.participant_joined' : 'meeting.participant_left',
        `${event.instanceId} ${event.participantId} ${event.at.toISOString()}`,
        {
          participant: {
            id: storable(event.participantId.slice(0, MOST_PARTICIPANT_ID_CHARACTERS)),
            name: event.name === null ? null : storable(event.name.slice(0, MOST_NAME_CHARACTERS)),
            side,
            customer_id: customerId,
          },
          at: event.at.toISOString(),
        },
      );
      const kind = event.type === 'participant.joined' ? 'joined' : 'left';
      return noteFact(tx, gateway, meeting, { ...common, kind, participantId, side, customerId, limitReached: event.limitReached });
    }
  }
}

const tellLimit = (tx: Writer, gateway: Gateway, meeting: Meeting, instanceId: string, at: Date): Promise<boolean> =>
  emit(tx, gateway, limitReached(meeting, instanceId, { at, toldBy: 'vendor', certain: true }));

/** Guests call themselves what they like; PostgreSQL holds neither NUL nor half of a surrogate pair. */
const storable = (text: string): string => text.replaceAll(UNSTORABLE, '\ufffd');
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
