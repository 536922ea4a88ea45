import { createRoute, type z } from '@hono/zod-openapi';
import { openerOfLists } from '../../connections/opener.ts';
import { notFound } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { recordConsent, setWishes } from '../../meetings/consent.ts';
import { continueMeeting } from '../../meetings/continue.ts';
import { createMeeting } from '../../meetings/create.ts';
import { cancelMeeting, changeMeeting, endMeeting } from '../../meetings/lifecycle.ts';
import { previewMeeting } from '../../meetings/preview.ts';
import { purchase } from '../../meetings/purchase.ts';
import type { MeetingRequest } from '../../meetings/request.ts';
import { usedBlocks } from '../../meters/follow.ts';
import { usualMinutes } from '../../professionals/profile.ts';
import type { Marketplace } from '../../store/marketplaces.ts';
import { findOwnMeeting, listAttendees, listMeetings, type Meeting } from '../../store/meetings.ts';
import * as answers from './answers.ts';
import { representAttendee, representMeeting, representPreview } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

const attendeeParameter = idParameter.extend({ customer_id: schemas.foreignId });

export const meetingRoutes = (gateway: Gateway) => {
  const shown = async (meeting: Meeting) => representMeeting(gateway, meeting, await listAttendees(gateway.db.read, [meeting.id]));

  const inLists = openerOfLists(gateway);

  return apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings',
        ...about('Meetings', 'A new meeting with a link of its own'),
        request: { body: body(requests.newMeeting) },
        responses: { 201: json(schemas.meeting, 'The meeting; `link_pending` while the vendor is not reachable'), ...problems },
      }),
      async (c) => {
        const request = await requestOf(gateway, c.req.valid('json'), c.get('marketplace'), c.get('idempotencyKey'));
        const meeting = await createMeeting(gateway, request);
        return c.json(await shown(meeting), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/preview',
        ...about('Meetings', 'What the same request to `/meetings` would come to; makes nothing, asks no vendor'),
        request: { body: body(requests.newMeeting) },
        responses: { 200: json(schemas.preview, 'Made or refused, with which app, limit and alternatives'), ...problems },
      }),
      async (c) => {
        const request = await requestOf(gateway, c.req.valid('json'), c.get('marketplace'));
        return c.json(representPreview(gateway, await previewMeeting(gateway, request)), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings',
        ...about('Meetings', 'Meetings, newest first'),
        request: { query: requests.meetingsPage },
        responses: { 200: json(listOf(schemas.meeting), 'A page of meetings'), ...problems },
      }),
      async (c) => {
        const query = c.req.valid('query');
        const meetings = await listMeetings(gateway.db.read, {
          marketplaceId: c.get('marketplace').id,
          bookingId: query.booking_id,
          professionalId: query.professional_id,
          state: query.state,
          before: cursorOf(query.cursor),
          limit: query.limit + 1,
        });
        const attendees = await listAttendees(
          gateway.db.read,
          meetings.map(({ id }) => id),
        );
        return c.json(
          pageOf(meetings, query.limit, {
            show: (meeting) =>
              representMeeting(
                gateway,
                meeting,
                attendees.filter(({ meetingId }) => meetingId === meeting.id),
                inLists,
              ),
            cursor: ({ id }) => id,
          }),
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}',
        ...about('Meetings', 'One meeting'),
        request: { params: idParameter },
        responses: { 200: json(schemas.meeting, 'The meeting'), ...problems },
      }),
      async (c) => {
        const meeting = await findOwnMeeting(gateway.db.read, c.get('marketplace').id, c.req.valid('param').id);
        if (meeting === undefined) throw notFound();
        return c.json(await shown(meeting), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/meetings/{id}',
        ...about('Meetings', 'Change time, length or title: the links stay. Before the first purchase also the app or the link'),
        request: { params: idParameter, body: body(requests.meetingChange) },
        responses: { 200: json(schemas.meeting, 'The meeting'), ...problems },
      }),
      async (c) => {
        const change = c.req.valid('json');
        const meeting = await changeMeeting(gateway, {
          marketplace: c.get('marketplace'),
          meetingId: c.req.valid('param').id,
          change: {
            provider: change.provider,
            joinUrl: change.join_url,
            title: change.title,
            startsAt: change.starts_at === undefined ? undefined : new Date(change.starts_at),
            durationMinutes: change.duration_minutes,
            timeZone: change.time_zone,
          },
        });
        return c.json(await shown(meeting), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/purchases',
        ...about('Meetings', 'A customer has bought: locks the link, opens the way in'),
        request: { params: idParameter, body: body(requests.purchase) },
        responses: { 200: json(schemas.attendee, 'Reported before'), 201: json(schemas.attendee, 'The attendee'), ...problems },
      }),
      async (c) => {
        const { meeting, attendee, repeated } = await purchase(gateway, {
          marketplace: c.get('marketplace'),
          meetingId: c.req.valid('param').id,
          customerId: c.req.valid('json').customer_id,
        });
        return repeated
          ? c.json(representAttendee(gateway, meeting, attendee), 200)
          : c.json(representAttendee(gateway, meeting, attendee), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/cancel',
        ...about('Meetings', 'Cancel: the vendor meeting is deleted, the join links answer 410'),
        request: {
          params: idParameter,
          body: { required: false, content: { 'application/json': { schema: requests.cancellation } } },
        },
        responses: { 200: json(answers.cancelled, 'The meeting'), ...problems },
      }),
      async (c) => {
        const reason = (c.req.valid('json') as { reason?: string | null } | undefined)?.reason ?? null;
        const meeting = await cancelMeeting(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId: c.req.valid('param').id,
          reason,
        });
        return c.json({ ...(await shown(meeting)), block_used: (await usedBlocks(gateway.db.read, meeting.id)) > 0 }, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/end',
        ...about('Meetings', 'End the running meeting at the vendor'),
        request: { params: idParameter, body: { required: false, content: { 'application/json': { schema: requests.ending } } } },
        responses: { 200: json(schemas.meeting, 'The meeting'), ...problems },
      }),
      async (c) => {
        const { by = 'marketplace' } = (c.req.valid('json') as z.infer<typeof requests.ending> | undefined) ?? {};
        const { id: marketplaceId } = c.get('marketplace');
        return c.json(await shown(await endMeeting(gateway, { marketplaceId, meetingId: c.req.valid('param').id, by })), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/continuation',
        ...about('Meetings', "A new link for the rest of a booking that a plan's limit cuts off; nobody pays again"),
        request: { params: idParameter },
        responses: {
          200: json(schemas.meeting, 'The meeting that continues it already'),
          201: json(schemas.meeting, 'The meeting that continues it; `link_pending` while the vendor is not reachable'),
          ...problems,
        },
      }),
      async (c) => {
        const { meeting, repeated } = await continueMeeting(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId: c.req.valid('param').id,
          by: 'marketplace',
        });
        return repeated ? c.json(await shown(meeting), 200) : c.json(await shown(meeting), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/meetings/{id}/attendees/{customer_id}',
        ...about('Meetings', 'Wishes of a customer'),
        request: { params: attendeeParameter, body: body(requests.wishes) },
        responses: { 200: json(schemas.attendee, 'The attendee'), ...problems },
      }),
      async (c) => {
        const { id, customer_id: customerId } = c.req.valid('param');
        const { camera_off: cameraOff, locale } = c.req.valid('json');
        const { meeting, attendee } = await setWishes(
          gateway,
          { marketplaceId: c.get('marketplace').id, meetingId: id, customerId },
          { ...(cameraOff === undefined ? {} : { cameraOff }), ...(locale === undefined ? {} : { locale }) },
        );
        return c.json(representAttendee(gateway, meeting, attendee), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/meetings/{id}/attendees/{customer_id}/recording-consent',
        ...about('Meetings', "A customer's decision about the recording; every decision is kept"),
        request: { params: attendeeParameter, body: body(requests.consent) },
        responses: { 200: json(schemas.attendee, 'The attendee'), ...problems },
      }),
      async (c) => {
        const { id, customer_id: customerId } = c.req.valid('param');
        const { decision, locale, text_version: textVersion } = c.req.valid('json');
        const { meeting, attendee } = await recordConsent(
          gateway,
          { marketplaceId: c.get('marketplace').id, meetingId: id, customerId },
          { decision, locale, textVersion, channel: 'api' },
        );
        return c.json(representAttendee(gateway, meeting, attendee), 200);
      },
    );
};

/** @throws Failure `invalid` without a length */
const requestOf = async (
  { db }: Gateway,
  request: z.infer<typeof schemas.newMeeting>,
  marketplace: Marketplace,
  requestKey: string | null = null,
): Promise<MeetingRequest> => ({
  marketplace,
  booking: request.booking,
  professionalId: request.professional_id,
  attendees: request.attendees.map((attendee) => ({
    customerId: attendee.customer_id,
    name: attendee.name ?? null,
    locale: attendee.locale ?? null,
    cameraOff: attendee.camera_off,
  })),
  provider: request.provider ?? null,
  startsAt: new Date(request.starts_at),
  durationMinutes:
    request.duration_minutes ??
    (await usualMinutes(db.read, { marketplaceId: marketplace.id, professionalId: request.professional_id }, '/duration_minutes')),
  timeZone: request.time_zone,
  recording: request.recording,
  facts: request.facts,
  joinUrl: request.join_url ?? null,
  requestKey,
});
