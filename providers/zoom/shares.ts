/** Zoom's own page of a recording, opened to people without an account and closed again. Every setting is believed only when read back. */
import { z } from 'zod';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { DAY, plus } from '../../src/domain/time.ts';
import type { Account, RecordingShares } from '../provider.ts';
import type { ZoomApi } from './client.ts';
import { userPath } from './platform.ts';
import { momentOf } from './recording-files.ts';
import { SHARE_SCOPES } from './scopes.ts';
import { dayOf, recordingPath } from './uuid.ts';

const settingsAnswer = z.object({
  share_recording: z.string().optional(),
  viewer_download: z.boolean().optional(),
  recording_authentication: z.boolean().optional(),
  on_demand: z.boolean().optional(),
  password: z.string().optional(),
});
type Settings = z.infer<typeof settingsAnswer>;

const shared = z.object({
  uuid: z.string(),
  start_time: z.string().optional(),
  share_url: z.url({ protocol: /^https?$/ }).optional(),
  password: z.string().optional(),
});
type Shared = z.infer<typeof shared>;
const listAnswer = z.object({ next_page_token: z.string().optional(), meetings: z.array(shared) });

/** Nobody signs in, registers or downloads: customers have no account, and the gateway has checked them already. */
const OPEN = { share_recording: 'publicly', viewer_download: false, recording_authentication: false, on_demand: false } as const;
const CLOSED = { share_recording: 'none' } as const;

export function zoomShares(api: ZoomApi): RecordingShares {
  const path = (uuid: string): string => `${recordingPath(uuid)}/settings`;
  const read = (account: Account, uuid: string): Promise<Settings> => api.get(account, path(uuid), settingsAnswer);
  const write = (account: Account, uuid: string, body: object) => api.send(account, { method: 'PATCH', path: path(uuid), body });

  /** The address of the page. Documented for lists and events only, so the list is asked where the recording itself does not tell. */
  const pageOf = async (account: Account, uuid: string): Promise<Shared> => {
    const recording = await api.get(account, recordingPath(uuid), shared);
    const startedAt = momentOf(recording.start_time);
    if (recording.share_url !== undefined || startedAt === undefined) return recording;
    // Days are UTC days of the host's list; one on either side costs nothing.
    const query = { from: dayOf(plus(startedAt, -DAY)), to: dayOf(plus(startedAt, DAY)) };
    const pages = await api.pages(account, `${userPath(account)}/recordings`, listAnswer, query);
    const listed = pages.flatMap(({ meetings }) => meetings).find((one) => one.uuid === uuid);
    return { ...recording, share_url: listed?.share_url };
  };

  return {
    scopes: SHARE_SCOPES,

    async open(account, { recordingId }) {
      if (!isAsAsked(await read(account, recordingId))) await write(account, recordingId, OPEN);
      const settings = await read(account, recordingId);
      if (!isAsAsked(settings)) {
        throw new Failure('not_capable', 'The Zoom account does not allow to show a recording to people outside of it.', {
          extra: { vendor_code: 'share_recording' },
        });
      }
      const { share_url: url, password } = await pageOf(account, recordingId);
      if (url === undefined) throw new Failure('vendor_nonsense', 'Zoom has opened the recording and names no page of it.');
      return { url, passcode: password || settings.password || null };
    },

    async close(account, { recordingId }) {
      try {
        await write(account, recordingId, CLOSED);
      } catch (error) {
        if (!isFailure(error, 'gone')) throw error;
      }
    },

    async isOpen(account, { recordingId }) {
      try {
        const { share_recording: told } = await read(account, recordingId);
        // Silence is no proof that it is closed.
        return told !== 'none' && told !== 'internally';
      } catch (error) {
        if (isFailure(error, 'gone')) return false;
        throw error;
      }
    },
  };
}

const isAsAsked = (settings: Settings): boolean =>
  settings.share_recording === OPEN.share_recording &&
  settings.viewer_download === OPEN.viewer_download &&
  settings.recording_authentication !== true &&
  settings.on_demand !== true;
