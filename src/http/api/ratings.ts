/** What customers think of meetings (R07). */
import { createRoute, z } from '@hono/zod-openapi';
import { found } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { rateMeeting } from '../../meetings/rating.ts';
import { findOwnMeeting } from '../../store/meetings.ts';
import { averageRatings, listRatings, type Averages, type Rating } from '../../store/ratings.ts';
import * as answers from './answers.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, pageOf, problems } from './router.ts';
import { foreignId } from './schemas.ts';

const attendeeParameter = idParameter.extend({ customer_id: foreignId });
const professionalParameter = z.object({ id: foreignId });

export const ratingRoutes = (gateway: Gateway) => {
  const { read } = gateway.db;

  return apiRouter()
    .openapi(
      createRoute({
        method: 'put',
        path: '/meetings/{id}/ratings/{customer_id}',
        ...about('Ratings', "A customer's rating, once, after the end"),
        description: 'Within `ratings.within_days` of the policy after the end; where these are 0, 403.',
        request: { params: attendeeParameter, body: body(requests.newRating) },
        responses: { 200: json(answers.rating, 'The same rating was given before'), 201: json(answers.rating, 'The rating'), ...problems },
      }),
      async (c) => {
        const { id: meetingId, customer_id: customerId } = c.req.valid('param');
        const { professional, connection, comment } = c.req.valid('json');
        const { rating, repeated } = await rateMeeting(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId,
          customerId,
          professional,
          connection,
          comment: comment ?? null,
        });
        return repeated ? c.json(represent(rating), 200) : c.json(represent(rating), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/ratings',
        ...about('Ratings', 'How a meeting was rated'),
        request: { params: idParameter, query: requests.page },
        responses: { 200: json(answers.ratings, 'A page of ratings, newest first, and the averages over all'), ...problems },
      }),
      async (c) => {
        const { limit, cursor } = c.req.valid('query');
        const { id: meetingId } = found(await findOwnMeeting(read, c.get('marketplace').id, c.req.valid('param').id));
        const rows = await listRatings(read, { meetingId }, { before: cursorOf(cursor), limit: limit + 1 });
        return c.json(shown(rows, limit, await averageRatings(read, { meetingId })), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/professionals/{id}/ratings',
        ...about('Ratings', 'How a professional was rated'),
        request: { params: professionalParameter, query: requests.page },
        responses: { 200: json(answers.ratings, 'A page of ratings, newest first, and the averages over all'), ...problems },
      }),
      async (c) => {
        const { limit, cursor } = c.req.valid('query');
        const rated = { marketplaceId: c.get('marketplace').id, professionalId: c.req.valid('param').id };
        const rows = await listRatings(read, rated, { before: cursorOf(cursor), limit: limit + 1 });
        return c.json(shown(rows, limit, await averageRatings(read, rated)), 200);
      },
    );
};

const shown = (rows: readonly Rating[], limit: number, { count, professional, connection }: Averages) => ({
  ...pageOf(rows, limit, { show: represent, cursor: ({ id }) => id }),
  averages: { count, professional: toTheHundredth(professional), connection: toTheHundredth(connection) },
});

const toTheHundredth = (value: number | null): number | null => (value === null ? null : Math.round(value * 100) / 100);

const represent = (rating: Rating): z.infer<typeof answers.rating> => ({
  id: rating.id,
  meeting_id: rating.meetingId,
  professional_id: rating.professionalId,
  customer_id: rating.customerId,
  professional: rating.professional,
  connection: rating.connection,
  comment: rating.comment,
  rated_at: rating.at.toISOString(),
});
