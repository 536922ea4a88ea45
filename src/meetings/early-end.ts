/** An early end that one side asks for and the other answers (R05). */
import { agreedRunIsOver, earlyEndRefusal, waitsForAnswer, type EarlyEndSide, type EarlyEndState } from '../domain/early-end.ts';
import { Failure, found, isFailure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Writer } from '../store/database.ts';
import { findEarlyEnd, findNewestEarlyEnds, insertEarlyEnd, listEarlyEnds, settleEarlyEnd, type EarlyEnd } from '../store/early-ends.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { findMeeting, findOnlyCustomer, findOwnMeeting, lockMeeting, type Meeting } from '../store/meetings.ts';
import { endMeeting } from './lifecycle.ts';
import { isEndable } from './link.ts';
import { tellMeeting } from './tell.ts';

/** Ends the vendor's meeting once both have agreed. */
export const END = 'early.end';
export const LAPSE = 'early.lapse';

/** Of one side of a meeting. Chosen: who was told no so often has heard it. */
const MOST_REQUESTS = 20;

interface Where {
  readonly marketplaceId: string;
  readonly meetingId: string;
}

export interface Asked {
  readonly meeting: Meeting;
  readonly earlyEnd: EarlyEnd;
}

/**
 * The same side asking again gets its request that still waits (`repeated`).
 * @throws Failure `not_found`, `forbidden` where the policy knows no early end, `conflict`, `invalid` for somebody else's id
 */
export async function askEarlyEnd(
  gateway: Gateway,
  { marketplaceId, meetingId, by, customerId }: Where & { by: EarlyEndSide; customerId: string | null },
): Promise<Asked & { repeated: boolean }> {
  const { db, now, wake } = gateway;
  const asked = await db.write(async (tx) => {
    const meeting = await lockOwn(tx, marketplaceId, meetingId);
    const policy = await policyFor(tx, meeting);
    const at = now();
    const refusal = earlyEndRefusal(policy, meeting, at);
    if (refusal !== undefined) throw refused(refusal, meeting);
    const customer = await findOnlyCustomer(tx, meeting.id);
    if (customerId !== null && customerId !== customer) {
      throw new Failure('invalid', 'The request breaks a rule.', {
        errors: [{ pointer: '/customer_id', detail: 'is not the customer of this meeting' }],
      });
    }
    const all = await listEarlyEnds(tx, meeting.id);
    const [before] = all;
    if (before?.state === 'asked') {
      if (!waitsForAnswer(before, at)) await lapse(tx, gateway, meeting, before);
      else if (before.askedBy === by) return { meeting, earlyEnd: before, repeated: true };
      else
        throw new Failure('conflict', 'The other side has asked already, and waits for an answer.', { extra: { early_end_id: before.id } });
    }
    if (all.filter(({ askedBy }) => askedBy === by).length >= MOST_REQUESTS)
      throw new Failure('conflict', `This side has asked ${MOST_REQUESTS} times already.`);
    const earlyEnd: EarlyEnd = {
      id: newId(gateway, 'ere'),
      marketplaceId,
      meetingId: meeting.id,
      askedBy: by,
      customerId: by === 'customer' ? customer : null,
      state: 'asked',
      answerBy: plus(at, policy.early_end.answer_within_seconds * SECOND),
      answeredAt: null,
      at,
    };
    await insertEarlyEnd(tx, earlyEnd);
    await scheduleJob(tx, { kind: LAPSE, subjectId: earlyEnd.id, dueAt: earlyEnd.answerBy });
    await tellMeeting(tx, gateway, meeting, 'meeting.early_end_asked', earlyEnd.id, {
      ...toldOf(earlyEnd),
      answer_by: earlyEnd.answerBy.toISOString(),
    });
    return { meeting, earlyEnd, repeated: false };
  });
  wake();
  return asked;
}

function refused(refusal: Exclude<ReturnType<typeof earlyEndRefusal>, undefined>, meeting: Meeting): Failure {
  switch (refusal) {
    case 'off':
      return new Failure('forbidden', 'By the policy of this marketplace (`early_end`) an early end cannot be asked for.');
    case 'several':
      return new Failure('conflict', 'Nobody can agree for the others: an early end is for meetings of two.');
    case 'not_running':
      return new Failure('conflict', `The meeting does not run: it is ${meeting.state}.`);
  }
}

/**
 * The other side's answer. A repeat of the same answer changes nothing.
 * @throws Failure `not_found`, `conflict` when nothing waits for an answer of this side, or the meeting does not run any more
 */
export async function answerEarlyEnd(
  gateway: Gateway,
  { marketplaceId, meetingId, by, decision }: Where & { by: EarlyEndSide; decision: 'agreed' | 'refused' },
): Promise<Asked> {
  const { db, now, wake } = gateway;
  const answered = await db.write(async (tx) => {
    const meeting = await lockOwn(tx, marketplaceId, meetingId);
    const earlyEnd = (await findNewestEarlyEnds(tx, [meeting.id])).get(meeting.id);
    if (earlyEnd === undefined || earlyEnd.askedBy === by) throw new Failure('conflict', 'The other side has not asked for an early end.');
    if (earlyEnd.state === decision) return { meeting, earlyEnd };
    if (!waitsForAnswer(earlyEnd, now())) {
      const state = earlyEnd.state === 'asked' ? 'lapsed' : earlyEnd.state;
      throw new Failure('conflict', `The request for an early end is ${state}.`);
    }
    const refusal = earlyEndRefusal(await policyFor(tx, meeting), meeting, now());
    // The time to answer may be taken out of the policy meanwhile; who was asked in it may still answer.
    if (refusal === 'not_running') throw refused(refusal, meeting);
    const settled = await settle(tx, gateway, meeting, earlyEnd, decision);
    await cancelJob(tx, { kind: LAPSE, subjectId: earlyEnd.id });
    if (decision === 'agreed' && isEndable(gateway, meeting)) {
      await scheduleJob(tx, { kind: END, subjectId: earlyEnd.id, dueAt: now() });
    }
    return { meeting, earlyEnd: settled };
  });
  wake();
  return answered;
}

/** Job `early.lapse`: nobody answered in time. */
export async function lapseEarlyEnd(gateway: Gateway, id: string): Promise<void> {
  const { db, wake } = gateway;
  await db.write(async (tx) => {
    const earlyEnd = await findEarlyEnd(tx, id);
    const meeting = earlyEnd && (await lockMeeting(tx, earlyEnd.meetingId));
    if (earlyEnd !== undefined && meeting !== undefined) await lapse(tx, gateway, meeting, earlyEnd);
  });
  wake();
}

/** Job `early.end`: both have agreed. A vendor that is not reachable is asked again. */
export async function endEarly(gateway: Gateway, id: string): Promise<void> {
  const { read } = gateway.db;
  const earlyEnd = await findEarlyEnd(read, id);
  const meeting = earlyEnd && (await findMeeting(read, earlyEnd.meetingId));
  if (earlyEnd === undefined || meeting === undefined || agreedRunIsOver(meeting, earlyEnd)) return;
  try {
    const { marketplaceId, meetingId, askedBy } = earlyEnd;
    await endMeeting(gateway, { marketplaceId, meetingId, by: askedBy as EarlyEndSide });
  } catch (error) {
    // It has ended without us.
    if (!isFailure(error, 'conflict')) throw error;
  }
}

const lapse = (tx: Writer, gateway: Gateway, meeting: Meeting, earlyEnd: EarlyEnd): Promise<EarlyEnd> =>
  settle(tx, gateway, meeting, earlyEnd, 'lapsed');

/** What is settled already stays as it is. */
async function settle(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  earlyEnd: EarlyEnd,
  state: Exclude<EarlyEndState, 'asked'>,
): Promise<EarlyEnd> {
  const at = gateway.now();
  const settled = await settleEarlyEnd(tx, earlyEnd.id, { state, at });
  if (settled === undefined) return earlyEnd;
  const ends = state === 'agreed' && isEndable(gateway, meeting);
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId: meeting.marketplaceId,
    at,
    action: 'early_end.answered',
    subjectId: earlyEnd.id,
    details: { meeting_id: meeting.id, asked_by: earlyEnd.askedBy, customer_id: earlyEnd.customerId, decision: state, ends },
  });
  await tellMeeting(tx, gateway, meeting, 'meeting.early_end_answered', earlyEnd.id, { ...toldOf(earlyEnd), decision: state, ends });
  return settled;
}

const toldOf = ({ id, askedBy, customerId }: EarlyEnd) => ({
  early_end_id: id,
  asked_by: askedBy as EarlyEndSide,
  customer_id: customerId,
});

async function lockOwn(tx: Writer, marketplaceId: string, meetingId: string): Promise<Meeting> {
  const { id } = found(await findOwnMeeting(tx, marketplaceId, meetingId));
  return found(await lockMeeting(tx, id));
}
