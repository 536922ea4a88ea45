/** What a push says. Meet's events name a resource and tell nothing about it; only the subscription's own events are complete. */
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import type { Notice } from '../provider.ts';
import { readEnvelope, type CloudEvent } from './envelope.ts';
import { recordName, recordingName, sessionName, subscriptionName, transcriptName } from './shapes.ts';

const MEET = 'google.workspace.meet.';
const LIFECYCLE = 'google.workspace.events.subscription.v1.';
const SOURCE = '//workspaceevents.googleapis.com/';

const conference = z.object({ conferenceRecord: z.object({ name: recordName }) }).transform((data) => data.conferenceRecord.name);
const session = z.object({ participantSession: z.object({ name: sessionName }) }).transform((data) => data.participantSession.name);
const recording = z.object({ recording: z.object({ name: recordingName }) }).transform((data) => data.recording.name);
const transcript = z.object({ transcript: z.object({ name: transcriptName }) }).transform((data) => data.transcript.name);

/** Where each kind of event carries the name of its resource. */
const POINTERS: Readonly<Record<string, z.ZodType<string>>> = {
  [`${MEET}conference.v2.started`]: conference,
  [`${MEET}conference.v2.ended`]: conference,
  [`${MEET}participant.v2.joined`]: session,
  [`${MEET}participant.v2.left`]: session,
  [`${MEET}recording.v2.started`]: recording,
  [`${MEET}recording.v2.ended`]: recording,
  [`${MEET}recording.v2.fileGenerated`]: recording,
  [`${MEET}transcript.v2.fileGenerated`]: transcript,
};

const LIFECYCLES = {
  [`${LIFECYCLE}expirationReminder`]: 'subscription.expiring',
  [`${LIFECYCLE}suspended`]: 'subscription.suspended',
  [`${LIFECYCLE}expired`]: 'subscription.removed',
} as const;

// The documentation's samples are in snake_case, Google's JSON is in camelCase elsewhere: both are taken.
const lifecycle = z.object({
  subscription: z.object({
    name: subscriptionName,
    suspensionReason: z.string().optional(),
    suspension_reason: z.string().optional(),
  }),
});

/** Those a subscription asks for. Transcripts are read when somebody sends them, but nothing follows from them. */
export const SUBSCRIBED_TYPES: readonly string[] = Object.keys(POINTERS).filter((type) => !type.startsWith(`${MEET}transcript.`));

export function readNotices(bytes: Buffer): readonly Notice[] {
  const event = readEnvelope(bytes);
  if (event === undefined) throw new Failure('malformed', 'The push carries no event in a documented form.');
  const { type } = event;
  if (Object.hasOwn(LIFECYCLES, type)) return [lifecycleNotice(event, LIFECYCLES[type as keyof typeof LIFECYCLES])];
  if (!Object.hasOwn(POINTERS, type)) return [];
  const resource = POINTERS[type]!.safeParse(event.data);
  if (!resource.success) throw new Failure('malformed', `The event "${type}" does not name its resource.`, { cause: resource.error });
  return [{ type: 'pointer', subscriptionId: subscriptionOf(event), about: type, resource: resource.data, at: event.time }];
}

function lifecycleNotice(event: CloudEvent, type: (typeof LIFECYCLES)[keyof typeof LIFECYCLES]): Notice {
  const subscription = lifecycle.safeParse(event.data).data?.subscription;
  return {
    type,
    // The source says the same; a body that is not as documented must not cost us the warning.
    subscriptionId: subscription?.name ?? subscriptionOf(event),
    reason: subscription?.suspensionReason ?? subscription?.suspension_reason ?? null,
  };
}

/** The routing key. The subject is no help: it is seen as space, user and conference record. */
function subscriptionOf({ source }: CloudEvent): string {
  const name = subscriptionName.safeParse(source.startsWith(SOURCE) ? source.slice(SOURCE.length) : '');
  if (!name.success) throw new Failure('malformed', 'The event does not name its subscription.');
  return name.data;
}
