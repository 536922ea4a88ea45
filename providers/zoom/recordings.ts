import { z } from 'zod';
import type { Account, Recordings } from '../provider.ts';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { DAY, plus } from '../../src/domain/time.ts';
import type { ZoomApi } from './client.ts';
import { zoomId } from './meeting-answer.ts';
import { openMedia } from './media.ts';
import type { ZoomOptions } from './options.ts';
import { userPath } from './platform.ts';
import { kindOf, momentOf, toRecording, zoomRecording, type ZoomRecording } from './recording-files.ts';
import { recordingCache } from './recording-cache.ts';
import { zoomRemoval } from './removal.ts';
import { zoomShares } from './shares.ts';
import { dayOf, recordingPath } from './uuid.ts';

const listed = zoomRecording.extend({ id: zoomId });
const listAnswer = z.object({ next_page_token: z.string().optional(), meetings: z.array(listed) });
const oneAnswer = zoomRecording.extend({ download_access_token: z.string().optional() });
type One = z.infer<typeof oneAnswer>;

/** A list covers at most one month. */
const WINDOW_MS = 29 * DAY;
/** How long the token for the files lives, in seconds; long enough for a stream to begin. */
const TOKEN_TTL_S = '3600';

export function zoomRecordings(api: ZoomApi, { now, mediaOrigins }: Pick<ZoomOptions, 'now' | 'mediaOrigins'>): Recordings {
  const cache = recordingCache<One>(now);
  const removal = zoomRemoval(api);

  const fetched = async (account: Account, uuid: string, key: string): Promise<One> => {
    const recording = await api.get(account, recordingPath(uuid), oneAnswer, {
      include_fields: 'download_access_token',
      ttl: TOKEN_TTL_S,
    });
    cache.set(key, recording);
    return recording;
  };

  /** All instances that lie in the month before a moment. */
  const instancesBefore = async (account: Account, meetingId: string, moment: Date): Promise<readonly ZoomRecording[]> => {
    const query = { from: dayOf(plus(moment, -WINDOW_MS)), to: dayOf(plus(moment, DAY)) };
    const pages = await api.pages(account, `${userPath(account)}/recordings`, listAnswer, query);
    return pages.flatMap(({ meetings }) => meetings).filter(({ id }) => id === meetingId);
  };

  return {
    async list(account, meeting) {
      // Asked by its number, Zoom tells of the latest instance only; one that was cut off and started again has several.
      const latest = await latestInstance(api, account, meeting.id);
      const recent = await instancesBefore(account, meeting.id, now());
      const latestAt = momentOf(latest?.start_time);
      const isOld = latestAt !== undefined && latestAt.getTime() < now().getTime() - WINDOW_MS;
      const older = isOld ? await instancesBefore(account, meeting.id, latestAt) : [];
      const byUuid = new Map([...older, ...recent, ...(latest === undefined ? [] : [latest])].map((instance) => [instance.uuid, instance]));
      return [...byUuid.values()].map(toRecording).toSorted((a, b) => (a.startedAt?.getTime() ?? 0) - (b.startedAt?.getTime() ?? 0));
    },

    async open(account, { recordingId, fileId, range, signal }) {
      const stream = async (recording: One) => {
        const file = recording.recording_files?.find(({ id }) => id === fileId);
        if (file?.download_url === undefined) throw new Failure('gone', 'The recording has no such file any more.');
        const token = recording.download_access_token ?? (await account.accessToken());
        const [, contentType] = kindOf(file);
        return openMedia({ url: file.download_url, token, contentType, range, signal, mediaOrigins, now });
      };
      signal.throwIfAborted();
      const key = keyOf(account, recordingId);
      const known = cache.get(key);
      if (known !== undefined) {
        try {
          return await stream(known);
        } catch (error) {
          // The kept address or its token may have died; Zoom is asked once more.
          if (!isFailure(error, 'gone') && !isFailure(error, 'vendor_refused')) throw error;
          cache.drop(key);
        }
      }
      try {
        return await stream(await fetched(account, recordingId, key));
      } catch (error) {
        if (isFailure(error, 'gone')) cache.drop(key);
        throw error;
      }
    },

    shares: zoomShares(api),
    removal: {
      ...removal,
      async remove(account, ref) {
        cache.drop(keyOf(account, ref.recordingId));
        await removal.remove(account, ref);
        // Somebody may have opened it meanwhile.
        cache.drop(keyOf(account, ref.recordingId));
      },
    },
  };
}

const keyOf = ({ id }: Account, recordingId: string): string => `${id}\n${recordingId}`;

async function latestInstance(api: ZoomApi, account: Account, meetingId: string): Promise<ZoomRecording | undefined> {
  try {
    return await api.get(account, `meetings/${encodeURIComponent(meetingId)}/recordings`, zoomRecording);
  } catch (error) {
    if (isFailure(error, 'gone')) return undefined;
    throw error;
  }
}
