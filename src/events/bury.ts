/** What waits for an endpoint that gets nothing any more becomes dead, with the reason. */
import { setImmediate as turn } from 'node:timers/promises';
import { deathBy } from '../domain/delivery.ts';
import type { Gateway } from '../gateway.ts';
import { buryDeliveries, pageOfDeliveries } from '../store/deliveries.ts';
import { loadEndpoints } from '../store/events.ts';

/** The job that does it for an endpoint that the gateway has disabled. */
export const BURY = 'endpoint.bury';
const PAGE = 500;

/**
 * In steps, so that nobody waits long for the write lock; ends when the endpoint is enabled again. What a crash leaves behind becomes dead
 * when it is due: whoever claims it finds the endpoint disabled.
 */
export async function buryWaiting({ db }: Pick<Gateway, 'db'>, endpointId: string): Promise<void> {
  for (let after = ''; ; await turn()) {
    const page = await pageOfDeliveries(db.read, { endpointId, after, limit: PAGE });
    const waiting = page.filter(({ state }) => state === 'pending').map(({ id }) => id);
    const ended = await db.write(async (tx) => {
      const endpoint = (await loadEndpoints(tx, [endpointId])).get(endpointId);
      if (endpoint !== undefined && endpoint.disabledAt === null) return true;
      if (waiting.length > 0)
        await buryDeliveries(tx, waiting, endpoint === undefined ? 'endpoint_removed' : deathBy(endpoint.disabledReason));
      return page.length < PAGE;
    });
    if (ended) return;
    after = page.at(-1)!.id;
  }
}
