/** A call that rings is declined by who is called, given up by who calls, or taken away from a professional who is barred (C01). */
import { found, Failure } from '../domain/failure.ts';
import { isOpen } from '../domain/call.ts';
import { newId } from '../domain/id.ts';
import { emit } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { isBarredNow } from '../professionals/standing.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { findOwnCall, lockCall, setCall, type Call } from '../store/calls.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob } from '../store/jobs.ts';
import { dropMeeting } from './drop.ts';
import { endedEvent } from './tell.ts';

/** Whose doing it was: a person's on the page of the call, or the marketplace's. */
export type CallChannel = 'page' | 'api';

export interface CallMove {
  readonly marketplaceId: string;
  readonly callId: string;
  readonly by: CallChannel;
}

type Refused = 'declined' | 'withdrawn';

/** Also while somebody is answering: then the meeting that is being made is taken away again. Repeated, it changes nothing. @throws Failure `not_found`, `conflict` */
export async function endCall(gateway: Gateway, { marketplaceId, callId, by }: CallMove, state: Refused): Promise<Call> {
  const { db, now, wake } = gateway;
  const ended = await db.write(async (tx) => {
    const call = await lockOwnCall(tx, marketplaceId, callId);
    if (call.state === state) return call;
    if (!isOpen(call, now())) throw callIsOver(call);
    return endIn(tx, gateway, call, { state, by });
  });
  wake();
  return ended;
}

/** Job `standing.call`: a call that rang when its professional was suspended or terminated, whatever the policy keeps. Nobody may answer it. */
export async function withdrawBarredCall(gateway: Gateway, callId: string): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    const call = await lockCall(tx, callId);
    if (call === undefined || !isOpen(call, now()) || !(await isBarredNow(tx, call, now()))) return;
    await endIn(tx, gateway, call, { state: 'withdrawn', by: 'standing' });
  });
  wake();
}

/** A locked call that is open. */
async function endIn(
  tx: Writer,
  gateway: Gateway,
  call: Call,
  { state, by }: { state: Refused; by: CallChannel | 'standing' },
): Promise<Call> {
  await dropMeeting(tx, gateway, call, `call_${state}`);
  await cancelJob(tx, { kind: 'call.expire', subjectId: call.id });
  await auditCall(tx, gateway, call, { action: `call.${state}`, by });
  await emit(tx, gateway, endedEvent(call, `call.${state}`));
  return setCall(tx, call.id, { state, answeredAt: gateway.now() });
}

/** @throws Failure `not_found` */
export async function lockOwnCall(tx: Writer, marketplaceId: string, callId: string): Promise<Call> {
  found(await findOwnCall(tx, marketplaceId, callId));
  return found(await lockCall(tx, callId));
}

/** One whose job has not got to it yet is over all the same. */
export const callIsOver = ({ state }: Pick<Call, 'state'>): Failure => {
  const shown = state === 'ringing' ? 'expired' : state;
  return new Failure('conflict', `The call is ${shown}.`, { extra: { state: shown } });
};

/** What people decided about a call, or about its professional. */
export const auditCall = (
  tx: Writer,
  gateway: Gateway,
  { id, marketplaceId }: Call,
  { action, ...details }: { action: string; by: CallChannel | 'standing' } & Readonly<Record<string, unknown>>,
): Promise<void> => insertAuditEntry(tx, { id: newId(gateway, 'aud'), marketplaceId, at: gateway.now(), action, subjectId: id, details });
