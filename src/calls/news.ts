/** What an open page of a call has to know while it rings. */
import type { CallSide, CallState } from '../domain/call.ts';
import type { Gateway } from '../gateway.ts';
import { findCalls, type Call } from '../store/calls.ts';

export interface CallViewer {
  readonly callId: string;
  readonly side: CallSide;
}

export interface CallNews {
  readonly state: CallState;
  /** Changes when the page has something else to show. */
  readonly version: string;
}

/** One answer per viewer, in their order; undefined for a call that does not exist. */
export async function readCallNews({ db }: Gateway, viewers: readonly CallViewer[]): Promise<(CallNews | undefined)[]> {
  const calls = await findCalls(db.read, [...new Set(viewers.map(({ callId }) => callId))]);
  const byId = new Map(calls.map((call) => [call.id, call]));
  return viewers.map(({ callId }) => {
    const call = byId.get(callId);
    return call && { state: call.state as CallState, version: versionOf(call) };
  });
}

/** Nothing else of a call changes while somebody looks. */
export const versionOf = ({ state }: Call): string => state;
