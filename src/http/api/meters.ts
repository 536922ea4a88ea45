import { createRoute, type z } from '@hono/zod-openapi';
import type { Gateway } from '../../gateway.ts';
import { setCredit, showMeter, type MeterView } from '../../meters/credit.ts';
import * as answers from './answers.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, idParameter, json, problems } from './router.ts';

export const meterRoutes = (gateway: Gateway) =>
  apiRouter()
    .openapi(
      createRoute({
        method: 'put',
        path: '/meetings/{id}/credit',
        ...about('Meetings', 'What is paid for of a metered meeting: all blocks, used ones included'),
        description: 'At any time. More credit before the vendor has ended the meeting lets it go on.',
        request: { params: idParameter, body: body(requests.credit) },
        responses: { 200: json(answers.meter, 'The meter'), ...problems },
      }),
      async (c) => {
        const { blocks, balance_text: balanceText } = c.req.valid('json');
        const which = { marketplaceId: c.get('marketplace').id, meetingId: c.req.valid('param').id };
        return c.json(representMeter(await setCredit(gateway, which, { blocks, balanceText }), gateway.now()), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/meter',
        ...about('Meetings', 'The blocks that a metered meeting has used'),
        request: { params: idParameter },
        responses: { 200: json(answers.meter, 'The meter'), ...problems },
      }),
      async (c) =>
        c.json(
          representMeter(
            await showMeter(gateway, { marketplaceId: c.get('marketplace').id, meetingId: c.req.valid('param').id }),
            gateway.now(),
          ),
          200,
        ),
    );

const representMeter = ({ meeting, policy, meter, blocks, ending }: MeterView, now: Date): z.infer<typeof answers.meter> => ({
  meeting_id: meeting.id,
  booking_id: meeting.bookingId,
  enabled: policy.meter.enabled,
  block_minutes: policy.meter.block_minutes,
  credit_blocks: meter.creditBlocks,
  used_blocks: meter.usedBlocks,
  // The clock looks again when somebody comes back.
  block_ends_at: meter.blockEndsAt !== null && meter.blockEndsAt > now ? meter.blockEndsAt.toISOString() : null,
  exhausted_at: meter.exhaustedAt?.toISOString() ?? null,
  ending,
  balance_text: meter.balanceText,
  blocks: blocks.map(({ instanceId, number, startsAt, voidedAt }) => ({
    session_id: instanceId,
    number,
    starts_at: startsAt.toISOString(),
    voided_at: voidedAt?.toISOString() ?? null,
  })),
});
