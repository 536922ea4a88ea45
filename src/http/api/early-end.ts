/** An early end, asked for by one side and answered by the other (R05). */
import { createRoute, type z } from '@hono/zod-openapi';
import type { EarlyEndSide, EarlyEndState } from '../../domain/early-end.ts';
import { found } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { answerEarlyEnd, askEarlyEnd, type Asked } from '../../meetings/early-end.ts';
import { isEndable } from '../../meetings/link.ts';
import { listEarlyEnds } from '../../store/early-ends.ts';
import { findOwnMeeting } from '../../store/meetings.ts';
import * as answers from './answers.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, idParameter, json, listOf, problems } from './router.ts';

export const earlyEndRoutes = (gateway: Gateway) =>
  apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/early-end',
        ...about('Meetings', 'One side asks to end the running meeting before its time'),
        description:
          'The other side has `early_end.answer_within_seconds` of the policy to answer; then the request lapses. Only in meetings of two. 403 where the policy has 0 seconds.',
        request: { params: idParameter, body: body(requests.earlyEnd) },
        responses: {
          200: json(answers.earlyEnd, 'The request of the same side that waits already'),
          201: json(answers.earlyEnd, 'The request'),
          ...problems,
        },
      }),
      async (c) => {
        const { asked_by: by, customer_id: customerId } = c.req.valid('json');
        const { repeated, ...asked } = await askEarlyEnd(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId: c.req.valid('param').id,
          by,
          customerId: customerId ?? null,
        });
        return repeated ? c.json(represent(gateway, asked), 200) : c.json(represent(gateway, asked), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/early-end/answer',
        ...about('Meetings', 'The other side agrees or refuses'),
        description:
          "Agreed ends the vendor's meeting. Where the app cannot be ended from outside (`ends` is false), the pages ask both to leave it.",
        request: { params: idParameter, body: body(requests.earlyEndAnswer) },
        responses: { 200: json(answers.earlyEnd, 'The request as it was answered'), ...problems },
      }),
      async (c) => {
        const answered = await answerEarlyEnd(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId: c.req.valid('param').id,
          ...c.req.valid('json'),
        });
        return c.json(represent(gateway, answered), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/early-end',
        ...about('Meetings', 'Every request for an early end, newest first'),
        request: { params: idParameter },
        responses: { 200: json(listOf(answers.earlyEnd), 'All of them in one page'), ...problems },
      }),
      async (c) => {
        const { read } = gateway.db;
        const meeting = found(await findOwnMeeting(read, c.get('marketplace').id, c.req.valid('param').id));
        const data = (await listEarlyEnds(read, meeting.id)).map((earlyEnd) => represent(gateway, { meeting, earlyEnd }));
        return c.json({ data, next_cursor: null }, 200);
      },
    );

const represent = (gateway: Gateway, { meeting, earlyEnd }: Asked): z.infer<typeof answers.earlyEnd> => ({
  id: earlyEnd.id,
  meeting_id: earlyEnd.meetingId,
  asked_by: earlyEnd.askedBy as EarlyEndSide,
  customer_id: earlyEnd.customerId,
  state: earlyEnd.state as EarlyEndState,
  ends: isEndable(gateway, meeting),
  asked_at: earlyEnd.at.toISOString(),
  answer_by: earlyEnd.answerBy.toISOString(),
  answered_at: earlyEnd.answeredAt?.toISOString() ?? null,
});
