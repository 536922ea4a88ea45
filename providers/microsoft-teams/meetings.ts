/** A Teams meeting of the gateway: a calendar event with an online meeting behind it. */
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { SECOND } from '../../src/domain/time.ts';
import { repeating } from '../call.ts';
import type { Account, MeetingRef, Provider, VendorMeeting } from '../provider.ts';
import { changeEvent, createEvent, deleteEvent, readEvent, startsAt, type CalendarEvent } from './events.ts';
import type { Graph } from './graph.ts';
import { isTeamsJoinUrl } from './join-url.ts';
import { applySettings, findOnlineMeeting, setRecording, type OnlineMeeting } from './online-meeting.ts';
import { PERSONAL_ACCOUNT, PERSONAL_TENANT } from './options.ts';

type Meetings = Required<Pick<Provider, 'createMeeting' | 'changeMeeting' | 'cancelMeeting' | 'hostUrl' | 'recordAutomatically'>>;

export function createMeetings(graph: Graph): Meetings {
  return {
    async createMeeting(account, request): Promise<VendorMeeting> {
      if (!account.createsMeetings || account.organisation === PERSONAL_TENANT) throw new Failure('not_capable', PERSONAL_ACCOUNT);
      // A failure between the steps leaves an event that the next try finds by its key and finishes.
      const event = await createEvent(graph, account, request);
      const joinUrl = await joinUrlOf(graph, account, event);
      const meeting = await meetingOf(graph, account, event, joinUrl);
      if (!isTeamsJoinUrl(meeting.joinWebUrl)) return discard(graph, account, event, elsewhere());
      const degraded = await applySettings(graph, account, meeting, request);
      return {
        id: meeting.id,
        joinUrl: meeting.joinWebUrl,
        details: { eventId: event.id },
        degraded: startsAt(event, request.startsAt) ? degraded : [...degraded, 'starts_at'],
      };
    },

    async changeMeeting(account, meeting, change) {
      await changeEvent(graph, account, eventIdOf(meeting), change);
    },

    async cancelMeeting(account, meeting) {
      await deleteEvent(graph, account, eventIdOf(meeting));
    },

    recordAutomatically: (account, meeting, on) => setRecording(graph, account, meeting.id, on),

    // Teams knows its host by the sign-in; there is no other link for him.
    hostUrl: (_account, meeting) => Promise.resolve(meeting.joinUrl),
  };
}

/** Microsoft may answer 201 and leave the online meeting out. */
async function joinUrlOf(graph: Graph, account: Account, event: CalendarEvent): Promise<string> {
  const settled = event.isOnlineMeeting && !event.onlineMeeting?.joinUrl ? await whenSettled(graph, account, event.id) : event;
  const joinUrl = settled.onlineMeeting?.joinUrl;
  if (!settled.isOnlineMeeting || !joinUrl) return discard(graph, account, event, withoutTeams());
  return isTeamsJoinUrl(joinUrl) ? joinUrl : discard(graph, account, event, elsewhere());
}

/** Where the app may write the calendar, but not act for the host in Teams, the entry is of no use either. */
async function meetingOf(graph: Graph, account: Account, event: CalendarEvent, joinUrl: string): Promise<OnlineMeeting> {
  try {
    return await findOnlineMeeting(graph, account, joinUrl);
  } catch (error) {
    if (isFailure(error, 'not_capable')) return discard(graph, account, event, error);
    throw error;
  }
}

/** An entry without a usable link would only stand in the professional's way. */
async function discard(graph: Graph, account: Account, event: CalendarEvent, failure: Failure): Promise<never> {
  await deleteEvent(graph, account, event.id);
  throw failure;
}

const withoutTeams = (): Failure =>
  new Failure(
    'not_capable',
    'Microsoft made a calendar entry without a Teams meeting. Ask your administrator whether this account may use Teams.',
  );

const elsewhere = (): Failure => new Failure('vendor_nonsense', 'Microsoft answered with a join link that does not lead to Teams.');

/** The meeting of an event is made behind its back; the first answer may come before. */
const whenSettled = (graph: Graph, account: Account, eventId: string): Promise<CalendarEvent> =>
  repeating(async () => {
    const event = await readEvent(graph, account, eventId);
    if (!event.isOnlineMeeting || event.onlineMeeting?.joinUrl) return event;
    throw new Failure('vendor_unavailable', 'Microsoft has not finished the meeting yet.', { retryAfterMs: SECOND });
  });

function eventIdOf({ details }: MeetingRef): string {
  const eventId = details['eventId'];
  if (eventId !== undefined) return eventId;
  throw new Failure('not_capable', 'This meeting was not made by the gateway, so it cannot be changed or cancelled there.');
}
