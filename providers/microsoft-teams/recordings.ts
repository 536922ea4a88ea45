/** Recordings of a Teams meeting. */
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { parseAnswer } from '../call.ts';
import type { Recordings, VendorRecording } from '../provider.ts';
import type { Graph } from './graph.ts';
import { isGone } from './events.ts';
import { openMedia } from './media.ts';
import { onlineMeetingPath } from './online-meeting.ts';
import { PERSONAL_TENANT, type Organizer } from './options.ts';
import { MAX_PAGES, nextPath } from './pages.ts';

const moment = z
  .string()
  .transform((text) => new Date(text))
  .refine((date) => !Number.isNaN(date.getTime()));
export const callRecording = z.object({
  id: z.string().min(1),
  meetingId: z.string().nullish(),
  createdDateTime: moment.nullish(),
  endDateTime: moment.nullish(),
});
export type CallRecording = z.infer<typeof callRecording>;
/** With everything that is used of it. */
export const completeRecording = callRecording.extend({ meetingId: z.string().min(1), createdDateTime: moment, endDateTime: moment });
const page = z.object({ value: z.array(callRecording), '@odata.nextLink': z.string().optional() });

/** Graph tells of one stream only. */
const FILE_ID = 'content';

export const recordingPath = (organizer: Organizer, meetingId: string, recordingId: string): string =>
  `${onlineMeetingPath(organizer, meetingId)}/recordings/${encodeURIComponent(recordingId)}`;

/** Graph lists a recording only when it can be had: there is no `processing`. */
export const vendorRecording = ({ id, createdDateTime, endDateTime }: CallRecording): VendorRecording => ({
  id,
  state: 'ready',
  startedAt: createdDateTime ?? null,
  endedAt: endDateTime ?? null,
  files: [{ id: FILE_ID, kind: 'video', contentType: 'video/mp4', bytes: null }],
});

export interface RecordingsOptions {
  readonly graph: Graph;
  readonly graphUrl: string;
  readonly mediaOrigins: readonly string[];
  readonly now: () => Date;
}

export function createRecordings({ graph, graphUrl, mediaOrigins, now }: RecordingsOptions): Recordings {
  return {
    async list(account, meeting) {
      if (account.organisation === PERSONAL_TENANT) return [];
      const recordings: VendorRecording[] = [];
      let path: string | undefined = `${onlineMeetingPath(account, meeting.id)}/recordings`;
      try {
        for (let pages = 0; path !== undefined && pages < MAX_PAGES; pages += 1) {
          const answer: z.infer<typeof page> = parseAnswer(
            page,
            await graph(account, { method: 'GET', path, repeatable: true }),
            'list recordings',
          );
          recordings.push(...answer.value.map(vendorRecording));
          path = nextPath(answer['@odata.nextLink'], graphUrl);
        }
      } catch (error) {
        // A meeting that was deleted, or has expired 60 days after its end, has nothing to offer any more.
        if (!isGone(error)) throw error;
      }
      return recordings;
    },

    async open(account, { meeting, recordingId, fileId, range, signal }) {
      if (fileId !== FILE_ID) throw new Failure('gone', 'The recording has no such file.');
      const url = new URL(`/v1.0${recordingPath(account, meeting.id, recordingId)}/content`, graphUrl);
      return openMedia({ account, url, mediaOrigins, range, signal, now });
    },
  };
}
