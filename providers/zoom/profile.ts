import { z } from 'zod';
import { call, parseAnswer } from '../call.ts';
import type { AccountProfile } from '../provider.ts';
import { Failure } from '../../src/domain/failure.ts';
import { refusedByZoom } from './failures.ts';
import type { ZoomOptions } from './options.ts';

// Only what we use; Zoom adds fields without notice.
const userAnswer = z.object({
  id: z.string().min(1),
  account_id: z.string().min(1).optional(),
  email: z.string().optional(),
  type: z.int(),
});
const settingsAnswer = z.object({ recording: z.object({ cloud_recording: z.boolean().optional() }).optional() });

/** User types: 1 Basic, 2 Licensed, 4 without meetings, 99 none. The 40 minutes follow the host's own type, whatever the account's plan. */
const BASIC = 1;
const LICENSED = 2;

export async function readProfile({ apiUrl, now }: Pick<ZoomOptions, 'apiUrl' | 'now'>, accessToken: string): Promise<AccountProfile> {
  const get = (path: string) =>
    call({
      method: 'GET',
      url: `${apiUrl}/${path}`,
      headers: { authorization: `Bearer ${accessToken}` },
      repeatable: true,
      refused: (answer) => refusedByZoom(answer, now()),
      now,
    });
  const user = parseAnswer(userAnswer, await get('users/me'), 'GET users/me');

  const cloudRecording = async (): Promise<AccountProfile['cloudRecording']> => {
    if (user.type !== LICENSED) return 'no';
    try {
      const { recording } = parseAnswer(settingsAnswer, await get('users/me/settings'), 'GET users/me/settings');
      if (recording?.cloud_recording === undefined) return 'unknown';
      return recording.cloud_recording ? 'yes' : 'no';
    } catch (error) {
      // The scope for settings may be missing; everything else works without it.
      if (error instanceof Failure && ['reconnect_required', 'vendor_refused', 'not_capable', 'vendor_nonsense'].includes(error.code))
        return 'unknown';
      throw error;
    }
  };

  return {
    id: user.id,
    email: user.email === undefined || user.email === '' ? null : user.email,
    organisation: user.account_id ?? null,
    plan: user.type === BASIC ? 'free' : user.type === LICENSED ? 'paid' : 'unknown',
    createsMeetings: user.type === BASIC || user.type === LICENSED,
    cloudRecording: await cloudRecording(),
  };
}
