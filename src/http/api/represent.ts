/** Rows as the API shows them. Links are shown again on every answer, so their tokens are opened here. */
import type { RevokedReason, VendorEnding, WithheldReason } from '../../domain/recording.ts';
import type { z } from '@hono/zod-openapi';
import { APPS } from '../../../providers/approved.ts';
import { FREE_PLAN_APPLIES_TO, limitOf, PLAN_FIGURES, type Figure, type PlanFigures } from '../../../providers/limits.ts';
import {
  customerCallContext,
  hostTokenContext,
  joinTokenContext,
  joinUrlContext,
  professionalCallContext,
  recordingLinkContext,
} from '../../connections/sealed.ts';
import type { Plan, ProviderId } from '../../domain/apps.ts';
import { readReason } from '../../domain/connection.ts';
import { shownDecision } from '../../domain/decision.ts';
import { attemptProblem, type Death, type DeliveryState, type DisabledReason } from '../../domain/delivery.ts';
import { importantNotes, languageOf } from '../../domain/important-notes.ts';
import type { IncidentKind, IncidentState, TimelineAuthor, TimelineKind } from '../../domain/incident.ts';
import { callInvitation, type CallSide, type CallState } from '../../domain/call.ts';
import { invitation } from '../../domain/invitation.ts';
import { isOver, type Ender, type MeetingState } from '../../domain/meeting.ts';
import { planOf, type CertainPlan, type PlanBasis } from '../../domain/plan.ts';
import type { Policy } from '../../domain/policy.ts';
import type { AppealState, Standing } from '../../domain/standing.ts';
import { scanText } from '../../domain/text-scan.ts';
import type { DailyQuota } from '../../connections/quota.ts';
import { deliveryBody } from '../../events/deliver.ts';
import { noticeOf } from '../../events/notice.ts';
import type { Gateway } from '../../gateway.ts';
import { shownAlternative } from '../../meetings/candidates.ts';
import { urlOf } from '../../contents/access.ts';
import { contentHost } from '../../contents/stored-link.ts';
import type { Content, ContentLink } from '../../store/contents.ts';
import type { Preview } from '../../meetings/preview.ts';
import { askedOf } from '../../calls/request.ts';
import type { Call } from '../../store/calls.ts';
import type { Connection } from '../../store/connections.ts';
import type { Delivery, DeliveryAttempt } from '../../store/deliveries.ts';
import type { StoredEvent, WebhookEndpoint } from '../../store/events.ts';
import type { Incident, IncidentEntry } from '../../store/incidents.ts';
import type { Attendee, Meeting } from '../../store/meetings.ts';
import type { Expectation } from '../../store/expectations.ts';
import type { Appeal, StandingDecision, StandingInForce } from '../../store/standing.ts';
import type { Recording, RecordingLink } from '../../store/recordings.ts';
import { translator } from '../pages/texts/index.ts';
import type { SealContext } from '../../connections/vault.ts';
import type { Opener } from '../../connections/opener.ts';
import { problemOf } from '../problem.ts';
import type * as answers from './answers.ts';
import type * as schemas from './schemas.ts';

const iso = (moment: Date): string => moment.toISOString();
const isoOrNull = (moment: Date | null): string | null => moment?.toISOString() ?? null;

const linkTo = (page: string, token: string | null): string | null => (token === null ? null : `${page}/${token}`);

/** `preferred`: whether it is the one that its app is used with when several accounts fit equally well. */
export function representConnection(
  { providers }: Gateway,
  connection: Connection,
  { policy, preferred, quota }: { policy: Policy; preferred: boolean; quota: DailyQuota | undefined },
): z.infer<typeof schemas.connection> {
  const id = connection.provider as ProviderId;
  const { plan, basis } = planOf(connection);
  const limit = limitOf({ provider: id, plan, participants: null }, policy);
  const reason = readReason(connection.statusReason);
  const provider = providers.get(id);
  // A host of the operator's own account is reached by other permissions than a professional gives.
  const scopes = connection.professionalId === null ? provider?.platform?.scopes : provider?.oauth.scopes;
  const missing = (scopes?.links ?? []).filter((scope) => !connection.scopes.includes(scope));
  const recordings = scopes !== undefined && scopes.recordings.every((scope) => connection.scopes.includes(scope));
  return {
    id: connection.id,
    professional_id: connection.professionalId,
    provider: id,
    account: { id: connection.accountId, email: connection.email },
    plan,
    plan_basis: basis,
    declared_plan: connection.declaredPlan as CertainPlan | null,
    limit_minutes: limit.minutes,
    limit: { minutes: limit.minutes, as_of: limit.asOf, source: limit.source },
    status: connection.status as 'active',
    status_reason: reason,
    status_detail: reason === null ? null : translator('en')(`connectReason.${reason}`, { app: APPS[id].name }),
    preferred,
    missing_scopes: missing,
    features: [
      ...(connection.createsMeetings ? ['create'] : []),
      ...(recordings && connection.cloudRecording !== 'no' ? ['recordings'] : []),
    ],
    daily_quota: quota === undefined ? null : { limit: quota.limit, used: quota.used, resets_at: iso(quota.resetsAt) },
    created_at: iso(connection.createdAt),
  };
}

export function representMeeting(
  { config, vault }: Gateway,
  meeting: Meeting,
  attendees: readonly Attendee[],
  opener: Opener = vault,
): z.infer<typeof schemas.meeting> {
  const provider = meeting.provider as ProviderId;
  const app = APPS[provider];
  const language = languageOf(attendees[0]?.locale ?? undefined) ?? 'en';
  return {
    id: meeting.id,
    state: meeting.state as 'live',
    purchase_by: iso(meeting.purchaseBy),
    provider,
    booking: { id: meeting.bookingId, kind: meeting.bookingKind as 'event', title: meeting.title },
    professional_id: meeting.professionalId,
    connection_id: meeting.connectionId,
    starts_at: iso(meeting.startsAt),
    duration_minutes: meeting.durationMinutes,
    time_zone: meeting.timeZone,
    link: {
      source: meeting.linkSource as 'created',
      locked_at: isoOrNull(meeting.lockedAt),
      provider_join_url: meeting.vendorJoinUrlSealed === null ? null : opener.open(meeting.vendorJoinUrlSealed, joinUrlContext(meeting.id)),
      degraded: meeting.degraded,
    },
    host_url: linkTo(`${config.publicUrl}/h`, opener.open(meeting.hostTokenSealed, hostTokenContext(meeting.id))),
    attendees: attendees.map((attendee) => representAttendee({ config, vault }, meeting, attendee, opener)),
    limit: {
      minutes: meeting.limitMinutes,
      plan: meeting.plan as Plan,
      plan_basis: meeting.planBasis as PlanBasis,
      exceeded: meeting.limitExceeded,
      as_of: meeting.decision.limit_as_of ?? null,
      source: meeting.decision.limit_source ?? null,
    },
    decision: representDecision(meeting.decision),
    recording: meeting.recording as 'none',
    records_automatically: meeting.recordsAutomatically,
    flags: scanText(meeting.title).map(({ kind }) => ({ field: 'title' as const, kind })),
    important_notes: importantNotes(language, { app: app.name, limitMinutes: meeting.limitMinutes, guideUrl: app.guides.participant }),
    running:
      meeting.runningSince === null || isOver(meeting.state as MeetingState)
        ? null
        : {
            since: iso(meeting.runningSince),
            limit_ends_at: isoOrNull(meeting.limitEndsAt),
            host_lost_at: isoOrNull(meeting.hostLostAt),
          },
    continues: meeting.continues,
    continued_by: meeting.continuedBy,
    started_at: isoOrNull(meeting.startedAt),
    ended_at: isoOrNull(meeting.endedAt),
    ended_by: meeting.endedBy as Ender | null,
    cancel_reason: meeting.cancelReason,
    created_at: iso(meeting.createdAt),
  };
}

type ShownDecision = z.infer<typeof schemas.meeting>['decision'];

/** Those of earlier releases lack most of it. */
function representDecision(stored: Meeting['decision']): ShownDecision {
  const { asked = null, chosen, reason = null, limit_minutes: minutes = null, plan = null, plan_basis: basis = null, considered } = stored;
  return {
    asked: asked as ShownDecision['asked'],
    chosen: chosen as ProviderId | null,
    reason: reason as ShownDecision['reason'],
    limit_minutes: minutes,
    plan: plan as Plan | null,
    plan_basis: basis as PlanBasis | null,
    considered: considered.map((one) => ({
      provider: one.provider,
      rejected: one.rejected as ShownDecision['considered'][number]['rejected'],
      limit_minutes: one.limit_minutes,
      plan: (one.plan ?? null) as Plan | null,
      plan_basis: (one.plan_basis ?? null) as PlanBasis | null,
    })),
  };
}

export function representPreview(
  { config }: Gateway,
  { refusal, decision, warnings, alternatives }: Preview,
): z.infer<typeof schemas.preview> {
  const chosen = decision?.chosen ?? null;
  return {
    would_be: refusal === null ? 'created' : 'refused',
    problem: refusal === null ? null : problemOf(refusal, config.publicUrl),
    provider: chosen?.provider ?? null,
    connection_id: chosen?.connectionId ?? null,
    limit:
      chosen === null
        ? null
        : {
            minutes: chosen.limit.minutes,
            plan: chosen.plan,
            plan_basis: chosen.planBasis,
            exceeded: decision!.exceeded,
            as_of: chosen.limit.asOf,
            source: chosen.limit.source,
          },
    decision: decision === null ? null : representDecision(shownDecision(decision)),
    warnings: [...warnings],
    alternatives: alternatives.map(shownAlternative),
  };
}

export function representAttendee(
  { config, vault }: Pick<Gateway, 'config' | 'vault'>,
  meeting: Meeting,
  attendee: Attendee,
  opener: Opener = vault,
): z.infer<typeof schemas.attendee> {
  const joinUrl = linkTo(`${config.publicUrl}/j`, opener.open(attendee.joinTokenSealed, joinTokenContext(attendee.id)));
  const { title, startsAt, timeZone, durationMinutes } = meeting;
  return {
    customer_id: attendee.customerId,
    name: attendee.name,
    locale: attendee.locale,
    state: attendee.purchasedAt === null ? 'awaiting_purchase' : 'purchased',
    join_url: joinUrl,
    camera_off: attendee.cameraOff,
    recording_consent: attendee.recordingConsent as 'missing',
    invitation:
      joinUrl === null
        ? null
        : invitation(languageOf(attendee.locale ?? undefined) ?? 'en', {
            title,
            app: APPS[meeting.provider as ProviderId].name,
            startsAt,
            timeZone,
            durationMinutes,
            joinUrl,
          }),
  };
}

/** `joined`: the meeting that it became, with the customer's place in it. */
export function representCall(
  { config, vault }: Gateway,
  call: Call,
  joined: { meeting: Meeting; attendee: Attendee } | undefined,
  opener: Opener = vault,
): z.infer<typeof schemas.call> {
  const { title, locale } = askedOf(call);
  const pageOf = (sealed: Buffer, context: SealContext) => linkTo(`${config.publicUrl}/c`, opener.open(sealed, context));
  const pages = {
    professional_url: pageOf(call.professionalTokenSealed, professionalCallContext(call.id)),
    customer_url: pageOf(call.customerTokenSealed, customerCallContext(call.id)),
  };
  const url = call.initiator === 'customer' ? pages.professional_url : pages.customer_url;
  const toAnswer = url === null ? null : callInvitation(languageOf(locale ?? undefined) ?? 'en', { title, url });
  return {
    id: call.id,
    state: call.state as CallState,
    professional_id: call.professionalId,
    customer_id: call.customerId,
    initiator: call.initiator as CallSide,
    booking: { id: call.bookingId, title },
    purpose: call.purpose,
    conversation_id: call.conversationId,
    video: call.video,
    prepaid_blocks: call.prepaidBlocks,
    rings: call.rings,
    accept_by: iso(call.acceptBy),
    ended_at: call.state === 'ringing' ? null : isoOrNull(call.answeredAt),
    meeting_id: call.meetingId,
    pages,
    invitation:
      call.state === 'ringing'
        ? toAnswer
        : joined === undefined
          ? null
          : representAttendee({ config, vault }, joined.meeting, joined.attendee, opener).invitation,
    created_at: iso(call.createdAt),
  };
}

export const representExpectation = (expectation: Expectation | undefined): z.infer<typeof schemas.expectedRecording> =>
  expectation === undefined ? null : { state: expectation.state, until: iso(expectation.deadline) };

export function representRecording(
  { config, vault }: Gateway,
  recording: Recording,
  links: readonly RecordingLink[],
  opener: Opener = vault,
): z.infer<typeof schemas.recording> {
  return {
    id: recording.id,
    meeting_id: recording.meetingId,
    source: recording.source as 'provider',
    state: recording.state as 'published',
    reason: recording.reason as WithheldReason | RevokedReason | null,
    title: recording.title,
    files: recording.files.map(({ kind, contentType, bytes }) => ({ kind, content_type: contentType, bytes })),
    ready_at: isoOrNull(recording.readyAt),
    published_at: isoOrNull(recording.publishedAt),
    expires_at: isoOrNull(recording.expiresAt),
    links: links
      // An operator's link is shown once, to who asked for it.
      .filter(({ recordingId, kind }) => recordingId === recording.id && kind === 'recipient')
      .map((link) => ({
        customer_id: link.customerId,
        url:
          link.tokenSealed === null ? null : linkTo(`${config.publicUrl}/r`, opener.open(link.tokenSealed, recordingLinkContext(link.id))),
        views: link.views,
        first_viewed_at: isoOrNull(link.firstViewedAt),
        revoked_at: isoOrNull(link.revokedAt),
      })),
    erased_at: isoOrNull(recording.erasedAt),
    at_vendor:
      recording.vendorEnding === null
        ? null
        : { ending: recording.vendorEnding as VendorEnding, ended_at: isoOrNull(recording.vendorEndedAt) },
    created_at: iso(recording.createdAt),
  };
}

export function representContent(
  gateway: Gateway,
  content: Content,
  links: readonly ContentLink[],
  opener: Opener,
): z.infer<typeof answers.content> {
  return {
    id: content.id,
    booking_id: content.bookingId,
    professional_id: content.professionalId,
    title: content.erasedAt === null ? content.title : null,
    host: contentHost(content, opener),
    links: links
      .filter(({ bookingId }) => bookingId === content.bookingId)
      .map((link) => ({
        customer_id: link.customerId,
        url: urlOf(gateway, link, opener),
        views: link.views,
        first_viewed_at: isoOrNull(link.firstViewedAt),
        expires_at: iso(link.expiresAt),
      })),
    erased_at: isoOrNull(content.erasedAt),
    created_at: iso(content.createdAt),
  };
}

export const representIncident = (incident: Incident): z.infer<typeof schemas.incident> => ({
  id: incident.id,
  meeting_id: incident.meetingId,
  reported_by: incident.side as 'customer',
  reporter_id: incident.reporterId,
  kind: incident.kind as IncidentKind | null,
  text: incident.text,
  state: incident.state as IncidentState,
  reported_at: iso(incident.at),
  resolution: incident.resolution,
  resolved_at: isoOrNull(incident.resolvedAt),
});

export const representTimeline = (incident: Incident, entries: readonly IncidentEntry[]): z.infer<typeof schemas.incidentWithTimeline> => ({
  ...representIncident(incident),
  timeline: entries.map(({ at, kind, by, state, text }) => ({
    at: iso(at),
    kind: kind as TimelineKind,
    by: by as TimelineAuthor,
    state: state as IncidentState | null,
    text,
  })),
});

export const representEndpoint = (endpoint: WebhookEndpoint): z.infer<typeof schemas.endpoint> => ({
  id: endpoint.id,
  url: endpoint.url,
  events: endpoint.events,
  description: endpoint.description,
  enabled: endpoint.disabledAt === null,
  disabled:
    endpoint.disabledAt === null
      ? null
      : { reason: (endpoint.disabledReason ?? 'asked') as DisabledReason, at: iso(endpoint.disabledAt), notice: { ...noticeOf(endpoint) } },
  failing_since: endpoint.failingSince === null ? null : iso(endpoint.failingSince),
  created_at: iso(endpoint.createdAt),
});

export const representEvent = ({ vault }: Gateway, event: StoredEvent, opener: Opener = vault): z.infer<typeof schemas.event> => ({
  id: event.id,
  ...deliveryBody({ vault: opener }, event),
});

export const representDelivery = ({
  delivery,
  type,
  attempts,
}: {
  delivery: Delivery;
  type: string;
  attempts: readonly DeliveryAttempt[];
}): z.infer<typeof schemas.delivery> => ({
  id: delivery.id,
  event_id: delivery.eventId,
  type,
  state: delivery.state as DeliveryState,
  reason: delivery.state === 'dead' ? (delivery.reason as Death | null) : null,
  next_attempt_at: delivery.state === 'pending' ? iso(delivery.dueAt) : null,
  attempts: attempts.map((attempt) => ({
    at: iso(attempt.at),
    status: attempt.status,
    problem: attemptProblem(attempt),
    duration_ms: attempt.durationMs,
    answer: attempt.answer,
  })),
});

export function representProvider(
  id: ProviderId,
  { configured, policy }: { configured: boolean; policy: Policy },
): z.infer<typeof schemas.provider> {
  const limit = limitOf({ provider: id, plan: 'free', participants: null }, policy);
  return {
    id,
    name: APPS[id].name,
    configured,
    free_plan: { limit_minutes: limit.minutes, applies_to: FREE_PLAN_APPLIES_TO[id], as_of: limit.asOf, source: limit.source },
    plans: { free: representPlan(PLAN_FIGURES[id].free), paid: representPlan(PLAN_FIGURES[id].paid) },
    guides: { ...APPS[id].guides },
    join_hosts: [...APPS[id].joinHosts],
    features: [...APPS[id].features],
  };
}

const representPlan = ({ name, groups, pairs, participants, concurrentMeetings, recording }: PlanFigures) => ({
  name,
  limit_minutes: representFigure(groups),
  pairs_limit_minutes: representFigure(pairs),
  participants: representFigure(participants),
  concurrent_meetings: concurrentMeetings === null ? null : representFigure(concurrentMeetings),
  recording: representFigure(recording),
});

const representFigure = <T>({ value, asOf, source }: Figure<T>) => ({ value, as_of: asOf, source });

export const representStanding = (
  professionalId: string,
  { standing, until, decision }: StandingInForce,
  decisions: readonly StandingDecision[],
): z.infer<typeof schemas.standing> => ({
  professional_id: professionalId,
  standing,
  until: isoOrNull(until),
  decision: decision && representDecided(decision),
  decisions: decisions.map(representDecided),
});

const representDecided = ({ id, standing, until, reason, incidentId, appealId, at }: StandingDecision) => ({
  id,
  standing: standing as Standing,
  until: isoOrNull(until),
  reason,
  incident_id: incidentId,
  appeal_id: appealId,
  decided_at: iso(at),
});

export const representAppeal = (appeal: Appeal): z.infer<typeof schemas.appeal> => ({
  id: appeal.id,
  professional_id: appeal.professionalId,
  decision_id: appeal.decisionId,
  state: appeal.state as AppealState,
  text: appeal.text,
  evidence: appeal.evidence,
  answer: appeal.answer,
  filed_at: iso(appeal.at),
  decided_at: isoOrNull(appeal.decidedAt),
});
