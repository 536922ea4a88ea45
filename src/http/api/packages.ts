import { createRoute, z } from '@hono/zod-openapi';
import type { Gateway } from '../../gateway.ts';
import { createPackage, readPackage, type PackageWithMeetings } from '../../meetings/package.ts';
import { purchasePackage } from '../../meetings/purchase.ts';
import type { MeetingRequest } from '../../meetings/request.ts';
import { listAttendees } from '../../store/meetings.ts';
import { representAttendee, representMeeting } from './represent.ts';
import { about, apiRouter, body, idParameter, json, problems } from './router.ts';
import * as schemas from './schemas.ts';

/** The upper bound of any policy is checked by the policy; this one only keeps the request readable. */
const MOST_EVER = 50;

const newPackage = z
  .strictObject({
    booking: schemas.newMeeting.shape.booking,
    professional_id: schemas.foreignId,
    attendees: schemas.newMeeting.shape.attendees,
    provider: schemas.newMeeting.shape.provider,
    time_zone: schemas.newMeeting.shape.time_zone,
    recording: schemas.newMeeting.shape.recording,
    meetings: z
      .array(
        z.strictObject({
          title: schemas.line(200).optional().describe("Default: the booking's title"),
          starts_at: schemas.moment,
          duration_minutes: schemas.newMeeting.shape.duration_minutes,
          join_url: schemas.newMeeting.shape.join_url,
        }),
      )
      .min(1)
      .max(MOST_EVER),
  })
  .openapi('NewPackage');

const packageSchema = z
  .object({ id: z.string(), booking_id: z.string(), meetings: z.array(schemas.meeting), created_at: schemas.moment })
  .openapi('Package');

export const packageRoutes = (gateway: Gateway) => {
  const shown = async ({ row, meetings }: PackageWithMeetings): Promise<z.infer<typeof packageSchema>> => {
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
        request: { body: body(newPackage) },
        responses: { 201: json(packageSchema, 'The package'), ...problems },
      }),
      async (c) => {
        const { meetings, ...common } = c.req.valid('json');
        const requests = meetings.map((meeting): MeetingRequest => ({
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
          durationMinutes: meeting.duration_minutes,
          timeZone: common.time_zone,
          recording: common.recording,
          joinUrl: meeting.join_url ?? null,
          requestKey: null,
        }));
        return c.json(await shown(await createPackage(gateway, c.get('marketplace'), requests)), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/packages/{id}',
        ...about('Packages', 'One package'),
        request: { params: idParameter },
        responses: { 200: json(packageSchema, 'The package'), ...problems },
      }),
      async (c) => c.json(await shown(await readPackage(gateway, c.get('marketplace').id, c.req.valid('param').id)), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/packages/{id}/purchases',
        ...about('Packages', 'A customer has bought the package: every meeting of it, or none'),
        request: { params: idParameter, body: body(z.strictObject({ customer_id: schemas.foreignId })) },
        responses: {
          200: json(z.object({ attendees: z.array(schemas.attendee) }), 'Reported before'),
          201: json(z.object({ attendees: z.array(schemas.attendee) }), 'The customer, once for each meeting'),
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
