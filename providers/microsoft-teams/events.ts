/** The calendar side of a meeting: recordings are only kept by Graph for meetings that stand on the organizer's calendar. */
import { z } from 'zod';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { MINUTE, plus, SECOND } from '../../src/domain/time.ts';
import { parseAnswer, type Answer } from '../call.ts';
import type { GrantEnd, MeetingChange, MeetingRequest } from '../provider.ts';
import { errorCode, type Graph } from './graph.ts';
import { organizerPath, type Organizer } from './options.ts';

const eventAnswer = z.object({
  id: z.string().min(1),
  transactionId: z.string().nullish(),
  isOnlineMeeting: z.boolean().nullish(),
  onlineMeeting: z.object({ joinUrl: z.string().nullish() }).nullish(),
  start: z.object({ dateTime: z.string(), timeZone: z.string() }).nullish(),
});
const eventsAnswer = z.object({ value: z.array(eventAnswer) });
export type CalendarEvent = z.infer<typeof eventAnswer>;

const UTC_ANSWERS = { prefer: 'outlook.timezone="UTC"' };
const SELECTED = '$select=id,transactionId,isOnlineMeeting,onlineMeeting,start';
/** Error codes of accounts whose calendar is not at Exchange Online. */
const WITHOUT_MAILBOX = new Set(['MailboxNotEnabledForRESTAPI', 'MailboxNotSupportedForRESTAPI']);

const eventsPath = (organizer: Organizer): string => `${organizerPath(organizer)}/events`;
const eventPath = (organizer: Organizer, eventId: string): string => `${eventsPath(organizer)}/${encodeURIComponent(eventId)}`;

/**
 * Makes the event, or gives the one made under this key. Graph answers a second POST with the same `transactionId` with
 * the first one's event; after a lost answer it is searched for all the same, and adopted.
 */
export async function createEvent(graph: Graph, organizer: Organizer, request: MeetingRequest): Promise<CalendarEvent> {
  const adopted = request.retry ? await findEvent(graph, organizer, request) : undefined;
  if (adopted) return adopted;
  try {
    const answer = await graph(organizer, {
      method: 'POST',
      path: eventsPath(organizer),
      headers: UTC_ANSWERS,
      body: {
        ...eventFields(request),
        transactionId: request.key,
        isOnlineMeeting: true,
        onlineMeetingProvider: 'teamsForBusiness',
        // No attendees: Outlook would send them invitations with the vendor's link.
        showAs: 'busy',
        allowNewTimeProposals: false,
        responseRequested: false,
      },
      repeatable: true,
      refused: (answer) => withoutMailbox(answer) ?? withoutPermission(answer),
    });
    return parseAnswer(eventAnswer, answer, 'create an event');
  } catch (error) {
    const taken = isFailure(error, 'vendor_refused') && error.extra['status'] === 409;
    const existing = taken ? await findEvent(graph, organizer, request) : undefined;
    if (existing) return existing;
    throw error;
  }
}

export async function readEvent(graph: Graph, organizer: Organizer, eventId: string): Promise<CalendarEvent> {
  const path = `${eventPath(organizer, eventId)}?${SELECTED}`;
  return parseAnswer(eventAnswer, await graph(organizer, { method: 'GET', path, headers: UTC_ANSWERS, repeatable: true }), 'read an event');
}

/** False when there is no such event any more. */
export async function changeEvent(graph: Graph, organizer: Organizer, eventId: string, change: MeetingChange): Promise<boolean> {
  try {
    const answer = await graph(organizer, {
      method: 'PATCH',
      path: eventPath(organizer, eventId),
      headers: UTC_ANSWERS,
      // Never the event's body: the meeting's coordinates live in it, and writing it takes the meeting away.
      body: eventFields(change),
      repeatable: true,
    });
    const event = parseAnswer(eventAnswer, answer, 'change an event');
    if (!startsAt(event, change.startsAt)) throw new Failure('vendor_nonsense', 'Microsoft answered the change with another time.');
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Succeeds when it is gone already. */
export async function deleteEvent(graph: Graph, organizer: Organizer, eventId: string): Promise<void> {
  try {
    await graph(organizer, { method: 'DELETE', path: eventPath(organizer, eventId), repeatable: true });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** True when the event starts at that moment, or does not say when in UTC. */
export function startsAt({ start }: CalendarEvent, moment: Date): boolean {
  if (start?.timeZone !== 'UTC') return true;
  return Math.abs(Date.parse(`${start.dateTime.slice(0, 19)}Z`) - moment.getTime()) < SECOND;
}

export const isGone = (error: unknown): boolean =>
  isFailure(error, 'vendor_refused') && (error.extra['status'] === 404 || error.extra['status'] === 410);

/** The token carries no permission for the calendar: an administrator has taken it back. Graph's word is common knowledge, and was not read. */
function withoutPermission(answer: Answer): Failure | undefined {
  if (answer.status !== 403 || errorCode(answer) !== 'Authorization_RequestDenied') return undefined;
  return new Failure('reconnect_required', 'Microsoft says that the permission for the calendar is missing.', {
    cause: new Error(`HTTP 403: ${answer.text.slice(0, 500)}`),
    extra: { reason: 'permission_missing' satisfies GrantEnd, vendor_code: 'Authorization_RequestDenied' },
  });
}

/** In the minute of the start, because `transactionId` is not documented as a filter. */
async function findEvent(graph: Graph, organizer: Organizer, request: MeetingRequest): Promise<CalendarEvent | undefined> {
  const [from, until] = [request.startsAt, plus(request.startsAt, MINUTE)].map(utc);
  const filter = encodeURIComponent(`start/dateTime ge '${from}' and start/dateTime lt '${until}'`);
  // 100: nobody has that many appointments in one minute.
  const path = `${eventsPath(organizer)}?$filter=${filter}&${SELECTED}&$top=100`;
  const answer = await graph(organizer, { method: 'GET', path, headers: UTC_ANSWERS, repeatable: true });
  return parseAnswer(eventsAnswer, answer, 'search events').value.find(({ transactionId }) => transactionId === request.key);
}

const eventFields = ({ title, startsAt, durationMinutes }: MeetingChange) => ({
  subject: title,
  start: { dateTime: utc(startsAt), timeZone: 'UTC' },
  end: { dateTime: utc(plus(startsAt, durationMinutes * MINUTE)), timeZone: 'UTC' },
});

/** Graph wants the time without an offset, beside the zone. */
const utc = (moment: Date): string => moment.toISOString().slice(0, 19);

function withoutMailbox(answer: Answer): Failure | undefined {
  const code = errorCode(answer);
  if (code === undefined || !WITHOUT_MAILBOX.has(code)) return undefined;
  return new Failure(
    'not_capable',
    'This Microsoft account has no calendar at Microsoft, so no Teams meeting can be made for it. Ask your administrator for an Exchange Online mailbox.',
  );
}
