/** What really happened: of one meeting, and of a connection in a month. */
import { createRoute, z } from '@hono/zod-openapi';
import { peopleOf, SIDES, sumOf, type Minutes, type Session } from '../../domain/session.ts';
import type { Gateway } from '../../gateway.ts';
import { sessionsOfMeeting, usageOf, type Segment } from '../../meetings/sessions.ts';
import { about, apiRouter, idParameter, json, problems } from './router.ts';
import * as schemas from './schemas.ts';

const minutes = z
  .object({ total: z.number(), host: z.number(), customer: z.number(), joint: z.number() })
  .describe('To the hundredth. `joint`: host and customer at the same time. Who is of unknown side counts in `total` only')
  .openapi('Minutes');

const session = z
  .object({
    started_at: schemas.moment,
    ended_at: schemas.moment.nullable().describe('Null while it goes on'),
    limit_reached: z.boolean().describe("True where the vendor says that the plan's limit ended it"),
    estimated: z
      .boolean()
      .describe(
        'True where the vendor told nothing, so that the clicks on the links count, or did not tell the end, so that the clock does',
      ),
    source: z.enum(['events', 'attendance', 'clicks']),
    participants: z.array(
      z.object({
        side: z.enum(SIDES),
        customer_id: z.string().nullable(),
        stays: z.array(z.object({ joined_at: schemas.moment, left_at: schemas.moment.nullable() })),
      }),
    ),
    minutes,
  })
  .openapi('Session');

const segment = z
  .object({
    meeting_id: z.string(),
    provider: schemas.providerId,
    starts_at: schemas.moment,
    booked_minutes: z.number().int(),
    limit_reached: z.boolean(),
    estimated: z.boolean(),
    minutes,
  })
  .openapi('Segment');

const meetingSessions = z
  .object({
    meeting_id: z.string(),
    booking_id: z.string(),
    booked_minutes: z.number().int(),
    minutes: minutes.describe('All sessions of this meeting together'),
    sessions: z.array(session).describe('Oldest first'),
    segments: z.array(segment).describe('This meeting and those that it continues or is continued by, the first one first'),
    segments_minutes: minutes.describe('All segments together: what came of the booking'),
  })
  .openapi('MeetingSessions');

const usage = z
  .object({
    connection_id: z.string(),
    month: z.string(),
    meetings: z.number().int().describe('Bought, and booked to start in that month (UTC); a continuation is no further one'),
    held: z.number().int().describe('Those of which a session is known'),
    sessions: z.number().int(),
    estimated_sessions: z.number().int(),
    limit_reached: z.number().int().describe("Sessions that the plan's limit ended"),
    booked_minutes: z.number().int().describe('Of `meetings`'),
    minutes,
  })
  .openapi('Usage');

const month = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
  .openapi({ example: '2026-11' });

export const sessionRoutes = (gateway: Gateway) =>
  apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/sessions',
        ...about('Meetings', 'What really happened: sessions, participants, minutes'),
        request: { params: idParameter },
        responses: { 200: json(meetingSessions, 'The sessions'), ...problems },
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
        request: { params: idParameter, query: z.object({ month }) },
        responses: { 200: json(usage, 'The usage'), ...problems },
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

const representSession = (one: Session & { readonly minutes: Minutes }): z.infer<typeof session> => ({
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

const representSegment = ({ meeting, sessions, minutes: own }: Segment): z.infer<typeof segment> => ({
  meeting_id: meeting.id,
  provider: meeting.provider as 'zoom',
  starts_at: meeting.startsAt.toISOString(),
  booked_minutes: meeting.durationMinutes,
  limit_reached: sessions.some(({ limitReached }) => limitReached),
  estimated: sessions.some(({ estimated }) => estimated),
  minutes: representMinutes(own),
});

const representMinutes = ({ total, host, customer, joint }: Minutes): z.infer<typeof minutes> => ({
  total: toTheHundredth(total),
  host: toTheHundredth(host),
  customer: toTheHundredth(customer),
  joint: toTheHundredth(joint),
});

const toTheHundredth = (value: number): number => Math.round(value * 100) / 100;
