import { z } from 'zod';
import { call, parseAnswer } from '../call.ts';
import type { AccountProfile, PlatformHost } from '../provider.ts';
import { Failure } from '../../src/domain/failure.ts';
import { refusedByZoom } from './failures.ts';
import type { ZoomOptions } from './options.ts';

// Only what we use; Zoom adds fields without notice.
const userAnswer = z.object({
  id: z.string().min(1),
  account_id: z.string().min(1).optional(),
  email: z.string().optional(),
  type: z.int(),
  plan_united_type: z.coerce.string().optional().catch(undefined),
  zoom_one_type: z.int().optional().catch(undefined),
});
const settingsAnswer = z.object({ recording: z.object({ cloud_recording: z.boolean().optional() }).optional() });

/** User types: 1 Basic, 2 Licensed, 4 without meetings, 99 none. The 40 minutes follow the host's own type, whatever the account's plan. */
const BASIC = 1;
const LICENSED = 2;

/**
 * Bundles that Zoom documents as Business or Enterprise ones: their hosts may run two meetings at once, all others one
 * (https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0068522). A plain licence does not tell the account's plan.
 */
const BUSINESS_UNITED = new Set('32 64 128 256 512 1024 2048 4096 8192 16384 65536 131072'.split(' '));
const BUSINESS_PLUS = new Set([16, 32, 64, 128]);

type Api = Pick<ZoomOptions, 'apiUrl' | 'now'>;

/** The user whom the token speaks for. */
export async function readProfile(api: Api, accessToken: string): Promise<AccountProfile> {
  const { concurrentMeetings: _, ...profile } = await readUser(api, accessToken, 'me');
  return profile;
}

/** `named`: an id or e-mail address for a token of the whole account, otherwise `me`. */
export async function readUser({ apiUrl, now }: Api, accessToken: string, named: string): Promise<PlatformHost> {
  const path = `users/${encodeURIComponent(named)}`;
  const get = (path: string) =>
    call({
      method: 'GET',
      url: `${apiUrl}/${path}`,
      headers: { authorization: `Bearer ${accessToken}` },
      repeatable: true,
      refused: (answer) => refusedByZoom(answer, now()),
      now,
    });
  const user = parseAnswer(userAnswer, await get(path), 'GET user');

  const cloudRecording = async (): Promise<AccountProfile['cloudRecording']> => {
    if (user.type !== LICENSED) return 'no';
    try {
      const { recording } = parseAnswer(settingsAnswer, await get(`${path}/settings`), 'GET user settings');
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
    concurrentMeetings: hasBusinessPlan(user) ? 2 : 1,
  };
}

const hasBusinessPlan = (user: z.infer<typeof userAnswer>): boolean =>
  user.type === LICENSED && (BUSINESS_UNITED.has(user.plan_united_type ?? '') || BUSINESS_PLUS.has(user.zoom_one_type ?? 0));
