/** Meetings that are sold together: all links or none (G07). */
import { classifyJoinUrl, type JoinLink } from '../../providers/approved.ts';
import { checkBudget, isUsedUp } from '../connections/quota.ts';
import { Failure, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { policyOf } from '../domain/presets/index.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { holdStanding } from '../professionals/standing.ts';
import type { Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import { releaseLiveBookings, updateMeeting, type Meeting } from '../store/meetings.ts';
import {
  dropUnsettledPackage,
  findOwnPackage,
  insertPackage,
  listPackageMeetings,
  settlePackage,
  type Package,
} from '../store/packages.ts';
import { admitProfessional } from './admit.ts';
import { draftLinked, draftUploaded, takeLink } from './draft.ts';
import { makeVendorMeeting, settleIn, type MadeMeeting } from './link.ts';
import { freeHost } from './pool.ts';
import { checkRequest, type MeetingRequest } from './request.ts';
import { claimBooking, reserve } from './reserve.ts';
import { tellMeeting } from './tell.ts';

export interface PackageWithMeetings {
  readonly row: Package;
  readonly meetings: readonly Meeting[];
}

/** Longer than the vendor calls of the largest package may take; then its process is believed dead and everything is taken back. */
const UNDO_AFTER_MS = 10 * MINUTE;

interface Draft {
  readonly request: MeetingRequest;
  /** Null for a link that is yet to be made. */
  readonly link: JoinLink | null;
  readonly draft: (tx: Writer) => Promise<{ readonly meeting: Meeting; readonly connection: Connection | null }>;
}

/**
 * @throws Failure `package_too_large`, and what a single meeting throws. A vendor that is not reachable refuses the whole package:
 * nothing is sold of which a part is missing.
 */
export async function createPackage(
  gateway: Gateway,
  marketplace: Marketplace,
  requests: readonly MeetingRequest[],
): Promise<PackageWithMeetings> {
  const { db, now, wake } = gateway;
  const policy = policyOf(marketplace);
  const most = policy.packages.max_meetings;
  if (requests.length > most)
    throw new Failure('package_too_large', `A package has at most ${most} meetings.`, { extra: { max_meetings: most } });

  await admitProfessional(gateway, policy, requests[0]!);

  const packageId = newId(gateway, 'pkg');
  // Ids sort by time only down to the millisecond; sorted, they keep the order that was given.
  const ids = requests.map(() => newId(gateway, 'mtg')).sort();
  const drafts: Draft[] = [];
  for (const [place, asked] of requests.entries()) {
    const request: MeetingRequest = { ...asked, packageId, place };
    checkRequest(policy, request, now());
    if (request.joinUrl === null) drafts.push({ request, link: null, draft: await draftLinked(gateway, policy, request, ids[place]!) });
    else {
      const link = classifyJoinUrl(request.joinUrl, policy.approved_apps);
      const uploaded = { meeting: draftUploaded(gateway, policy, request, link, ids[place]!), connection: null };
      drafts.push({ request, link, draft: async () => uploaded });
    }
  }

  // 1. Reserve all of them; a crash from here on takes all of them back.
  const row: Package = {
    id: packageId,
    marketplaceId: marketplace.id,
    bookingId: requests[0]!.booking.id,
    settledAt: null,
    createdAt: now(),
  };
  const reserved = await db.write(async (tx) => {
    for (const [place, { request }] of drafts.entries()) await claimBooking(tx, request, ids[place]!);
    await holdStanding(tx, { marketplaceId: marketplace.id, professionalId: requests[0]!.professionalId, now: now() });
    // Whoever has the lock of the pool of hosts waits for no claim any more.
    const linked = [];
    for (const { draft } of drafts) linked.push(await draft(tx));
    await checkBudgets(tx, gateway, linked);
    await insertPackage(tx, row);
    for (const [place, { request, link }] of drafts.entries()) {
      const { meeting } = linked[place]!;
      if (link !== null) await takeLink(tx, link, meeting.id);
      await reserve(tx, gateway, request, meeting);
    }
    await scheduleJob(tx, { kind: 'package.undo', subjectId: packageId, dueAt: plus(now(), UNDO_AFTER_MS) });
    return linked;
  });

  // 2. Call, one after the other: vendors count per account and minute.
  const made = new Map<string, MadeMeeting>();
  const untouched = new Set(reserved.map(({ meeting }) => meeting.id));
  try {
    for (const { meeting, connection } of reserved) {
      if (connection === null) continue;
      untouched.delete(meeting.id);
      try {
        made.set(meeting.id, await makeVendorMeeting(gateway, meeting, connection, { retry: false }));
      } catch (error) {
        if (isUsedUp(Failure.from(error))) untouched.add(meeting.id);
        throw error;
      }
    }
  } catch (error) {
    await undoPackage(gateway, packageId, untouched);
    throw error;
  }

  // 3. Settle all in one transaction, with the events.
  const settled = await db.write(async (tx) => {
    if (!(await settlePackage(tx, packageId, now())))
      throw new Failure('conflict', 'The package took too long to make and was taken back. Try again.');
    const meetings: Meeting[] = [];
    for (const { meeting } of reserved) {
      const vendor = made.get(meeting.id);
      if (vendor === undefined) await tellMeeting(tx, gateway, meeting, 'meeting.created', 'once');
      meetings.push(vendor === undefined ? meeting : await settleIn(tx, gateway, meeting, vendor, { late: false }));
    }
    await cancelJob(tx, { kind: 'package.undo', subjectId: packageId });
    return meetings;
  });
  wake();
  return { row, meetings: settled };
}

/** A package that a vendor's budget cannot hold is refused before any of it is made. */
async function checkBudgets(tx: Writer, gateway: Gateway, linked: readonly { readonly connection: Connection | null }[]): Promise<void> {
  const connections = new Map(linked.flatMap(({ connection }) => (connection === null ? [] : [[connection.id, connection]])));
  for (const connection of connections.values()) {
    const times = linked.filter((one) => one.connection?.id === connection.id).length;
    await checkBudget(tx, gateway, connection, 'create', times);
  }
}

export async function readPackage({ db }: Gateway, marketplaceId: string, id: string): Promise<PackageWithMeetings> {
  const row = await findOwnPackage(db.read, marketplaceId, id);
  if (row === undefined) throw notFound();
  return { row, meetings: await listPackageMeetings(db.read, marketplaceId, id) };
}

/**
 * Job `package.undo`, and what follows a failed vendor call: no meeting of the package stays, here or at the vendor. `untouched`: ids of
 * those that the vendor was certainly not asked for.
 */
export async function undoPackage(gateway: Gateway, packageId: string, untouched: ReadonlySet<string> = new Set()): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    // Settled is settled, whoever came first.
    const row = await dropUnsettledPackage(tx, packageId);
    if (row === undefined) return;
    for (const meeting of await listPackageMeetings(tx, row.marketplaceId, packageId)) {
      await updateMeeting(tx, { id: meeting.id, from: [meeting.state] }, { state: 'cancelled', cancelReason: 'package_incomplete' });
      await releaseLiveBookings(tx, meeting.id);
      await freeHost(tx, meeting.id);
      await cancelJob(tx, { kind: 'meeting.expire', subjectId: meeting.id });
      // Made or perhaps made: it is looked for by its key.
      if (meeting.linkSource === 'created' && !untouched.has(meeting.id))
        await scheduleJob(tx, { kind: 'meeting.release', subjectId: meeting.id, dueAt: now() });
    }
    await cancelJob(tx, { kind: 'package.undo', subjectId: packageId });
  });
  wake();
}
