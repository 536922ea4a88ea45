/**
 * Old keys of the ring are needed for as long as a subscription at a vendor is proven by them. The command that changes keys only plans
 * what the running gateways then do: each such subscription is replaced, and after the last one the old keys are forgotten.
 */
import { HOUR, MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { listSubscriptions } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { deleteKnownKey, listKnownKeys } from '../store/encryption-keys.ts';
import { countJobs, findJob, scheduleJob } from '../store/jobs.ts';
import { countSealed } from './sealed-count.ts';

/** Its subject is the connection. Where it is planned, the next renewal replaces the subscription. */
export const REPLACE_SUBSCRIPTION = 'subscription.replace';
/** How often it is looked at whether a subscription that nobody can replace has ended by itself. */
export const REPLACEMENT_LOOK_MS = HOUR;
/** Its subject is the key that took over. */
export const RETIRE_KEYS = 'keys.retire';

/** Jobs planned in one transaction. */
const PLANNED_AT_ONCE = 100;
const LOOK_AGAIN_MS = MINUTE;

/**
 * Plans the replacements, once for each change of keys, and says how many are left to be done. `write`: a transaction that has patience
 * with a busy database.
 */
export async function planReplacements(
  { db, now, providers, vault }: Pick<Gateway, 'db' | 'now' | 'providers' | 'vault'>,
  write: (work: (tx: Writer) => Promise<void>) => Promise<void>,
): Promise<number> {
  const [newest] = vault.keyIds;
  const retire = { kind: RETIRE_KEYS, subjectId: newest };
  if ((await findJob(db.read, retire)) === undefined && (await listKnownKeys(db.read)).some(({ id }) => id !== newest)) {
    const bound = [...providers.values()].filter(({ subscriptions }) => subscriptions?.boundToKeys === true).map(({ id }) => id);
    const ids = (await listSubscriptions(db.read, bound)).map(({ connectionId }) => connectionId);
    for (let from = 0; from < ids.length; from += PLANNED_AT_ONCE) {
      await write(async (tx) => {
        for (const subjectId of ids.slice(from, from + PLANNED_AT_ONCE)) {
          await scheduleJob(tx, { kind: REPLACE_SUBSCRIPTION, subjectId, dueAt: plus(now(), REPLACEMENT_LOOK_MS) });
          const renewal = { kind: 'subscription.renew', subjectId };
          // Two at once would make two subscriptions: one under way ends first, and its successor replaces.
          if (!(await findJob(tx, renewal))?.leasedUntil) await scheduleJob(tx, { ...renewal, dueAt: now() });
        }
      });
    }
    // Last, so that a run that dies before has planned nothing by the next one's judgement.
    if (ids.length > 0) await write((tx) => scheduleJob(tx, { ...retire, dueAt: now() }));
  }
  return countJobs(db.read, REPLACE_SUBSCRIPTION);
}

/** Job `keys.retire`: forgets the older keys as soon as nothing is sealed with them and no subscription is left to be replaced. */
export async function retireKeys(gateway: Gateway, newest: string): Promise<void> {
  const { db, now, vault } = gateway;
  // Another key has taken over since, with a job of its own.
  if (vault.keyIds[0] !== newest) return;
  if ((await countJobs(db.read, REPLACE_SUBSCRIPTION)) > 0) {
    await db.write((tx) => scheduleJob(tx, { kind: RETIRE_KEYS, subjectId: newest, dueAt: plus(now(), LOOK_AGAIN_MS) }));
    return;
  }
  const sealed = await countSealed(gateway);
  const unused = (await listKnownKeys(db.read)).filter(({ id }) => id !== newest && !sealed.has(id));
  await db.write(async (tx) => {
    for (const { id } of unused) await deleteKnownKey(tx, id);
  });
}
