/** Asks Google what an event was about: which meeting, who, which file. */
import type { Account, Pointer, VendorEvent } from '../provider.ts';
import { unlessRefused } from './failures.ts';
import { vendorRecording, type Records } from './records.ts';

export function createResolve(records: Records): (account: Account, pointer: Pointer) => Promise<readonly VendorEvent[]> {
  const conference = async (account: Account, { about, resource, at }: Pointer): Promise<VendorEvent[]> => {
    const { name, space, startTime, endTime } = await records.get(account, resource);
    const common = { meetingId: space, instanceId: name };
    return about.endsWith('.started')
      ? [{ type: 'meeting.started', ...common, at: startTime ?? at }]
      : // Google does not say why a conference ended.
        [{ type: 'meeting.ended', ...common, at: endTime ?? at, limitReached: false }];
  };

  const participant = async (account: Account, { about, resource, at }: Pointer): Promise<VendorEvent[]> => {
    const [record, person] = await Promise.all([
      records.get(account, parent(resource, 2)),
      records.participant(account, parent(resource, 4)),
    ]);
    const { signedinUser, anonymousUser, phoneUser } = person;
    return [
      {
        type: about.endsWith('.joined') ? 'participant.joined' : 'participant.left',
        meetingId: record.space,
        instanceId: record.name,
        at,
        participantId: resource,
        name: (signedinUser ?? anonymousUser ?? phoneUser)?.displayName ?? null,
        // `users/{id}` with the id that OpenID Connect calls `sub`.
        userId: signedinUser?.user?.replace(/^users\//, '') ?? null,
        limitReached: false,
      },
    ];
  };

  const recording = async (account: Account, { resource, at }: Pointer): Promise<VendorEvent[]> => {
    const [record, found] = await Promise.all([records.get(account, parent(resource, 2)), records.recording(account, resource)]);
    const about = { meetingId: record.space, at };
    const known = vendorRecording(found);
    // The state of this moment counts: an early event may be looked at after the file is there, and the other way round.
    return known.state === 'ready'
      ? [{ type: 'recording.ready', recording: known, ...about }]
      : [{ type: 'recording.processing', recordingId: known.id, ...about }];
  };

  return async (account, pointer) => {
    const kind = /^google\.workspace\.meet\.(conference|participant|recording)\.v2\.\w+$/.exec(pointer.about)?.[1];
    if (kind === undefined) return [];
    const ask = { conference, participant, recording }[kind as 'conference' | 'participant' | 'recording'];
    // Records are deleted 30 days after the end: then there is nothing left to tell.
    return (await unlessRefused(ask(account, pointer), 404)) ?? [];
  };
}

/** The first segments of a resource name. */
const parent = (resource: string, segments: number): string => resource.split('/').slice(0, segments).join('/');
