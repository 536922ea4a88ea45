/** What a page that stays open has to know of its meeting while it lasts. Of many pages at once: the number of queries does not grow with them. */
import { openerOfLists, type Opener } from '../connections/opener.ts';
import { hostTokenContext, joinTokenContext } from '../connections/sealed.ts';
import { earlyEndNews, type EarlyEndNews } from '../domain/early-end.ts';
import { leadsOn } from '../domain/continuation.ts';
import { joinWindow, type MeetingState } from '../domain/meeting.ts';
import type { Policy } from '../domain/policy.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policiesFor } from '../marketplaces/policy.ts';
import { meterNews, type MeterNews } from '../meters/news.ts';
import { isShut } from '../professionals/standing.ts';
import { findNewestEarlyEnds, type EarlyEnd } from '../store/early-ends.ts';
import { countPurchases, findAttendees, findCustomers, findMeetings, type Attendee, type Meeting } from '../store/meetings.ts';
import { findStandingsOf, type StandingInForce } from '../store/standing.ts';
import { doorOf, type Door } from './join.ts';
import { isEndable } from './link.ts';

/** Whose page it is: an attendee's, or the host's (null). */
export interface Viewer {
  readonly meetingId: string;
  readonly attendeeId: string | null;
}

export interface News {
  readonly state: MeetingState;
  readonly door: Door;
  /** The run that goes on; null while none does, and for those who may not come in. */
  readonly runningSince: Date | null;
  readonly limitEndsAt: Date | null;
  /** T11; null where nothing is metered, or nothing is known yet. */
  readonly meter: MeterNews | null;
  /** R06 */
  readonly hostLost: boolean;
  /** R05; null where nothing is to be shown. */
  readonly earlyEnd: EarlyEndNews | null;
  /** This viewer's own page of the meeting that continues this one, once there is something to join. */
  readonly continuedUrl: string | null;
  /** Changes when anything does that the page shows. */
  readonly version: string;
  /** When the clock alone changes the door next; null when it never does. */
  readonly changesAt: Date | null;
}

/**
 * One answer per viewer, in their order; undefined for whom the meeting or the place in it does not exist any more. A link that does not
 * open is missing in that viewer's news alone; who reads often keeps an `opener`, which logs each one once.
 */
export async function readNews(
  gateway: Gateway,
  viewers: readonly Viewer[],
  opener: Opener = openerOfLists(gateway),
): Promise<(News | undefined)[]> {
  const { read } = gateway.db;
  const meetings = byId(await findMeetings(read, [...new Set(viewers.map(({ meetingId }) => meetingId))]));
  const attendees = byId(
    await findAttendees(
      read,
      viewers.flatMap(({ attendeeId }) => attendeeId ?? []),
    ),
  );
  const purchases = await countPurchases(
    read,
    viewers.filter(({ attendeeId }) => attendeeId === null).map(({ meetingId }) => meetingId),
  );
  const earlyEnds = await findNewestEarlyEnds(read, [...meetings.keys()]);
  const standings = await findStandingsOf(read, [...meetings.keys()]);
  const policyOf = policiesFor(read);
  const meterOf = await meterNews(read, [...meetings.values()]);
  const pageOf = await continuations(gateway, opener, [...meetings.values()], [...attendees.values()]);
  const news = viewers.map(async ({ meetingId, attendeeId }) => {
    const meeting = meetings.get(meetingId);
    const attendee = attendeeId === null ? null : attendees.get(attendeeId);
    if (meeting === undefined || attendee === undefined) return undefined;
    const policy = await policyOf(meeting);
    // Whether others buy shows on the host's page only.
    const bought = attendee === null ? (purchases.get(meetingId) ?? 0) : 0;
    return newsOf(gateway, {
      meeting,
      policy,
      attendee,
      purchases: bought,
      standing: standings.get(meetingId),
      meter: meterOf(gateway, meeting, policy),
      earlyEnd: earlyEnds.get(meetingId),
      continuedUrl: pageOf(meeting, attendee),
    });
  });
  return Promise.all(news);
}

interface Seen {
  readonly meeting: Meeting;
  readonly policy: Policy;
  readonly attendee: Attendee | null;
  readonly purchases: number;
  /** Of the professional. */
  readonly standing: StandingInForce | undefined;
  /** The newest of the meeting. */
  readonly earlyEnd: EarlyEnd | undefined;
  readonly meter: MeterNews | null;
  readonly continuedUrl: string | null;
}

function newsOf(gateway: Gateway, { meeting, policy, attendee, purchases, standing, earlyEnd, meter, continuedUrl }: Seen): News {
  const paid = attendee === null ? meeting.lockedAt !== null : attendee.purchasedAt !== null;
  const { opensAt, closesAt } = joinWindow(policy, meeting);
  const at = gateway.now();
  const unlocked = doorOf(meeting, paid, at, { opensAt, closesAt, metered: policy.meter.enabled });
  const door = unlocked === 'open' && isShut(policy, meeting, standing, at) ? 'over' : unlocked;
  const open = door === 'open';
  const side = attendee === null ? 'professional' : 'customer';
  const told = {
    state: meeting.state as MeetingState,
    door,
    runningSince: open ? meeting.runningSince : null,
    limitEndsAt: open ? meeting.limitEndsAt : null,
    meter: open && meeting.runningSince !== null ? meter : null,
    hostLost: open && meeting.runningSince !== null && meeting.hostLostAt !== null,
    earlyEnd: open ? earlyEndNews(policy, meeting, { newest: earlyEnd, side, ends: isEndable(gateway, meeting), now: at }) : null,
    continuedUrl,
  };
  const turns = [
    ...(meeting.lockedAt === null ? [meeting.purchaseBy] : []),
    ...(told.earlyEnd?.kind === 'asked' ? [told.earlyEnd.answerBy] : []),
    // From the start on it counts as running where the vendor tells nothing, so that an early end can be asked for.
    ...(policy.early_end.answer_within_seconds > 0 ? [meeting.startsAt] : []),
    opensAt,
    closesAt,
  ].filter((turn) => turn > at);
  return {
    ...told,
    version: fingerprint(JSON.stringify([told, meeting.provider, meeting.startsAt, meeting.durationMinutes, purchases])),
    changesAt: turns.reduce<Date | null>((first, turn) => (first === null || turn < first ? turn : first), null),
  };
}

/** The page of the meeting that continues another one, for everybody who has a place in both. */
async function continuations({ db, config }: Gateway, opener: Opener, meetings: readonly Meeting[], attendees: readonly Attendee[]) {
  const ids = meetings.flatMap(({ continuedBy }) => continuedBy ?? []);
  const next = byId(await findMeetings(db.read, ids));
  const places = new Map(
    (
      await findCustomers(
        db.read,
        ids,
        attendees.map(({ customerId }) => customerId),
      )
    ).map((place) => [fingerprint(place.meetingId, place.customerId), place]),
  );
  const pageUnder = (path: 'h' | 'j', token: string | null) => (token === null ? null : `${config.publicUrl}/${path}/${token}`);
  return ({ continuedBy }: Meeting, attendee: Attendee | null): string | null => {
    const meeting = continuedBy === null ? undefined : next.get(continuedBy);
    if (meeting === undefined || !leadsOn(meeting.state as MeetingState)) return null;
    if (attendee === null) return pageUnder('h', opener.open(meeting.hostTokenSealed, hostTokenContext(meeting.id)));
    const place = places.get(fingerprint(meeting.id, attendee.customerId));
    return place === undefined ? null : pageUnder('j', opener.open(place.joinTokenSealed, joinTokenContext(place.id)));
  };
}

const byId = <Row extends { readonly id: string }>(rows: readonly Row[]): Map<string, Row> => new Map(rows.map((row) => [row.id, row]));
