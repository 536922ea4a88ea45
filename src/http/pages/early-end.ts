/** The forms about an early end (R05), the same on the customer's and the professional's page. */
import type { Context } from 'hono';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { EarlyEndSide } from '../../domain/early-end.ts';
import type { Gateway } from '../../gateway.ts';
import { answerEarlyEnd, askEarlyEnd } from '../../meetings/early-end.ts';
import type { Meeting } from '../../store/meetings.ts';

/** Form: `early_end` (ask, agreed, refused). What came too late changes nothing: the page shows how things stand. */
export async function takeEarlyEnd(
  c: Context,
  gateway: Gateway,
  { marketplaceId, id: meetingId }: Meeting,
  { side: by, customerId }: { side: EarlyEndSide; customerId: string | null },
): Promise<void> {
  const { early_end: word } = await c.req.parseBody();
  if (word !== 'ask' && word !== 'agreed' && word !== 'refused')
    throw new Failure('conflict', 'The form has changed. Open the page again.');
  try {
    if (word === 'ask') await askEarlyEnd(gateway, { marketplaceId, meetingId, by, customerId });
    else await answerEarlyEnd(gateway, { marketplaceId, meetingId, by, decision: word });
  } catch (error) {
    if (!isFailure(error, 'conflict')) throw error;
  }
}
