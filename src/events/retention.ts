/** What is kept of events and their deliveries, and for how long. */
import { setImmediate as turn } from 'node:timers/promises';
import { DAY, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { clearAlarm, findAlarm } from '../store/alarms.ts';
import { deleteOldAttempts, deleteOldDeliveries } from '../store/deliveries.ts';
import { deleteOldEvents } from '../store/events.ts';
import { listMarketplaces } from '../store/marketplaces.ts';
import { SECRET_ALARM, UNREADABLE_ALARM } from './settle.ts';

/** Chosen: twice the longest schedule. Answers of receivers are for finding out why, and may say anything. */
const ATTEMPTS_KEPT_MS = 30 * DAY;
/** As Svix. Longer than any repeat of a vendor: an event that is not known any more would be told a second time. */
const EVENTS_KEPT_MS = 90 * DAY;
/** Rows of one transaction: some milliseconds of the write lock. */
const STEP = 200;
/** An alarm about what has not happened again for so long is over. */
const ALARM_KEPT_MS = DAY;

/** Removes what is past its time, oldest first. Links in events go earlier, with their recordings. */
export async function sweepEvents({ db, now }: Gateway): Promise<void> {
  const at = now();
  const [attempts, events] = [plus(at, -ATTEMPTS_KEPT_MS), plus(at, -EVENTS_KEPT_MS)];
  await inSteps(() => db.write((tx) => deleteOldAttempts(tx, attempts, STEP)));
  await inSteps(() => db.write((tx) => deleteOldDeliveries(tx, events, STEP)));
  for (const { id: marketplaceId } of await listMarketplaces(db.read))
    await inSteps(() => db.write((tx) => deleteOldEvents(tx, { marketplaceId, before: events, limit: STEP })));
  await db.write(async (tx) => {
    for (const name of [UNREADABLE_ALARM, SECRET_ALARM]) {
      const alarm = await findAlarm(tx, name);
      if (alarm !== undefined && plus(alarm.seenAt, ALARM_KEPT_MS) <= at) await clearAlarm(tx, name);
    }
  });
}

async function inSteps(remove: () => Promise<number>): Promise<void> {
  while ((await remove()) === STEP) await turn();
}
