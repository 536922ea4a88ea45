/** What the data of events is made of. Every text has a bound, so that the largest event of each type is known. */
import { z } from 'zod';
import { PROVIDER_IDS } from '../../domain/apps.ts';
import { MEETING_STATES } from '../../domain/meeting.ts';

/** An id of the gateway: a prefix and 26 characters. */
export const id = z.string().max(64);
/** An id of the marketplace, as the API takes it. */
const foreignId = z.string().min(1).max(200);

export const meetingId = id.describe("The meeting's id");
export const recordingId = id.describe("The recording's id");
export const contentId = id.describe("The content's id");
export const connectionId = id.describe("The connection's id");
export const endpointId = id.describe("The endpoint's id");
export const incidentId = id.describe("The incident's id");
export const decisionId = id.describe("The id of a decision about a professional's standing");
export const appealId = id.describe("The appeal's id");
export const customerId = foreignId.describe("The customer's id at the marketplace");
export const professionalId = foreignId.describe("The professional's id at the marketplace");
export const reporterId = foreignId.describe('Who reported it: the id at the marketplace');
export const provider = z.enum(PROVIDER_IDS).describe('The conferencing app');

export const moment = z.iso.datetime();
/** An address of the gateway, or one that the marketplace gave it. */
export const url = z.url().max(2_048);
/** Words of the gateway itself, over several lines. */
export const words = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[\n -~\u00a0-\ud7ff\ue000-\uffff]*$/);
/** A name of a reason: new ones may come, so receivers get text. */
export const code = z.string().max(64);

/**
 * Optional although every event that is written now has one: those of before the numbers were counted are kept for 90 days, and are sent again
 * without it when somebody asks for that. A schema that wanted it would call them wrong.
 */
const sequence = z
  .number()
  .int()
  .min(1)
  .optional()
  .describe('The place of this event among all events about the meeting and its recordings, from 1');

export const ofMeeting = {
  meeting_id: meetingId,
  booking_id: foreignId.describe("The booking's id at the marketplace"),
  professional_id: professionalId,
  provider,
  state: z.enum(MEETING_STATES).describe('The state of the meeting once this has happened'),
  sequence,
};

export const ofRecording = {
  recording_id: recordingId,
  meeting_id: meetingId,
  booking_id: ofMeeting.booking_id,
  professional_id: professionalId,
  sequence,
};

/** Names are what people call themselves in the vendor's app. */
export const MOST_NAME_CHARACTERS = 200;
/** A vendor's id of a participant. */
export const MOST_PARTICIPANT_ID_CHARACTERS = 300;
