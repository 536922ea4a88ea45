/** Deleting a recording at Zoom for good. Without `action=delete` Zoom only moves it to the trash, where it can be had for 30 more days. */
import { z } from 'zod';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import type { Account, RecordingRemoval } from '../provider.ts';
import type { ZoomApi } from './client.ts';
import { userPath } from './platform.ts';
import { REMOVAL_SCOPES } from './scopes.ts';
import { recordingPath } from './uuid.ts';

const named = z.object({ uuid: z.string() });
const listAnswer = z.object({ next_page_token: z.string().optional(), meetings: z.array(named) });

/** With 404: Zoom has no recording of this instance. */
const NO_RECORDING = '3301';

export function zoomRemoval(api: ZoomApi): RecordingRemoval {
  const isInTrash = async (account: Account, uuid: string): Promise<boolean> => {
    const pages = await api.pages(account, `${userPath(account)}/recordings`, listAnswer, {
      trash: 'true',
      trash_type: 'meeting_recordings',
    });
    return pages.some(({ meetings }) => meetings.some((one) => one.uuid === uuid));
  };

  return {
    scopes: REMOVAL_SCOPES,

    async remove(account, { recordingId }) {
      try {
        const answer = await api.send(account, { method: 'DELETE', path: recordingPath(recordingId), query: { action: 'delete' } });
        // Documented beside the 204: a 200 that says "You do not have the right permissions".
        if (answer.status === 200) throw forbidden(new Error(`HTTP 200: ${answer.text.slice(0, 500)}`));
      } catch (error) {
        if (isFailure(error, 'gone')) return;
        // The host's setting "can delete cloud recordings"; which code it has is not documented, the status of a prohibition is.
        if (isFailure(error, 'vendor_refused') && error.extra['status'] === 403) throw forbidden(error);
        throw error;
      }
    },

    async isGone(account, { recordingId }) {
      try {
        await api.get(account, recordingPath(recordingId), named);
        return false;
      } catch (error) {
        if (!isFailure(error, 'gone')) throw error;
        // "No such meeting" is no word about the recording, and what is proven here is written into a certificate.
        const { vendor_code: code } = error.extra;
        if (code !== NO_RECORDING) {
          throw new Failure('vendor_refused', 'Zoom does not find the meeting, and says nothing about its recording.', {
            cause: error,
            extra: { vendor_code: code },
          });
        }
      }
      // What somebody has moved to the trash is not found either, and can be brought back.
      return !(await isInTrash(account, recordingId));
    },
  };
}

const forbidden = (cause: unknown): Failure =>
  new Failure('not_capable', 'The Zoom account does not allow the app to delete its recordings.', { cause });
