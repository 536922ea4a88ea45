/** Guest links, and who else came by a personal one (F10). */
import { createRoute, type z } from '@hono/zod-openapi';
import { openerOfLists, type Opener } from '../../connections/opener.ts';
import { guestContext } from '../../connections/sealed.ts';
import { found } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { guestsOf, inviteGuest, revokeGuest, type Inviter } from '../../meetings/guests.ts';
import type { Guest } from '../../store/guests.ts';
import { countPlaces } from '../../store/join-places.ts';
import { findOwnMeeting, listAttendees } from '../../store/meetings.ts';
import * as answers from './answers.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, idParameter, json, problems } from './router.ts';

export const guestRoutes = (gateway: Gateway) => {
  const { config, vault } = gateway;
  const inLists = openerOfLists(gateway);

  const represent = (guest: Guest, opener: Opener = vault): z.infer<typeof answers.guest> => {
    const token = guest.revokedAt === null ? opener.open(guest.tokenSealed, guestContext(guest.id)) : null;
    return {
      id: guest.id,
      meeting_id: guest.meetingId,
      name: guest.name,
      url: token === null ? null : `${config.publicUrl}/g/${token}`,
      invited_by: guest.invitedBy as Inviter['side'],
      customer_id: guest.customerId,
      uses: guest.uses,
      last_used_at: guest.lastUsedAt?.toISOString() ?? null,
      revoked_at: guest.revokedAt?.toISOString() ?? null,
      created_at: guest.createdAt.toISOString(),
    };
  };

  return apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/guests',
        ...about('Meetings', 'A join link for somebody who is no customer'),
        description: 'Where the policy has `links.shareable`, up to `links.max_guests` that are not revoked; elsewhere 403.',
        request: { params: idParameter, body: body(requests.newGuest) },
        responses: { 201: json(answers.guest, 'The guest link'), ...problems },
      }),
      async (c) => {
        const { name, invited_by: side, customer_id: customerId } = c.req.valid('json');
        const guest = await inviteGuest(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId: c.req.valid('param').id,
          name: name ?? null,
          by: side === 'customer' ? { side, customerId: customerId! } : { side },
        });
        return c.json(represent(guest), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/guests',
        ...about('Meetings', 'Who was invited, and which personal links were opened in several browsers'),
        request: { params: idParameter },
        responses: {
          200: json(answers.meetingGuests, 'All of them in one page, oldest first; of a continued booking those of all its meetings'),
          ...problems,
        },
      }),
      async (c) => {
        const { read } = gateway.db;
        const meeting = found(await findOwnMeeting(read, c.get('marketplace').id, c.req.valid('param').id));
        const guests = await guestsOf(read, meeting);
        const attendees = new Map((await listAttendees(read, [meeting.id])).map(({ id, customerId }) => [id, customerId]));
        const opened = await countPlaces(read, [...attendees.keys()]);
        return c.json(
          {
            data: guests.map((guest) => represent(guest, inLists)),
            next_cursor: null,
            shared_links: opened
              .filter(({ places }) => places > 1)
              .map(({ attendeeId, places }) => ({ customer_id: attendees.get(attendeeId)!, places })),
          },
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/guests/{id}/revoke',
        ...about('Meetings', 'The guest link opens nothing from now on'),
        description: "Who came in by it stays in the vendor's meeting.",
        request: { params: idParameter },
        responses: { 200: json(answers.guest, 'The guest link'), ...problems },
      }),
      async (c) =>
        c.json(
          represent(
            await revokeGuest(gateway, {
              marketplaceId: c.get('marketplace').id,
              id: c.req.valid('param').id,
              by: { side: 'marketplace' },
              meeting: null,
            }),
          ),
          200,
        ),
    );
};
