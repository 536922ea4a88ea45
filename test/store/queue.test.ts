import { inArray } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { plus } from '../../src/domain/time.ts';
import { createPlaces } from '../../src/events/places.ts';
import { createQueue } from '../../src/events/queue.ts';
import type { Database } from '../../src/store/database.ts';
import { insertDeliveries, leaseDeliveries } from '../../src/store/deliveries.ts';
import { describeOnBothDatabases } from '../support/databases.ts';

const NOW = new Date('2026-11-27T12:00:00Z');
const now = () => NOW;

describeOnBothDatabases('the queue of deliveries', (open) => {
  const fill = (db: Database, endpointId: string, keys: readonly string[]): Promise<void> =>
    db.write((tx) =>
      insertDeliveries(
        tx,
        keys.map((key) => ({
          id: `dlv_${endpointId}_${key}`,
          marketplaceId: 'mkt_1',
          eventId: `evt_${endpointId}_${key}`,
          endpointId,
          state: 'pending',
          reason: null,
          dueAt: NOW,
          leasedUntil: null,
          attempts: 0,
          createdAt: NOW,
        })),
      ),
    );
  const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index).padStart(4, '0'));

  it('case 95: gives three hundred endpoints that are slow no more than half of the places', async () => {
    const db = await open();
    const places = createPlaces(() => {});
    const endpoints = numbers(300);
    for (const endpointId of endpoints) {
      places.take(endpointId)(false);
      await fill(db, endpointId, ['a', 'b']);
    }
    const { taken } = await createQueue({ db, now }).take(1_000, () => places.choose());
    expect(new Set(taken.map(({ endpointId }) => endpointId)).size).toBe(128);
    expect(taken).toHaveLength(128);
  });

  it('case 30: what another process has done does not hold up what is new, however much it was', async () => {
    const db = await open();
    const queue = createQueue({ db, now });
    const two = () => {
      let left = 2;
      return () => left-- > 0;
    };
    const old = numbers(900);
    await fill(db, 'whe_1', old);
    await queue.take(1_000, () => () => false);
    await db.write((tx) =>
      tx
        .update(tx.t.deliveries)
        .set({ state: 'delivered' })
        .where(
          inArray(
            tx.t.deliveries.id,
            old.map((key) => `dlv_whe_1_${key}`),
          ),
        ),
    );
    await fill(db, 'whe_1', ['new']);
    const got: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { taken } = await queue.take(1_000, two);
      const ids = taken.map(({ id }) => id);
      const leased = await db.write((tx) => leaseDeliveries(tx, { ids, now: NOW, until: plus(NOW, 1_000) }));
      got.push(...leased.map(({ id }) => id));
      const again = queue.settle(taken, new Set(leased.map(({ id }) => id)));
      expect(again).toBe(round === 0);
    }
    expect(got).toEqual(['dlv_whe_1_new']);
  });
});
