import { newId } from '../domain/id.ts';
import { RECORDING_STATES } from '../domain/recording.ts';
import type { Gateway } from '../gateway.ts';
import type { Meeting } from '../store/meetings.ts';
import type { Recording } from '../store/recordings.ts';

/** A recording of which nothing is known but what recognizes it. */
export function blankRecording(
  { now, random }: Pick<Gateway, 'now' | 'random'>,
  { id: meetingId, marketplaceId }: Pick<Meeting, 'id' | 'marketplaceId'>,
  fingerprint: string,
): Recording {
  return {
    id: newId({ now, random }, 'rec'),
    marketplaceId,
    meetingId,
    source: 'provider',
    state: RECORDING_STATES[0],
    reason: null,
    fingerprint,
    vendorRecordingSealed: null,
    linkSealed: null,
    title: null,
    files: [],
    startedAt: null,
    endedAt: null,
    readyAt: null,
    publishedAt: null,
    expiresAt: null,
    sharedAt: null,
    vendorEnding: null,
    vendorEndedAt: null,
    erasedAt: null,
    createdAt: now(),
  };
}
