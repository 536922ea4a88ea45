/** The platform's hosts (F04): each meeting takes one for its time, and no host gets more meetings at once than its plan allows. */
import { dailyQuotasOf } from '../connections/quota.ts';
import type { ProviderId } from '../domain/apps.ts';
import { decide, shownConsidered } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { hasRoom, nextRoom, slotSpan, type Span } from '../domain/host-slots.ts';
import type { Policy } from '../domain/policy.ts';
import { DAY, MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { listHosts, type Connection } from '../store/connections.ts';
import type { Reader, Writer } from '../store/database.ts';
import { deleteSlot, listSlots, putSlot, renameSlot, type HostSlot } from '../store/host-slots.ts';
import { lockMarketplace } from '../store/marketplaces.ts';
import type { Meeting } from '../store/meetings.ts';
import { candidateOf, refusalOf } from './candidates.ts';
import { isMade, type Choice, type ChoiceRequest, type Made } from './choose.ts';
import type { MeetingRequest } from './request.ts';

export type HostRequest = Omit<ChoiceRequest, 'professionalId'> & Pick<MeetingRequest, 'startsAt'>;

/** How far ahead a refusal looks for a host that is free. */
const LOOK_AHEAD_MS = DAY;

/**
 * The name of what one change holds beside the meeting's slot until the vendor has agreed; then it takes the slot's place. A process that
 * dies in between leaves it until its time is over.
 */
const newHold = (gateway: Gateway, meetingId: string): string => `${meetingId}${HOLD}${newId(gateway, 'evt')}`;
const HOLD = '/';

/**
 * Chooses a host that is free for the meeting's time and takes it. One booking at a time looks for a host of a marketplace: the lock of
 * its row is held to the end of the transaction, and claims on bookings come before it.
 * @throws Failure `host_pool_exhausted` with `extra.free_at`, `not_connected`, `limit_exceeded`, `app_not_approved`
 */
export async function takeHost(tx: Writer, gateway: Gateway, policy: Policy, request: HostRequest, meetingId: string): Promise<Made> {
  await lockMarketplace(tx, request.marketplace.id);
  const choice = await considerHosts(tx, gateway, policy, request);
  if (choice.connection === undefined) throw choice.refusal;
  await putSlot(tx, { meetingId, connectionId: choice.connection.id, ...slotSpan(policy, request) });
  return choice;
}

/** The same without any consequence: a host that would be free at this moment. */
export async function considerHosts(db: Reader, gateway: Gateway, policy: Policy, request: HostRequest): Promise<Choice> {
  const { durationMinutes, marketplace, participants, provider: asked } = request;
  const hosts = (await listHosts(db, marketplace.id)).filter(({ provider }) => gateway.providers.has(provider as ProviderId));
  const candidates = hosts.map((host) => candidateOf(policy, host, participants));
  const span = slotSpan(policy, request);
  const taken = await slotsByHost(db, hosts, span);
  const choose = (among: readonly Connection[]) =>
    decide({
      policy,
      asked,
      durationMinutes,
      candidates: among.flatMap(({ id }) => candidates.find(({ connectionId }) => connectionId === id) ?? []),
    });

  // The least busy one first, and last those whose vendor makes nothing more for them today.
  const quotas = await dailyQuotasOf(db, gateway, hosts);
  const spent = (id: string): number => Number((quotas.get(id)?.used ?? 0) >= (quotas.get(id)?.limit ?? Infinity));
  const free = hosts
    .filter(({ id, concurrentMeetings }) => hasRoom(taken(id), span, concurrentMeetings))
    .toSorted((a, b) => spent(a.id) - spent(b.id) || taken(a.id).length - taken(b.id).length);
  const decision = choose(free);
  const connection = free.find(({ id }) => id === decision.chosen?.connectionId);
  if (connection !== undefined && isMade(decision)) return { candidates, connection, decision };

  // With every host free there would be none either: it is not about the time.
  const anyTime = choose(hosts);
  if (anyTime.chosen === null) {
    const refusal =
      refusalOf(policy, request, anyTime, candidates) ??
      new Failure('not_connected', 'The platform has no host account that could be used; its operator adds or repairs one.', {
        extra: { considered: shownConsidered(anyTime) },
      });
    return { candidates, connection: undefined, decision: anyTime, refusal };
  }
  const usable = hosts.filter((host) => choose([host]).chosen !== null);
  const refusal = exhausted(policy, usable, taken, span, 'Every host of the platform is taken at this time.');
  return { candidates, connection: undefined, decision, refusal };
}

/**
 * Before the vendor is asked to move a meeting: its host is held for the new time as well. The result names what is held.
 * @throws Failure `host_pool_exhausted`
 */
export async function holdForChange(
  tx: Writer,
  gateway: Gateway,
  policy: Policy,
  host: Connection,
  meeting: Pick<Meeting, 'id' | 'marketplaceId'>,
  next: Pick<Meeting, 'startsAt' | 'durationMinutes'>,
): Promise<string> {
  await lockMarketplace(tx, meeting.marketplaceId);
  const span = slotSpan(policy, next);
  const all = await slotsByHost(tx, [host], span);
  const others = all(host.id).filter(({ meetingId }) => meetingId.split(HOLD)[0] !== meeting.id);
  if (!hasRoom(others, span, host.concurrentMeetings))
    throw exhausted(policy, [host], () => others, span, "The meeting's host is taken at the new time. The meeting is unchanged.");
  const hold = newHold(gateway, meeting.id);
  await putSlot(tx, { meetingId: hold, connectionId: host.id, ...span });
  return hold;
}

/** Another host for the meeting, held beside the one that it has until the vendor's new meeting is there. @throws what `takeHost` throws */
export async function holdOther(tx: Writer, gateway: Gateway, policy: Policy, request: HostRequest, meetingId: string) {
  const hold = newHold(gateway, meetingId);
  return { hold, ...(await takeHost(tx, gateway, policy, request, hold)) };
}

/** The vendor has agreed: what was held takes the place of what the meeting had. */
export async function settleHold(tx: Writer, meetingId: string, hold: string): Promise<void> {
  await deleteSlot(tx, meetingId);
  await renameSlot(tx, hold, meetingId);
}

/** The vendor has not agreed: what was there before counts. */
export const dropHold = (tx: Writer, hold: string): Promise<void> => deleteSlot(tx, hold);

/** The meeting is over, or has a link that needs no host. */
export const freeHost = (tx: Writer, meetingId: string): Promise<void> => deleteSlot(tx, meetingId);

/** An ended meeting that is started again has its host, whatever was planned for it in between. */
export async function occupyHost(tx: Writer, policy: Policy, { id: meetingId, connectionId, ...meeting }: Meeting): Promise<void> {
  if (connectionId !== null) await putSlot(tx, { meetingId, connectionId, ...slotSpan(policy, meeting) });
}

/** The slots of each host around the span, as far as a refusal looks ahead. */
async function slotsByHost(db: Reader, hosts: readonly Connection[], span: Span): Promise<(connectionId: string) => readonly HostSlot[]> {
  const until = plus(span.endsAt, LOOK_AHEAD_MS);
  const ids = hosts.map(({ id }) => id);
  const slots = await listSlots(db, ids, { startsAt: span.startsAt, endsAt: until });
  const byHost = new Map(ids.map((id) => [id, slots.filter(({ connectionId }) => connectionId === id)]));
  return (connectionId) => byHost.get(connectionId) ?? [];
}

function exhausted(
  policy: Policy,
  hosts: readonly Connection[],
  taken: (connectionId: string) => readonly Span[],
  span: Span,
  detail: string,
): Failure {
  const until = plus(span.startsAt, LOOK_AHEAD_MS);
  const [first] = hosts
    .map(({ id, concurrentMeetings }) => nextRoom(taken(id), span, concurrentMeetings, until))
    .filter((moment) => moment !== undefined)
    .toSorted((a, b) => a.getTime() - b.getTime());
  // A meeting starts this long after its slot.
  const freeAt = first && plus(first, policy.join.opens_minutes_before * MINUTE);
  return new Failure('host_pool_exhausted', detail, { extra: { free_at: freeAt?.toISOString() ?? null } });
}
