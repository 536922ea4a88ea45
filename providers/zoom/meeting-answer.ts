/** What Zoom echoes about a meeting, and what it dropped on the way. */
import { z } from 'zod';
import type { MeetingRequest } from '../provider.ts';
import { MINUTE } from '../../src/domain/time.ts';

/** Ids are long integers in some places and strings in others. */
export const zoomId = z.union([z.int().positive().transform(String), z.string().regex(/^\d{1,20}$/)]);

// Only what we use; Zoom adds fields without notice.
export const meetingAnswer = z.object({
  id: zoomId,
  join_url: z.url({ protocol: /^https?$/ }),
  start_time: z.string().optional(),
  duration: z.number().optional(),
  settings: z
    .object({
      auto_recording: z.string().optional(),
      participant_video: z.boolean().optional(),
      host_video: z.boolean().optional(),
      waiting_room: z.boolean().optional(),
      meeting_authentication: z.boolean().optional(),
    })
    .optional(),
});
export type MeetingAnswer = z.infer<typeof meetingAnswer>;

/** Zoom's spelling of a moment: seconds, `Z`. An offset like `+01:00` would be read as UTC. */
export const startTime = (moment: Date): string => moment.toISOString().replace(/\.\d{3}Z$/, 'Z');

/** Settings that the account does not allow, or enforces, come back changed under a 2xx. */
export function degradedOf(request: MeetingRequest, { start_time: startsAt, settings = {} }: MeetingAnswer): string[] {
  const recordsByItself = (settings.auto_recording ?? 'none') === 'cloud';
  // A recording that nobody asked for counts too: consent may be missing. A local one never reaches us.
  const recordsOtherwise = settings.auto_recording === 'local' || recordsByItself !== request.recordAutomatically;
  const video = settings.participant_video ?? true;
  const moved = startsAt !== undefined && startsAt !== '' && !(Math.abs(Date.parse(startsAt) - request.startsAt.getTime()) <= MINUTE);
  return [
    ...(recordsOtherwise ? ['record_automatically'] : []),
    ...(video === request.participantVideo ? [] : ['participant_video']),
    ...(request.hostVideo === true && settings.host_video === false ? ['host_video'] : []),
    ...(moved ? ['starts_at'] : []),
    ...(settings.waiting_room === true || settings.meeting_authentication === true ? ['open_access'] : []),
  ];
}
