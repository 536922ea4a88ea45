import { z } from 'zod';
import { INCIDENT_KINDS, INCIDENT_STATES, MOST_CHARACTERS, MOST_NOTE_CHARACTERS } from '../../domain/incident.ts';
import { entry } from './entry.ts';
import { endpointId, incidentId, moment, ofMeeting, reporterId, url, words } from './members.ts';

const endpoint = { endpoint_id: 'whe_01kb4r0a1b2c3d4e5f6g7h8j9k' } as const;

export const OTHER_EVENTS = {
  'incident.reported': entry({
    description: 'A customer or professional has reported a problem.',
    when: 'For each report that is filed on a join or host page, or by you with `POST /v1/meetings/{id}/incidents`.',
    data: {
      ...ofMeeting,
      incident_id: incidentId,
      reported_by: z.enum(['customer', 'professional']),
      reporter_id: reporterId,
      kind: z.enum(INCIDENT_KINDS).nullable().describe('Null where the person did not choose one'),
      text: z.string().max(MOST_CHARACTERS).describe("The person's own words, from a stranger: show them as text"),
    },
    example: {
      meeting_id: 'mtg_01kb4s9t8w3x7y2z5a6b1c0d4e',
      booking_id: 'bk_1001',
      professional_id: 'pro_42',
      provider: 'zoom',
      state: 'live',
      sequence: 7,
      incident_id: 'inc_01kb4tz5c7d9e1f3g4h6j8k0m2',
      reported_by: 'customer',
      reporter_id: 'cus_7',
      kind: 'technical',
      text: 'I hear nothing.',
    },
  }),
  'incident.changed': entry({
    description: 'Somebody has moved an incident on.',
    when: 'For each move to another state, and for each new resolution. A note alone is told nobody.',
    data: {
      ...ofMeeting,
      incident_id: incidentId,
      kind: z.enum(INCIDENT_KINDS).nullable().describe('Null where the person who reported it did not choose one'),
      from: z.enum(INCIDENT_STATES).describe('The state of the incident before'),
      to: z.enum(INCIDENT_STATES).describe('The state of the incident now'),
      note: z.string().max(MOST_NOTE_CHARACTERS).nullable().describe('What was noted with it, for those who work on it'),
      resolution: z
        .string()
        .max(MOST_CHARACTERS)
        .nullable()
        .describe('How it was decided; null while it is not resolved, or nothing was said'),
    },
    example: {
      meeting_id: 'mtg_01kb4s9t8w3x7y2z5a6b1c0d4e',
      booking_id: 'bk_1001',
      professional_id: 'pro_42',
      provider: 'zoom',
      state: 'ended',
      sequence: 11,
      incident_id: 'inc_01kb4tz5c7d9e1f3g4h6j8k0m2',
      kind: 'dispute',
      from: 'investigating',
      to: 'resolved',
      note: null,
      resolution: 'The session lasted 31 of 60 minutes: half of the price goes back.',
    },
  }),
  'endpoint.disabled': entry({
    description: 'An endpoint of yours gets no events any more.',
    when: 'When it answers 410, or has done nothing but fail for five days. It is told to your other endpoints.',
    data: {
      endpoint_id: endpointId,
      url: url.describe("The endpoint's address"),
      reason: z.enum(['gone', 'failing']).describe('`gone`: it answered 410. `failing`: nothing arrived there for days'),
      failing_since: moment.nullable().describe('Since when every attempt fails'),
      notice: z
        .strictObject({ subject: words(500), text: words(3_000) })
        .describe('The same as a letter to whoever looks after the endpoint'),
    },
    example: {
      ...endpoint,
      url: 'https://hooks.example.com/events',
      reason: 'failing',
      failing_since: '2026-11-22T10:00:00.000Z',
      notice: {
        subject: 'Webhooks to hooks.example.com are switched off',
        text: 'We do not send events to https://hooks.example.com/events any more: every attempt to reach it has failed for five days.',
      },
    },
  }),
  'endpoint.test': entry({
    description: 'You asked for a test.',
    when: 'After `POST /v1/webhook-endpoints/{id}/test`, to that endpoint only.',
    data: { endpoint_id: endpointId },
    example: endpoint,
  }),
};
