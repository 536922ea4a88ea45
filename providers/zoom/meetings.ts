import { z } from 'zod';
import { parseAnswer } from '../call.ts';
import type { Account, MeetingRequest, Provider, VendorMeeting } from '../provider.ts';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { MINUTE } from '../../src/domain/time.ts';
import type { ZoomApi } from './client.ts';
import { degradedOf, meetingAnswer, startTime, zoomId, type MeetingAnswer } from './meeting-answer.ts';
import { userPath } from './platform.ts';

const listAnswer = z.object({
  next_page_token: z.string().optional(),
  meetings: z.array(z.object({ id: zoomId, agenda: z.string().optional(), created_at: z.string().optional() })),
});
const hostAnswer = z.object({ start_url: z.url({ protocol: /^https?$/ }) });
const statusAnswer = z.object({ status: z.string().optional() });

type Meetings = Required<
  Pick<Provider, 'createMeeting' | 'findMeeting' | 'changeMeeting' | 'cancelMeeting' | 'hostUrl' | 'endMeeting' | 'recordAutomatically'>
>;

export function zoomMeetings(api: ZoomApi, now: () => Date): Meetings {
  const path = (id: string) => `meetings/${encodeURIComponent(id)}`;
  const remove = (account: Account, id: string) => unlessGone(api.send(account, { method: 'DELETE', path: path(id) }));

  /** The meeting of an earlier attempt, found by the tag; surplus ones of it are deleted. */
  const adopt = async (account: Account, key: string): Promise<MeetingAnswer | undefined> => {
    const pages = await api.pages(account, `${userPath(account)}/meetings`, listAnswer, { type: 'scheduled' });
    const [kept, ...surplus] = pages
      .flatMap(({ meetings }) => meetings)
      .filter(({ agenda }) => agenda === tag(key))
      // The same choice for every caller, so that two retries never delete each other's meeting.
      .toSorted((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? '') || a.id.localeCompare(b.id));
    for (const { id } of surplus) if (id !== kept?.id) await remove(account, id);
    return kept && unlessGone(api.get(account, path(kept.id), meetingAnswer));
  };

  return {
    async createMeeting(account, request) {
      const recording = request.recordAutomatically && account.cloudRecording !== 'no';
      const adopted = request.retry ? await adopt(account, request.key) : undefined;
      const answer =
        adopted ??
        parseAnswer(
          meetingAnswer,
          await api.send(account, {
            method: 'POST',
            path: `${userPath(account)}/meetings`,
            body: createBody(request, recording),
            counts: 'create',
          }),
          'create meeting',
        );
      return { id: answer.id, joinUrl: answer.join_url, details: {}, degraded: degradedOf(request, answer) } satisfies VendorMeeting;
    },

    async findMeeting(account, key) {
      const found = await adopt(account, key);
      return found && { id: found.id, joinUrl: found.join_url, details: {} };
    },

    async changeMeeting(account, meeting, { title, startsAt, durationMinutes, timeZone }) {
      // Zoom answers 204 and leaves the time as it is.
      if (startsAt <= now()) {
        throw new Failure('vendor_refused', 'Zoom does not move a meeting into the past.', {
          extra: { vendor_code: 'start_time_in_past' },
        });
      }
      const body = { topic: topic(title), start_time: startTime(startsAt), duration: durationMinutes, timezone: timeZone };
      const changed = await unlessGone(api.send(account, { method: 'PATCH', path: path(meeting.id), body, counts: 'change' }));
      if (changed === undefined) return;
      const answer = await unlessGone(api.get(account, path(meeting.id), meetingAnswer));
      if (answer === undefined) return;
      const startsElsewhere = answer.start_time !== undefined && Math.abs(Date.parse(answer.start_time) - startsAt.getTime()) > MINUTE;
      if (startsElsewhere || (answer.duration !== undefined && answer.duration !== durationMinutes)) {
        throw new Failure('vendor_nonsense', 'Zoom confirmed the change and did not make it.');
      }
    },

    async cancelMeeting(account, meeting) {
      await remove(account, meeting.id);
    },

    async hostUrl(account, meeting) {
      // It carries a login of the host and lives two hours, so it is never kept.
      return (await api.get(account, path(meeting.id), hostAnswer)).start_url;
    },

    async recordAutomatically(account, meeting, on) {
      const read = async () => (await api.get(account, path(meeting.id), meetingAnswer)).settings?.auto_recording ?? 'none';
      const wanted = on ? 'cloud' : 'none';
      let told = await read();
      // A change counts against the host's day, and a free account would ignore it.
      if (told !== wanted && !(on && account.cloudRecording === 'no')) {
        const body = { settings: { auto_recording: wanted } };
        await api.send(account, { method: 'PATCH', path: path(meeting.id), body, counts: 'change' });
        told = await read();
      }
      // A local recording never reaches us, so it does not do what was asked for; where none may be made it is one all the same.
      return on ? told === 'cloud' : told !== 'none';
    },

    async endMeeting(account, meeting) {
      try {
        await unlessGone(api.send(account, { method: 'PUT', path: `${path(meeting.id)}/status`, body: { action: 'end' } }));
      } catch (error) {
        // Which code means "not running" is not documented, so the meeting itself is asked.
        if (!isFailure(error, 'vendor_refused')) throw error;
        const answer = await unlessGone(api.get(account, path(meeting.id), statusAnswer));
        if (answer?.status === 'started') throw error;
      }
    },
  };
}

const createBody = (request: MeetingRequest, recording: boolean) => ({
  topic: topic(request.title),
  type: 2,
  start_time: startTime(request.startsAt),
  timezone: request.timeZone,
  duration: request.durationMinutes,
  agenda: tag(request.key),
  settings: {
    // With the personal id, events would carry an id that we have never seen.
    use_pmi: false,
    // Who comes early sees that the host has not started yet, and is let in with the host's start; nobody has to be admitted by hand.
    join_before_host: false,
    waiting_room: false,
    // Customers have no Zoom account, and the gateway has checked them already.
    meeting_authentication: false,
    approval_type: 2,
    participant_video: request.participantVideo,
    ...(request.hostVideo === true ? { host_video: true, mute_upon_entry: false } : {}),
    // What is left out takes the professional's own defaults.
    auto_recording: recording ? 'cloud' : 'none',
  },
});

/** What a search for an earlier attempt goes by. */
const tag = (key: string): string => `ref:${key}`;
/** The documented maximum of a topic is 200 characters. */
const topic = (title: string): string => Array.from(title).slice(0, 200).join('');

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isFailure(error, 'gone')) return undefined;
    throw error;
  }
}
