import { createRoute, type z } from '@hono/zod-openapi';
import type { Gateway } from '../../gateway.ts';
import { createPackage, readPackage, type PackageWithMeetings } from '../../meetings/package.ts';
import { purchasePackage } from '../../meetings/purchase.ts';
import type { MeetingRequest } from '../../meetings/request.ts';
import { usualMinutes } from '../../professionals/profile.ts';
import { listAttendees } from '../../store/meetings.ts';
import * as answers from './answers.ts';
import { representAttendee, representMeeting } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, idParameter, json, problems } from './router.ts';

export const packageRoutes = (gateway: Gateway) => {
  const shown = async ({ row, meetings }: PackageWithMeetings): Promise<z.infer<typeof answers.packageOfMeetings>> => {
    const attendees = await listAttendees(
      gateway.db.read,
      meetings.map(({ id }) => id),
    );
    return {
      id: row.id,
      booking_id: row.bookingId,
      meetings: meetings.map((meeting) =>
        representMeeting(
          gateway,
          meeting,
          attendees.filter(({ meetingId }) => meetingId === meeting.id),
        ),
      ),
      created_at: row.createdAt.toISOString(),
    };
  };

  return apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/packages',
        ...about('Packages', 'Meetings that are sold together: all links are made, or none'),
        request: { body: body(requests.newPackage) },
        responses: { 201: json(answers.packageOfMeetings, 'The package'), ...problems },
      }),
      async (c) => {
        const { meetings, ...common } = c.req.valid('json');
        const professional = { marketplaceId: c.get('marketplace').id, professionalId: common.professional_id };
        const lengths = await Promise.all(
          meetings.map(
            async ({ duration_minutes: asked }, index) =>
              asked ?? (await usualMinutes(gateway.db.read, professional, `/meetings/${index}/duration_minutes`)),
          ),
        );
        const wanted = meetings.map((meeting, index): MeetingRequest => ({
          marketplace: c.get('marketplace'),
          booking: { ...common.booking, title: meeting.title ?? common.booking.title },
          professionalId: common.professional_id,
          attendees: common.attendees.map((attendee) => ({
            customerId: attendee.customer_id,
            name: attendee.name ?? null,
            locale: attendee.locale ?? null,
            cameraOff: attendee.camera_off,
          })),
          provider: common.provider ?? null,
          startsAt: new Date(meeting.starts_at),
          durationMinutes: lengths[index]!,
          timeZone: common.time_zone,
          recording: common.recording,
          facts: common.facts,
          joinUrl: meeting.join_url ?? null,
          requestKey: null,
        }));
        return c.json(await shown(await createPackage(gateway, c.get('marketplace'), wanted)), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/packages/{id}',
        ...about('Packages', 'One package'),
        request: { params: idParameter },
        responses: { 200: json(answers.packageOfMeetings, 'The package'), ...problems },
      }),
      async (c) => c.json(await shown(await readPackage(gateway, c.get('marketplace').id, c.req.valid('param').id)), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/packages/{id}/purchases',
        ...about('Packages', 'A customer has bought the package: every meeting of it, or none'),
        request: { params: idParameter, body: body(requests.purchase) },
        responses: {
          200: json(answers.packagePurchase, 'Reported before'),
          201: json(answers.packagePurchase, 'The customer, once for each meeting'),
          ...problems,
        },
      }),
      async (c) => {
        const purchases = await purchasePackage(gateway, {
          marketplace: c.get('marketplace'),
          packageId: c.req.valid('param').id,
          customerId: c.req.valid('json').customer_id,
        });
        const attendees = purchases.map(({ meeting, attendee }) => representAttendee(gateway, meeting, attendee));
        return purchases.every(({ repeated }) => repeated) ? c.json({ attendees }, 200) : c.json({ attendees }, 201);
      },
    );
};
