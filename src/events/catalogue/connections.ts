import { z } from 'zod';
import { CONNECTION_REASONS } from '../../domain/connection.ts';
import { entry } from './entry.ts';
import { connectionId, professionalId, provider } from './members.ts';

const reason = z.enum(CONNECTION_REASONS).optional().describe('Why it is not active');
const ofConnection = {
  connection_id: connectionId,
  professional_id: professionalId
    .nullable()
    .describe("The professional's id at the marketplace. Null: a host of the operator's own account"),
  provider,
};
const example = { connection_id: 'con_01kb4s7h2q9v5n8m3c6d1f0g2h', professional_id: 'pro_42', provider: 'zoom' } as const;

export const CONNECTION_EVENTS = {
  'connection.active': entry({
    description: "A professional's account works.",
    when: 'After the professional has connected it, and when one that needed its professional works again.',
    data: ofConnection,
    example,
  }),
  'connection.reconnect_required': entry({
    description: 'An account does not work until its professional connects it again.',
    when: 'Once per change, however many calls the vendor refuses. Ask the professional to open a new connect link.',
    data: { ...ofConnection, reason },
    example: { ...example, reason: 'withdrawn' },
  }),
  'connection.revoked': entry({
    description: 'A connection has ended for good, and its tokens are erased.',
    when: 'When it is removed over the API, by the professional, or with the app at the vendor.',
    data: { ...ofConnection, reason },
    example: { ...example, reason: 'disconnected' },
  }),
};
