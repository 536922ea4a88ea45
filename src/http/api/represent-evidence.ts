/** What is known of a reported meeting as JSON. Nothing here leads anywhere: links, tokens and passcodes are no part of it. */
import type { z } from '@hono/zod-openapi';
import type { Death, DeliveryState } from '../../domain/delivery.ts';
import type { MeetingState } from '../../domain/meeting.ts';
import type { BookingKind, RecordingMode } from '../../domain/policy.ts';
import type { Consent, RecordingState, VendorEnding } from '../../domain/recording.ts';
import { sumOf } from '../../domain/session.ts';
import type { ProviderId } from '../../domain/apps.ts';
import type { Gateway } from '../../gateway.ts';
import type { Evidence } from '../../incidents/evidence.ts';
import type { StoredEvent } from '../../store/events.ts';
import type * as schemas from './evidence-schemas.ts';
import { representTimeline } from './represent.ts';
import { representMinutes, representSegment, representSession } from './sessions.ts';

type Shown = z.infer<typeof schemas.evidence>;

const iso = (moment: Date): string => moment.toISOString();
const isoOrNull = (moment: Date | null): string | null => moment?.toISOString() ?? null;

export const representEvidence = ({ config }: Pick<Gateway, 'config'>, evidence: Evidence): Shown => ({
  format: 1,
  issuer: config.publicUrl,
  marketplace_id: evidence.incident.marketplaceId,
  exported_at: iso(evidence.at),
  incident: representTimeline(evidence.incident, evidence.timeline),
  meeting: meetingOf(evidence),
  customers: evidence.customers.map((customer) => ({
    customer_id: customer.customerId,
    name: customer.name,
    purchased_at: isoOrNull(customer.purchasedAt),
    camera_off: customer.cameraOff,
    recording_consent: customer.recordingConsent as Consent,
  })),
  sessions: sessionsOf(evidence),
  consents: evidence.consents.map(({ at, customerId, decision, locale, textVersion, channel }) => ({
    at: iso(at),
    customer_id: customerId,
    decision,
    locale,
    text_version: textVersion,
    channel,
  })),
  link: linkOf(evidence),
  recordings: evidence.recordings.map((recording) => recordingOf(evidence, recording)),
  meter: meterOf(evidence),
  early_ends: evidence.earlyEnds.map((request) => ({
    id: request.id,
    asked_at: iso(request.at),
    asked_by: request.askedBy,
    customer_id: request.customerId,
    state: request.state,
    answer_by: iso(request.answerBy),
    answered_at: isoOrNull(request.answeredAt),
  })),
  ratings: evidence.ratings.map(({ at, customerId, professional, connection, comment }) => ({
    at: iso(at),
    customer_id: customerId,
    professional,
    connection,
    comment,
  })),
  events: evidence.events.map((event) => eventOf(evidence, event)),
  audit: evidence.audit.map(({ id, seq, previous, hash, at, action, subjectId, details }) => ({
    id,
    seq: seq!,
    previous,
    hash: hash!,
    at: iso(at),
    action,
    subject_id: subjectId,
    details,
  })),
  left_out: evidence.leftOut,
});

const meetingOf = ({ meeting }: Evidence): Shown['meeting'] => ({
  id: meeting.id,
  booking: { id: meeting.bookingId, kind: meeting.bookingKind as BookingKind, title: meeting.title },
  professional_id: meeting.professionalId,
  provider: meeting.provider as ProviderId,
  state: meeting.state as MeetingState,
  starts_at: iso(meeting.startsAt),
  duration_minutes: meeting.durationMinutes,
  time_zone: meeting.timeZone,
  recording: meeting.recording as RecordingMode,
  records_automatically: meeting.recordsAutomatically,
  limit_minutes: meeting.limitMinutes,
  started_at: isoOrNull(meeting.startedAt),
  ended_at: isoOrNull(meeting.endedAt),
  ended_by: meeting.endedBy,
  cancel_reason: meeting.cancelReason,
  continues: meeting.continues,
  continued_by: meeting.continuedBy,
  call_id: meeting.callId,
  created_at: iso(meeting.createdAt),
});

const sessionsOf = ({ sessions: { own, segments } }: Evidence): Shown['sessions'] => ({
  minutes: representMinutes(own.minutes),
  sessions: own.sessions.map(representSession),
  segments: segments.map(representSegment),
  segments_minutes: representMinutes(sumOf(segments.map(({ minutes }) => minutes))),
});

/** What became of the link, by the events that told it; those are kept for 90 days. */
const LINK_EVENTS: Readonly<Record<string, Shown['link']['history'][number]['what']>> = {
  'meeting.created': 'created',
  'meeting.link_ready': 'ready',
  'meeting.changed': 'replaced',
  'meeting.link_locked': 'locked',
  'meeting.purchased': 'purchased',
  'meeting.continued': 'continued',
};

const linkOf = ({ meeting, events, clicks, places, guests }: Evidence): Shown['link'] => ({
  source: meeting.linkSource as 'created',
  locked_at: isoOrNull(meeting.lockedAt),
  history: events.flatMap(({ type, at, data }) => {
    const what = LINK_EVENTS[type];
    const changed = data['changed'];
    const isOther = what === 'replaced' && !(Array.isArray(changed) && (changed.includes('link') || changed.includes('provider')));
    return what === undefined || isOther ? [] : [{ at: iso(at), what, customer_id: (data['customer_id'] ?? null) as string | null }];
  }),
  followed: clicks.map(({ at, side, customerId }) => ({ at: iso(at), side, customer_id: customerId })),
  places: places.map(({ at, customerId }) => ({ at: iso(at), customer_id: customerId })),
  guests: guests.map((guest) => ({
    id: guest.id,
    name: guest.name,
    invited_by: guest.invitedBy,
    customer_id: guest.customerId,
    uses: guest.uses,
    created_at: iso(guest.createdAt),
    last_used_at: isoOrNull(guest.lastUsedAt),
    revoked_at: isoOrNull(guest.revokedAt),
  })),
});

const recordingOf = ({ recordingLinks }: Evidence, recording: Evidence['recordings'][number]): Shown['recordings'][number] => ({
  id: recording.id,
  source: recording.source as 'provider',
  state: recording.state as RecordingState,
  reason: recording.reason,
  started_at: isoOrNull(recording.startedAt),
  ended_at: isoOrNull(recording.endedAt),
  ready_at: isoOrNull(recording.readyAt),
  published_at: isoOrNull(recording.publishedAt),
  expires_at: isoOrNull(recording.expiresAt),
  erased_at: isoOrNull(recording.erasedAt),
  at_vendor:
    recording.vendorEnding === null
      ? null
      : { ending: recording.vendorEnding as VendorEnding, ended_at: isoOrNull(recording.vendorEndedAt) },
  links: recordingLinks
    .filter(({ recordingId }) => recordingId === recording.id)
    .map((link) => ({
      kind: link.kind as 'recipient',
      customer_id: link.kind === 'recipient' ? link.customerId : null,
      incident_id: link.incidentId,
      created_at: iso(link.createdAt),
      views: link.views,
      first_viewed_at: isoOrNull(link.firstViewedAt),
      expires_at: isoOrNull(link.expiresAt),
      revoked_at: isoOrNull(link.revokedAt),
    })),
});

const meterOf = ({ meter, blocks }: Evidence): Shown['meter'] =>
  meter === undefined
    ? null
    : {
        credit_blocks: meter.creditBlocks,
        used_blocks: meter.usedBlocks,
        exhausted_at: isoOrNull(meter.exhaustedAt),
        blocks: blocks.map(({ instanceId, number, startsAt, voidedAt }) => ({
          session: instanceId,
          number,
          starts_at: iso(startsAt),
          voided_at: isoOrNull(voidedAt),
        })),
      };

/** In the evidence already. */
const KNOWN = new Set(['meeting_id', 'booking_id', 'professional_id', 'provider', 'sequence']);

function eventOf({ deliveries, attempts }: Evidence, event: StoredEvent): Shown['events'][number] {
  const { id, type, at, sequence, data } = event;
  return {
    id,
    type,
    at: iso(at),
    sequence,
    data: /^(meeting|meter)\./.test(type) ? Object.fromEntries(Object.entries(data).filter(([name]) => !KNOWN.has(name))) : null,
    deliveries: deliveries
      .filter(({ eventId }) => eventId === id)
      .map((delivery) => ({
        id: delivery.id,
        endpoint_id: delivery.endpointId,
        state: delivery.state as DeliveryState,
        reason: delivery.state === 'dead' ? (delivery.reason as Death | null) : null,
        created_at: iso(delivery.createdAt),
        attempts: attempts
          .filter(({ deliveryId }) => deliveryId === delivery.id)
          // What the receiver answered is its own business.
          .map(({ at: triedAt, status, durationMs }) => ({ at: iso(triedAt), status, duration_ms: durationMs })),
      })),
  };
}
