/** What the customer's and the professional's page of a meeting share. */
import type { Context } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { Failure } from '../../domain/failure.ts';
import { languageOf } from '../../domain/important-notes.ts';
import type { BookingKind, RecordingMode } from '../../domain/policy.ts';
import { isAsked, type Consent } from '../../domain/recording.ts';
import type { Gateway } from '../../gateway.ts';
import { INCIDENT_KINDS } from '../../domain/incident.ts';
import { reportIncident, type Report } from '../../incidents/report.ts';
import type { Door, Entrance } from '../../meetings/join.ts';
import { readNews, type News } from '../../meetings/news.ts';
import { selfTimedMinutes } from '../../meters/news.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import type { Attendee, Meeting } from '../../store/meetings.ts';
import { languageFor } from './page.ts';
import {
  type Audience,
  isCurrentConsentVersion,
  type JoinRecording,
  type LiveMeeting,
  type MeetingPageState,
  type ReportState,
} from './views/index.ts';

/** Whether the recording is told, implied or asked about. */
export function recordingNotice({ meeting, policy }: Entrance, decision: Consent): JoinRecording {
  const kind = meeting.bookingKind as BookingKind;
  // Who has decided may change it as long as anything depends on it, also about a recording that nobody had planned.
  if (isAsked(policy, kind, meeting.recording as RecordingMode) && (meeting.recording !== 'none' || decision !== 'missing'))
    return { kind: 'consent', decision, required: false };
  if (meeting.recording === 'none') return { kind: 'none' };
  return policy.recording[kind].consent === 'notice'
    ? { kind: 'notice' }
    : { kind: 'implied', retentionDays: policy.recording.retention_days };
}

/** The answer of a consent form. @throws Failure `conflict` for words that were not asked, for this reader, by this gateway */
export async function consentOf(c: Context, audience: Audience) {
  const { decision, locale, text_version: textVersion } = await c.req.parseBody();
  if (
    (decision !== 'granted' && decision !== 'refused') ||
    typeof textVersion !== 'string' ||
    !isCurrentConsentVersion(textVersion, audience)
  ) {
    throw new Failure('conflict', 'The question has changed. Open the page again.');
  }
  return { decision, textVersion, locale: languageOf(typeof locale === 'string' ? locale : undefined) ?? 'en' } as const;
}

const STATUS: Readonly<Record<Door, number>> = {
  unpaid: 402,
  pending: 200,
  early: 200,
  open: 200,
  over: 410,
  cancelled: 410,
  expired: 410,
};
/** A meeting that is over and goes on as another one has something to show: the way there. */
export const statusOf = ({ door, meeting }: Pick<Entrance, 'door' | 'meeting'>): number =>
  door === 'over' && meeting.continuedBy !== null ? 200 : STATUS[door];

/** Who tries to come in too early is told so; the page alone is no error. */
export const NOT_YET: readonly Door[] = ['early', 'pending'];

/** A report that was filed leads back to the page with this word in its address. */
export const sentBefore = (c: Context): ReportState => (c.req.query('report') === 'sent' ? { kind: 'sent' } : { kind: 'empty' });

export async function fileReport(c: Context, gateway: Gateway, meeting: Meeting, reporter: Report['reporter']): Promise<ReportState> {
  const form = await c.req.parseBody();
  const text = typeof form['text'] === 'string' ? form['text'] : '';
  const kind = INCIDENT_KINDS.find((known) => known === form['kind']) ?? null;
  const reported = await reportIncident(gateway, { meeting, reporter, kind, text, by: reporter.side });
  switch (reported.outcome) {
    case 'filed':
      return { kind: 'sent' };
    case 'invalid':
      return { kind: 'invalid', text };
    case 'too_many':
      return { kind: 'too_many', open: reported.open };
  }
}

/** What both views show. `attendee`: null for the host. */
export async function common(c: Context, gateway: Gateway, entrance: Entrance, attendee: Attendee | null) {
  const [news] = await readNews(gateway, [{ meetingId: entrance.meeting.id, attendeeId: attendee?.id ?? null }]);
  return {
    ...(await basics(c, gateway, entrance, attendee?.locale)),
    live: liveMeeting(news),
    selfTimedMinutes: await selfTimedMinutes(gateway, entrance.meeting, entrance.policy),
    earlyEnd: news?.earlyEnd ?? null,
    continuedUrl: news?.continuedUrl ?? null,
    version: news?.version ?? '',
  };
}

/** What the view of everybody shows who comes in. */
export async function basics(c: Context, { db, now }: Gateway, entrance: Entrance, locale?: string | null) {
  const { meeting } = entrance;
  const marketplace = await findMarketplace(db.read, meeting.marketplaceId);
  const provider = meeting.provider as ProviderId;
  return {
    language: languageFor(c, locale),
    now: now(),
    marketplace: marketplace?.name ?? null,
    title: meeting.title,
    app: { id: provider, name: APPS[provider].name },
    startsAt: meeting.startsAt,
    durationMinutes: meeting.durationMinutes,
    timeZone: meeting.timeZone,
    state: pageState(entrance),
    ended: meeting.state === 'ended',
    limitMinutes: meeting.limitMinutes,
    limitAsOf: meeting.decision.limit_as_of ?? null,
    warnMinutes: entrance.policy.limits.warn_minutes,
  };
}

function liveMeeting(news: News | undefined): LiveMeeting | null {
  if (news === undefined || news.runningSince === null) return null;
  const { runningSince, limitEndsAt, hostLost, meter } = news;
  return { startedAt: runningSince, limitEndsAt, hostLost, meter };
}

function pageState({ door, meeting, opensAt }: Entrance): MeetingPageState {
  switch (door) {
    case 'unpaid':
      return { kind: 'awaiting_purchase', purchaseBy: meeting.lockedAt === null ? meeting.purchaseBy : null };
    case 'early':
      return { kind: 'too_early', opensAt };
    case 'pending':
      return { kind: 'link_pending' };
    case 'open':
    case 'over':
    case 'cancelled':
    case 'expired':
      return { kind: door };
  }
}
