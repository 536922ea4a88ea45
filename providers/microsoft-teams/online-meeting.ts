/** The meeting side: found by the event's join link, then given its settings. */
import { z } from 'zod';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { SECOND } from '../../src/domain/time.ts';
import { parseAnswer, repeating } from '../call.ts';
import type { MeetingRequest } from '../provider.ts';
import { isGone } from './events.ts';
import type { Graph } from './graph.ts';
import { organizerPath, type Organizer } from './options.ts';

const onlineMeeting = z.object({
  id: z.string().min(1),
  joinWebUrl: z.string().min(1),
  recordAutomatically: z.boolean().nullish(),
  allowAttendeeToEnableCamera: z.boolean().nullish(),
  lobbyBypassSettings: z.object({ scope: z.string().nullish() }).nullish(),
});
const settingsAnswer = onlineMeeting.partial();
const found = z.object({ value: z.array(onlineMeeting) });
export type OnlineMeeting = z.infer<typeof onlineMeeting>;
type Settings = z.infer<typeof settingsAnswer>;

export const onlineMeetingPath = (organizer: Organizer, id: string): string =>
  `${organizerPath(organizer)}/onlineMeetings/${encodeURIComponent(id)}`;

/** @throws Failure `vendor_unavailable` while Teams does not know the meeting yet: trying again finishes it. */
export function findOnlineMeeting(graph: Graph, organizer: Organizer, joinUrl: string): Promise<OnlineMeeting> {
  // The link itself holds percent signs, and has to arrive with them: encoded once more, its quotes doubled for OData.
  const filter = encodeURIComponent(`JoinWebUrl eq '${joinUrl.replaceAll("'", "''")}'`);
  return repeating(async () => {
    const answer = await graph(organizer, {
      method: 'GET',
      path: `${organizerPath(organizer)}/onlineMeetings?$filter=${filter}`,
      repeatable: false,
      refused: ({ status }) => (status === 404 ? notYet() : undefined),
    });
    const [meeting] = parseAnswer(found, answer, 'find the online meeting').value;
    if (!meeting) throw notYet();
    return meeting;
  });
}

/** Sets what was asked for; gives the names of what Microsoft did not take over. */
export async function applySettings(
  graph: Graph,
  organizer: Organizer,
  meeting: OnlineMeeting,
  { recordAutomatically, participantVideo, hostVideo }: MeetingRequest,
): Promise<readonly string[]> {
  let now: Settings = meeting;
  try {
    const answer = await graph(organizer, {
      method: 'PATCH',
      path: onlineMeetingPath(organizer, meeting.id),
      body: {
        // Customers are outside the tenant, and would wait in the lobby.
        lobbyBypassSettings: { scope: 'everyone' },
        // Said in both cases: a tenant's default may be to record.
        recordAutomatically,
        ...(participantVideo ? {} : { allowAttendeeToEnableCamera: false }),
      },
      repeatable: true,
    });
    now = parseAnswer(settingsAnswer, answer, 'set up the online meeting');
  } catch (error) {
    // A tenant's policy may forbid a setting. The link works all the same; what is missing is told.
    if (!isFailure(error, 'vendor_refused')) throw error;
  }
  return [
    ...(now.lobbyBypassSettings?.scope === 'everyone' ? [] : ['open_access']),
    ...((now.recordAutomatically ?? false) === recordAutomatically ? [] : ['record_automatically']),
    ...(participantVideo || now.allowAttendeeToEnableCamera === false ? [] : ['participant_video']),
    // Everybody chooses about the own camera before joining.
    ...(hostVideo === true ? ['host_video'] : []),
  ];
}

/**
 * Whether Teams records the meeting by itself, as it says after the change. A tenant's policy may forbid the change, or drop it in silence;
 * one that comes while the meeting runs is for its next run.
 * @throws Failure `gone`
 */
export async function setRecording(graph: Graph, organizer: Organizer, meetingId: string, on: boolean): Promise<boolean> {
  const path = onlineMeetingPath(organizer, meetingId);
  try {
    await graph(organizer, { method: 'PATCH', path, body: { recordAutomatically: on }, repeatable: true }).catch((error: unknown) => {
      if (!isFailure(error, 'vendor_refused')) throw error;
    });
    const answer = await graph(organizer, { method: 'GET', path, repeatable: true });
    return parseAnswer(settingsAnswer, answer, 'read the online meeting').recordAutomatically ?? false;
  } catch (error) {
    if (isGone(error)) throw new Failure('gone', 'The meeting does not exist at Microsoft any more.', { cause: error });
    throw error;
  }
}

const notYet = (): Failure => new Failure('vendor_unavailable', 'Microsoft has not finished the meeting yet.', { retryAfterMs: SECOND });
