/** What Zoom makes of a request before it becomes a meeting: silent corrections, and the daily limit. */
import { HOUR, MINUTE, plus } from '../clock.ts';
import type { Zoom, ZoomUser } from './state.ts';

/** Creates and updates per host and UTC day: https://developers.zoom.us/docs/api/rate-limits/ */
const CHANGES_PER_DAY = 100;

/** Unset settings take the user's own defaults; what the plan forbids is dropped without a word. */
export function allowedSettings(host: ZoomUser, asked: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const settings: Record<string, unknown> = {
    host_video: true,
    participant_video: true,
    join_before_host: true,
    jbh_time: 0,
    mute_upon_entry: false,
    waiting_room: false,
    use_pmi: false,
    approval_type: 2,
    audio: 'both',
    auto_recording: 'none',
    alternative_hosts: '',
    encryption_type: 'enhanced_encryption',
    meeting_authentication: false,
    private_meeting: false,
    email_notification: true,
    ...asked,
  };
  if (host.type === 1 && settings['auto_recording'] === 'cloud') settings['auto_recording'] = 'none';
  if (settings['waiting_room'] === true) settings['join_before_host'] = false;
  return settings;
}

/** `…Z` is UTC; without it the time is local to `timezone`. Offsets are read as UTC, as reported of the real one. */
export function readStart(text: string | undefined, timezone: string): Date | null {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/.exec(text ?? '');
  if (!match) return null;
  const utc = new Date(`${match[1]}Z`);
  if (Number.isNaN(utc.getTime())) return null;
  return match[3] === undefined ? plus(utc, -zoneOffsetMs(utc, timezone)) : utc;
}

function zoneOffsetMs(moment: Date, timeZone: string): number {
  try {
    const name = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
      .formatToParts(moment)
      .find(({ type }) => type === 'timeZoneName');
    const [, sign, hours, minutes] = /GMT([+-])(\d{2}):(\d{2})/.exec(name?.value ?? '') ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * HOUR + Number(minutes ?? 0) * MINUTE);
  } catch {
    return 0;
  }
}

/** Zoom's Business and Enterprise bundles allow two meetings of one host at once, everything else one: article KB0068522. */
const BUSINESS = new Set('32 64 128 256 512 1024 2048 4096 8192 16384 65536 131072'.split(' '));

/** How many meetings the host may run at once. */
export const concurrentMeetings = ({ type, planUnitedType }: ZoomUser): number =>
  type === 2 && planUnitedType !== null && BUSINESS.has(planUnitedType) ? 2 : 1;

export function countChange({ state, world }: Zoom, host: ZoomUser): boolean {
  const day = `${host.id} ${world.agenda.now().toISOString().slice(0, 10)}`;
  const count = (state.changes.get(day) ?? 0) + 1;
  if (count > CHANGES_PER_DAY) return false;
  state.changes.set(day, count);
  return true;
}

/** Body and headers as reported in https://devforum.zoom.us/t/18928; no Retry-After. */
export function dailyLimit(): Response {
  const message = `You have exceeded the daily rate limit (${CHANGES_PER_DAY}) of Meeting Create/Update API requests permitted for this particular user. You may resume these requests at GMT 00:00:00.`;
  return Response.json(
    { code: 429, message },
    { status: 429, headers: { 'x-ratelimit-category': 'Light', 'x-ratelimit-limit': '6000', 'x-ratelimit-remaining': '5893' } },
  );
}
