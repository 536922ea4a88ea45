/** What really happened: of one meeting, and of a connection in a month. */
import { createRoute, type z } from '@hono/zod-openapi';
import { peopleOf, sumOf, type Minutes, type Session } from '../../domain/session.ts';
import type { Gateway } from '../../gateway.ts';
import { sessionsOfMeeting, usageOf, type Segment } from '../../meetings/sessions.ts';
import * as answers from './answers.ts';
import { usageQuery } from './requests.ts';
import { about, apiRouter, idParameter, json, problems } from './router.ts';

export const sessionRoutes = (gateway: Gateway) =>
  apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/sessions',
        ...about('Meetings', 'What really happened: sessions, participants, minutes'),
        request: { params: idParameter },
        responses: { 200: json(answers.meetingSessions, 'The sessions'), ...problems },
      }),
      async (c) => {
        const { own, segments } = await sessionsOfMeeting(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId: c.req.valid('param').id,
        });
        return c.json(
          {
            meeting_id: own.meeting.id,
            booking_id: own.meeting.bookingId,
            booked_minutes: own.meeting.durationMinutes,
            minutes: representMinutes(own.minutes),
            sessions: own.sessions.map(representSession),
            segments: segments.map(representSegment),
            segments_minutes: representMinutes(sumOf(segments.map((one) => one.minutes))),
          },
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/connections/{id}/usage',
        ...about('Connections', 'Meetings and minutes of a month'),
        request: { params: idParameter, query: usageQuery },
        responses: { 200: json(answers.usage, 'The usage'), ...problems },
      }),
      async (c) => {
        const { id } = c.req.valid('param');
        const { month: asked } = c.req.valid('query');
        const [year, number] = asked.split('-').map(Number) as [number, number];
        const { minutes: spent, ...counts } = await usageOf(gateway, {
          marketplaceId: c.get('marketplace').id,
          connectionId: id,
          from: new Date(Date.UTC(year, number - 1)),
          until: new Date(Date.UTC(year, number)),
        });
        return c.json(
          {
            connection_id: id,
            month: asked,
            meetings: counts.meetings,
            held: counts.held,
            sessions: counts.sessions,
            estimated_sessions: counts.estimatedSessions,
            limit_reached: counts.limitReached,
            booked_minutes: counts.bookedMinutes,
            minutes: representMinutes(spent),
          },
          200,
        );
      },
    );

const SOURCE_NAMES = { vendor: 'events', attendance: 'attendance', estimate: 'clicks' } as const;

export const representSession = (one: Session & { readonly minutes: Minutes }): z.infer<typeof answers.session> => ({
  started_at: one.startedAt.toISOString(),
  ended_at: one.endedAt?.toISOString() ?? null,
  limit_reached: one.limitReached,
  estimated: one.estimated,
  source: SOURCE_NAMES[one.source],
  participants: peopleOf(one).map(({ side, customerId, stays }) => ({
    side,
    customer_id: customerId,
    stays: stays.map(({ joinedAt, leftAt }) => ({ joined_at: joinedAt.toISOString(), left_at: leftAt?.toISOString() ?? null })),
  })),
  minutes: representMinutes(one.minutes),
});

export const representSegment = ({ meeting, sessions, minutes: own }: Segment): z.infer<typeof answers.segment> => ({
  meeting_id: meeting.id,
  provider: meeting.provider as 'zoom',
  starts_at: meeting.startsAt.toISOString(),
  booked_minutes: meeting.durationMinutes,
  limit_reached: sessions.some(({ limitReached }) => limitReached),
  estimated: sessions.some(({ estimated }) => estimated),
  minutes: representMinutes(own),
});

export const representMinutes = ({ total, host, customer, joint }: Minutes): z.infer<typeof answers.minutes> => ({
  total: toTheHundredth(total),
  host: toTheHundredth(host),
  customer: toTheHundredth(customer),
  joint: toTheHundredth(joint),
});

const toTheHundredth = (value: number): number => Math.round(value * 100) / 100;
