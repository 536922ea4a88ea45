/** What waits for an endpoint that gets nothing any more becomes dead, with the reason. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Death } from '../domain/delivery.ts';
import type { Gateway } from '../gateway.ts';
import { buryDeliveries, pageOfDeliveries } from '../store/deliveries.ts';

const PAGE = 500;

/**
 * In steps, so that nobody waits long for the write lock. What a crash leaves behind becomes dead when it is due: whoever claims it finds
 * the endpoint disabled.
 */
export async function buryWaiting({ db }: Pick<Gateway, 'db'>, endpointId: string, reason: Death): Promise<void> {
  for (let after = ''; ; await turn()) {
    const page = await pageOfDeliveries(db.read, { endpointId, after, limit: PAGE });
    const waiting = page.filter(({ state }) => state === 'pending').map(({ id }) => id);
    if (waiting.length > 0) await db.write((tx) => buryDeliveries(tx, waiting, reason));
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}
