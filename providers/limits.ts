/** What the vendors' plans allow, as dated data: each figure with its source and the day of that source. Never checked against the live services. */
import type { Plan, ProviderId } from '../src/domain/apps.ts';
import type { CertainPlan, Limit } from '../src/domain/plan.ts';
import type { Policy } from '../src/domain/policy.ts';

export interface Figure<T = number> {
  readonly value: T;
  readonly asOf: string;
  readonly source: string;
}

export interface PlanFigures {
  /** The vendor's name for it. */
  readonly name: string;
  /** Minutes of a meeting of two people. */
  readonly pairs: Figure;
  /** Minutes of a meeting of three and more. */
  readonly groups: Figure;
  /** People in one meeting; of a family of plans, what the smallest has. */
  readonly participants: Figure;
  /** Meetings that one host may run at once; null where no source says. */
  readonly concurrentMeetings: Figure | null;
  /** In the vendor's cloud. `depends`: on the edition, or on what an administrator allows. */
  readonly recording: Figure<'yes' | 'no' | 'depends'>;
}

const figures =
  (asOf: string, source: string) =>
  <T>(value: T): Figure<T> => ({ value, asOf, source });

const zoomKb = (article: string) => figures('2026-10-04', `https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=${article}`);
const zoomTime = zoomKb('KB0067966');
const zoomPeople = zoomKb('KB0068002');
const zoomAtOnce = zoomKb('KB0068522');
const zoomRecording = zoomKb('KB0063923');

const guide = figures('2025-01-01', 'the marketplace guide of January 2025; to be checked against https://support.microsoft.com/teams');
/** No page of Microsoft with the free figures was at hand. */
const teamsPartner = figures(
  '2023-02-01',
  'a reseller, https://www.dickerdata.co.nz; to be checked against https://support.microsoft.com/teams',
);
const teamsLimits = figures('2026-11-20', 'https://learn.microsoft.com/microsoftteams/limits-specifications-teams');
const teamsRecording = figures('2024-06-27', 'https://learn.microsoft.com/microsoftteams/meeting-recording');

const meetTime = figures('2026-10-05', 'https://support.google.com/meet/answer/7317473');
const meetRecording = figures('2026-11-20', 'https://support.google.com/meet/answer/9308681');

const HOUR_MINUTES = 60;

export const PLAN_FIGURES: Readonly<Record<ProviderId, Readonly<Record<CertainPlan, PlanFigures>>>> = {
  zoom: {
    free: {
      name: 'Basic',
      pairs: zoomTime(40),
      groups: zoomTime(40),
      participants: zoomPeople(100),
      concurrentMeetings: zoomAtOnce(1),
      recording: zoomRecording('no'),
    },
    paid: {
      name: 'Licensed',
      pairs: zoomTime(30 * HOUR_MINUTES),
      groups: zoomTime(30 * HOUR_MINUTES),
      participants: zoomPeople(100),
      concurrentMeetings: zoomAtOnce(1),
      recording: zoomRecording('yes'),
    },
  },
  'microsoft-teams': {
    free: {
      name: 'Teams Free',
      pairs: teamsPartner(30 * HOUR_MINUTES),
      groups: guide(60),
      participants: teamsPartner(100),
      concurrentMeetings: null,
      recording: teamsPartner('no'),
    },
    paid: {
      name: 'Microsoft 365 with Teams',
      pairs: teamsLimits(30 * HOUR_MINUTES),
      groups: teamsLimits(30 * HOUR_MINUTES),
      participants: teamsLimits(300),
      concurrentMeetings: null,
      recording: teamsRecording('depends'),
    },
  },
  'google-meet': {
    free: {
      name: 'Google account without a subscription',
      pairs: meetTime(24 * HOUR_MINUTES),
      groups: meetTime(60),
      participants: meetTime(100),
      concurrentMeetings: null,
      recording: meetRecording('no'),
    },
    paid: {
      name: 'Google Workspace, or Google One with 2 TB',
      pairs: meetTime(24 * HOUR_MINUTES),
      groups: meetTime(24 * HOUR_MINUTES),
      participants: meetTime(100),
      concurrentMeetings: null,
      recording: meetRecording('depends'),
    },
  },
};

/** Whom the vendor itself cuts off. */
export const FREE_PLAN_APPLIES_TO: Readonly<Record<ProviderId, string>> = {
  zoom: 'every meeting hosted by a Basic user, pairs included',
  'microsoft-teams': 'meetings of three and more',
  'google-meet': 'meetings of three and more',
};

/** From how many people on a meeting is a group; everybody with the host. */
export const GROUP = 3;

/** After how many minutes the vendor itself ends a free meeting of so many people, whatever the policy counts. */
export function freeMinutesOf(provider: ProviderId, people: number): number {
  const { pairs, groups } = PLAN_FIGURES[provider].free;
  return (people < GROUP ? pairs : groups).value;
}

/** The longest booking there is: a limit from here on limits nothing. */
const LONGEST_BOOKING_MINUTES = 24 * HOUR_MINUTES;

/**
 * How long a meeting of this plan may last (G14). An unknown plan may be a free one, so it has the limit of one. G14 knows one figure for
 * each app; the vendor's own figure for two people counts where the policy says so. `participants`: everybody with the host, null when
 * that is not known.
 */
export function limitOf(
  { provider, plan, participants }: { provider: ProviderId; plan: Plan; participants: number | null },
  { limits: { minutes, pairs } }: Pick<Policy, 'limits'>,
): Limit {
  const own = minutes[provider];
  if (plan !== 'paid' && own !== undefined)
    return { minutes: own, asOf: null, source: `the marketplace's policy, /limits/minutes/${provider}` };
  const figures = PLAN_FIGURES[provider][plan === 'paid' ? 'paid' : 'free'];
  const { value, asOf, source } = pairs === 'as_vendor' && participants === 2 ? figures.pairs : figures.groups;
  return { minutes: value >= LONGEST_BOOKING_MINUTES ? null : value, asOf, source };
}
