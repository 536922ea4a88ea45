/** The row that a request becomes, before anything is written or asked for at a vendor. */
import type { JoinLink } from '../../providers/approved.ts';
import { limitOf } from '../../providers/limits.ts';
import { joinUrlContext } from '../connections/sealed.ts';
import type { Asked, Chosen, Decision } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { isTooLong } from '../domain/plan.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { reserveLink, type Meeting } from '../store/meetings.ts';
import { participantsOf } from './candidates.ts';
import { chooseConnection, type Made } from './choose.ts';
import { linkHash } from './link.ts';
import { takeHost } from './pool.ts';
import type { MeetingRequest } from './request.ts';
import { newMeeting } from './reserve.ts';

export interface Linked {
  readonly meeting: Meeting;
  readonly connection: Connection;
}

/**
 * The row of a meeting whose link the vendor is yet to make, for the transaction that reserves it. A professional's connection is chosen
 * before, a host of the platform is taken in that transaction, after the booking has been claimed.
 * @throws Failure what `chooseConnection` throws; the result throws what `takeHost` throws
 */
export async function draftLinked(
  gateway: Gateway,
  policy: Policy,
  request: MeetingRequest,
  id: string,
): Promise<(tx: Writer) => Promise<Linked>> {
  const drafted = ({ connection, decision }: Made): Linked => ({
    meeting: newMeeting(gateway, policy, request, { id, linkSource: 'created', decision }),
    connection,
  });
  const asked = choiceOf(request);
  if (policy.hosting === 'platform') return async (tx) => drafted(await takeHost(tx, gateway, policy, asked, id));
  const linked = drafted(await chooseConnection(gateway, policy, asked));
  return async () => linked;
}

export const choiceOf = (request: MeetingRequest) => ({
  ...request,
  participants: participantsOf(request.booking.kind, request.attendees.length),
});

/** The row of a meeting whose link was made elsewhere. @throws Failure `invalid` when another app was asked for */
export function draftUploaded(gateway: Gateway, policy: Policy, request: MeetingRequest, link: JoinLink, id: string): Meeting {
  const decision = decideUploaded(policy, choiceOf(request), link);
  return {
    ...newMeeting(gateway, policy, request, { id, linkSource: 'uploaded', decision }),
    state: 'awaiting_purchase',
    vendorJoinUrlSealed: gateway.vault.seal(link.url, joinUrlContext(id)),
  };
}

/** Whose account an uploaded link was made with is not known, so neither is its plan. @throws Failure `invalid` when another app was asked for */
export function decideUploaded(
  policy: Policy,
  { provider: asked, durationMinutes, participants }: { provider: Asked; durationMinutes: number; participants: number | null },
  { provider }: JoinLink,
): Decision<Chosen> {
  if (asked !== null && asked !== 'auto' && asked !== provider) {
    throw new Failure('invalid', 'The link belongs to another app than the one asked for.', {
      errors: [{ pointer: '/provider', detail: `the link is one of ${provider}` }],
    });
  }
  const limit = limitOf({ provider, plan: 'unknown', participants }, policy);
  const chosen: Chosen = { connectionId: null, provider, plan: 'unknown', planBasis: 'none', limit };
  return { asked, chosen, reason: 'link', exceeded: isTooLong(chosen, durationMinutes), considered: [] };
}

/** Takes an uploaded link for good (G05). @throws Failure `link_already_used` */
export async function takeLink(tx: Writer, link: JoinLink, meetingId: string): Promise<void> {
  if (!(await reserveLink(tx, { linkHash: linkHash(link.url), meetingId }))) throw alreadyUsed();
}

export const alreadyUsed = (): Failure =>
  new Failure('link_already_used', 'This link was used for another booking. Every customer needs a new one.');
