/** What a request for a meeting would come to, without making anything: no row, no call to a vendor, nothing of its budgets. */
import { classifyJoinUrl } from '../../providers/approved.ts';
import { checkBudget } from '../connections/quota.ts';
import { alternativesTo, type Candidate, type Chosen, type Decision } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import { policyOf } from '../domain/presets/index.ts';
import type { Gateway } from '../gateway.ts';
import { findLiveBooking, isLinkUsed } from '../store/meetings.ts';
import { admitProfessional } from './admit.ts';
import { considerConnections, type Choice } from './choose.ts';
import { alreadyUsed, choiceOf, decideUploaded } from './draft.ts';
import { linkHash } from './link.ts';
import { considerHosts } from './pool.ts';
import { checkRequest, type MeetingRequest } from './request.ts';
import { bookingKeys, meetingExists } from './reserve.ts';

/**
 * `limit_exceeded`: the plan ends it before its time. `limit_possible`: it may, the plan is not known. `app_replaced`: not the app that was
 * asked for. `link_pending`: the vendor's budget is used up, so the link comes later.
 */
export const WARNINGS = ['limit_exceeded', 'limit_possible', 'app_replaced', 'link_pending'] as const;
export interface Warning {
  readonly code: (typeof WARNINGS)[number];
  readonly detail: string;
}

export interface Preview {
  /** What the request would be refused with; null when the meeting would be made. */
  readonly refusal: Failure | null;
  /** Null when it is refused before any app is chosen. */
  readonly decision: Decision<Chosen | null> | null;
  readonly warnings: readonly Warning[];
  /** Other connected apps that the booking fits into. */
  readonly alternatives: readonly Candidate[];
}

interface Drafted {
  readonly decision: Decision<Chosen | null>;
  readonly refusal?: Failure;
  readonly candidates?: readonly Candidate[];
  /** A link that the vendor is yet to make. */
  readonly pending?: Warning | undefined;
}

/** A vendor that is not reachable, or that refuses, cannot be foreseen. */
export async function previewMeeting(
  gateway: Gateway,
  request: MeetingRequest,
  policy: Policy = policyOf(request.marketplace),
): Promise<Preview> {
  try {
    checkRequest(policy, request, gateway.now());
    await admitProfessional(gateway, policy, request);
    const { decision, refusal, candidates, pending } = await (request.joinUrl === null
      ? draftLinked(gateway, policy, request)
      : draftUploaded(gateway, policy, request, request.joinUrl));
    const { durationMinutes } = request;
    const tooShort = decision.considered.find(({ rejected }) => rejected === 'limit_exceeded');
    const app = decision.chosen?.provider ?? tooShort?.provider;
    return {
      refusal: refusal ?? null,
      decision,
      warnings: refusal === undefined ? [...warningsOf(decision, durationMinutes), ...(pending === undefined ? [] : [pending])] : [],
      alternatives: app === undefined || candidates === undefined ? [] : alternativesTo(app, { policy, durationMinutes, candidates }),
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { refusal: error, decision: null, warnings: [], alternatives: [] };
  }
}

/** The checks and their order are those of `createMeeting`. */
async function draftLinked(gateway: Gateway, policy: Policy, request: MeetingRequest): Promise<Drafted> {
  const { db } = gateway;
  const asked = choiceOf(request);
  const holder = await findLiveBooking(db.read, bookingKeys(request));
  const exists = holder === undefined ? {} : { refusal: meetingExists(holder) };
  const choice: Choice =
    policy.hosting === 'platform'
      ? await considerHosts(db.read, gateway, policy, asked)
      : await considerConnections(gateway, policy, asked);
  if (choice.connection === undefined) return policy.hosting === 'platform' ? { ...choice, ...exists } : choice;
  try {
    await checkBudget(db.read, gateway, choice.connection, 'create', 1);
    return { ...choice, ...exists };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (policy.vendor_unavailable === 'refuse') return { ...choice, refusal: error, ...exists };
    return { ...choice, pending: { code: 'link_pending', detail: `${error.message} The link follows.` }, ...exists };
  }
}

async function draftUploaded({ db }: Gateway, policy: Policy, request: MeetingRequest, joinUrl: string): Promise<Drafted> {
  const link = classifyJoinUrl(joinUrl, policy.approved_apps);
  const decision = decideUploaded(policy, choiceOf(request), link);
  if (await isLinkUsed(db.read, linkHash(link.url))) return { decision, refusal: alreadyUsed() };
  const holder = await findLiveBooking(db.read, bookingKeys(request));
  return holder === undefined ? { decision } : { decision, refusal: meetingExists(holder) };
}

function* warningsOf({ asked, chosen, reason, exceeded }: Decision<Chosen | null>, durationMinutes: number): Generator<Warning> {
  if (chosen === null) return;
  const { limit, plan, provider } = chosen;
  if (reason === 'asked_too_short')
    yield { code: 'app_replaced', detail: `The plan of the account of ${asked} is too short; it would be made with ${provider}.` };
  if (!exceeded) return;
  yield plan === 'unknown'
    ? { code: 'limit_possible', detail: `The plan is not known. A free one ends this meeting after ${limit.minutes} minutes.` }
    : { code: 'limit_exceeded', detail: `The plan ends this meeting after ${limit.minutes} of ${durationMinutes} minutes.` };
}
