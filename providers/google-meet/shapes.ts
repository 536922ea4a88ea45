/** The parts of Google's answers that are used; Google adds fields without notice. */
import { z } from 'zod';

/** One segment of a resource name. Never `.` or `..`: the names become paths. */
const SEGMENT = '[\\w-][\\w.~=-]*';
const named = (...collections: readonly string[]) =>
  z.string().regex(new RegExp(`^${collections.map((collection) => `${collection}/${SEGMENT}`).join('/')}$`));

const spaceName = named('spaces');
export const recordName = named('conferenceRecords');
export const recordingName = named('conferenceRecords', 'recordings');
export const transcriptName = named('conferenceRecords', 'transcripts');
export const sessionName = named('conferenceRecords', 'participants', 'participantSessions');
export const subscriptionName = named('subscriptions');

/** RFC 3339, with up to nine digits of fractions and any offset. */
export const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const empty = z.unknown();

export const space = z.object({
  name: spaceName,
  meetingUri: z.url({ protocol: /^https?$/ }),
  config: z
    .object({
      accessType: z.string().optional(),
      artifactConfig: z.object({ recordingConfig: z.object({ autoRecordingGeneration: z.string().optional() }).optional() }).optional(),
    })
    .optional(),
});
export type Space = z.infer<typeof space>;

export const conferenceRecord = z.object({
  name: recordName,
  space: spaceName,
  startTime: moment.optional(),
  endTime: moment.optional(),
});

export const recording = z.object({
  name: recordingName,
  state: z.string(),
  startTime: moment.optional(),
  endTime: moment.optional(),
  driveDestination: z.object({ file: z.string().regex(/^[\w-]+$/) }).optional(),
});

export const participant = z.object({
  signedinUser: z.object({ user: z.string().optional(), displayName: z.string().optional() }).optional(),
  anonymousUser: z.object({ displayName: z.string().optional() }).optional(),
  phoneUser: z.object({ displayName: z.string().optional() }).optional(),
});

export const calendarEvent = z.object({
  id: z.string(),
  status: z.string().optional(),
  hangoutLink: z.url({ protocol: /^https?$/ }).optional(),
  conferenceData: z
    .object({
      conferenceId: z
        .string()
        .regex(/^[a-z]+-[a-z]+-[a-z]+$/)
        .optional(),
      createRequest: z.object({ status: z.object({ statusCode: z.string() }).optional() }).optional(),
    })
    .optional(),
});
export type CalendarEvent = z.infer<typeof calendarEvent>;
