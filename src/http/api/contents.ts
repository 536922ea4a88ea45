import { createRoute } from '@hono/zod-openapi';
import { openerOfLists } from '../../connections/opener.ts';
import { giveAccess, revokeAccess, urlOf } from '../../contents/access.ts';
import { takeContentBack } from '../../contents/end.ts';
import { publishContent } from '../../contents/publish.ts';
import type { Gateway } from '../../gateway.ts';
import { listContentLinks, listOwnContents, type Content } from '../../store/contents.ts';
import * as answers from './answers.ts';
import { representContent } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';

export const contentRoutes = (gateway: Gateway) => {
  const { db, vault } = gateway;
  const inLists = openerOfLists(gateway);
  const linksOf = (marketplaceId: string, contents: readonly Content[]) =>
    listContentLinks(
      db.read,
      marketplaceId,
      contents.map(({ bookingId }) => bookingId),
    );

  return apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/contents',
        ...about('Contents', 'Put a link to a file, a video or anything else up for sale'),
        description:
          'What a booking sells: up to `contents.max_links` of the policy. It is opened after the purchase only, by personal links of the gateway; where it leads is told to nobody before. The gateway stores nothing of what lies there. The same link once more is answered with 200 and the content that is there. Who bought before gets it, too.',
        request: { body: body(requests.newContent) },
        responses: {
          200: json(answers.content, 'It was for sale before'),
          201: json(answers.content, 'The content'),
          ...problems,
        },
      }),
      async (c) => {
        const marketplaceId = c.get('marketplace').id;
        const { booking, professional_id: professionalId, url, title, passcode } = c.req.valid('json');
        const { content, isNew } = await publishContent(gateway, {
          marketplaceId,
          bookingId: booking.id,
          professionalId,
          upload: { url, title, passcode: passcode ?? null },
          by: c.get('keyId'),
        });
        return c.json(representContent(gateway, content, await linksOf(marketplaceId, [content]), vault), isNew ? 201 : 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/contents/access',
        ...about('Contents', 'A customer has bought what the booking sells'),
        description:
          'The answer has the personal link of this customer, to all contents of the booking, for `contents.access_days` of the policy. Reported once more, it is the same link with the time that is left. 410 once that is over, or everything was taken back.',
        request: { body: body(requests.contentPurchase) },
        responses: {
          200: json(answers.contentAccess, 'Reported before'),
          201: json(answers.contentAccess, 'The access'),
          ...problems,
        },
      }),
      async (c) => {
        const { booking_id: bookingId, customer_id: customerId } = c.req.valid('json');
        const { link, contents, isNew } = await giveAccess(gateway, { marketplaceId: c.get('marketplace').id, bookingId, customerId });
        const shown = {
          booking_id: bookingId,
          customer_id: customerId,
          url: urlOf(gateway, link)!,
          expires_at: link.expiresAt.toISOString(),
          contents: contents.map(({ id, title }) => ({ id, title })),
        };
        return c.json(shown, isNew ? 201 : 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/contents/access/revoke',
        ...about('Contents', 'Take the access of one customer back, as after a refund'),
        description: "The customer's link is answered with 410 from now on. Other buyers keep theirs. It is not given again.",
        request: { body: body(requests.contentPurchase) },
        responses: { 204: { description: 'Taken back' }, ...problems },
      }),
      async (c) => {
        const { booking_id: bookingId, customer_id: customerId } = c.req.valid('json');
        await revokeAccess(gateway, { marketplaceId: c.get('marketplace').id, bookingId, customerId, by: c.get('keyId') });
        return c.body(null, 204);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/contents',
        ...about('Contents', 'What bookings sell, newest first'),
        request: { query: requests.contentsPage },
        responses: { 200: json(listOf(answers.content), 'A page of contents'), ...problems },
      }),
      async (c) => {
        const { limit, cursor, booking_id: bookingId } = c.req.valid('query');
        const marketplaceId = c.get('marketplace').id;
        const rows = await listOwnContents(db.read, { marketplaceId, bookingId, before: cursorOf(cursor), limit: limit + 1 });
        const links = await linksOf(marketplaceId, rows);
        const show = (content: Content) => representContent(gateway, content, links, inLists);
        return c.json(pageOf(rows, limit, { show, cursor: ({ id }) => id }), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'delete',
        path: '/contents/{id}',
        ...about('Contents', 'Take a content back: nobody can open it any more, and where it lies is erased'),
        description: 'The links of the buyers stay for what else the booking sells, and for what is published in its place.',
        request: { params: idParameter },
        responses: { 204: { description: 'Taken back' }, ...problems },
      }),
      async (c) => {
        await takeContentBack(gateway, { marketplaceId: c.get('marketplace').id, id: c.req.valid('param').id, by: c.get('keyId') });
        return c.body(null, 204);
      },
    );
};
