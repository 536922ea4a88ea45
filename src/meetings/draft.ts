/** The row that a request becomes, before anything is written or asked for at a vendor. */
import type { JoinLink } from '../../providers/approved.ts';
import { limitMinutes } from '../../providers/limits.ts';
import { joinUrlContext } from '../connections/sealed.ts';
import type { Plan, ProviderId } from '../domain/apps.ts';
import type { Decision } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { reserveLink, type Meeting } from '../store/meetings.ts';
import { chooseConnection } from './choose.ts';
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
  const drafted = ({ connection, decision }: { connection: Connection; decision: Decision }): Linked => ({
    meeting: newMeeting(gateway, policy, request, {
      id,
      connectionId: connection.id,
      provider: connection.provider as ProviderId,
      plan: connection.plan as Plan,
      linkSource: 'created',
      decision,
    }),
    connection,
  });
  if (policy.hosting === 'platform') return async (tx) => drafted(await takeHost(tx, gateway, policy, request, id));
  const linked = drafted(await chooseConnection(gateway, policy, request));
  return async () => linked;
}

/** The row of a meeting whose link was made elsewhere. @throws Failure `invalid` when another app was asked for */
export function draftUploaded(gateway: Gateway, policy: Policy, request: MeetingRequest, link: JoinLink, id: string): Meeting {
  if (request.provider !== null && request.provider !== 'auto' && request.provider !== link.provider) {
    throw new Failure('invalid', 'The link belongs to another app than the one asked for.', {
      errors: [{ pointer: '/provider', detail: `the link is one of ${link.provider}` }],
    });
  }
  const exceeded = request.durationMinutes > (limitMinutes(link.provider, 'unknown') ?? Infinity);
  return {
    ...newMeeting(gateway, policy, request, {
      id,
      connectionId: null,
      provider: link.provider,
      plan: 'unknown',
      linkSource: 'uploaded',
      decision: { chosen: null, exceeded, considered: [] },
    }),
    state: 'awaiting_purchase',
    vendorJoinUrlSealed: gateway.vault.seal(link.url, joinUrlContext(id)),
  };
}

/** Takes an uploaded link for good (G05). @throws Failure `link_already_used` */
export async function takeLink(tx: Writer, link: JoinLink, meetingId: string): Promise<void> {
  if (!(await reserveLink(tx, { linkHash: linkHash(link.url), meetingId }))) {
    throw new Failure('link_already_used', 'This link was used for another booking. Every customer needs a new one.');
  }
}
