/**
 * A vendor that renews a token and then refuses it. Once is an accident on its side, and ends nothing: otherwise a bad hour of the vendor
 * would end every connection. Still the same a while later, with no success in between, it will not get better by itself.
 */
import { Failure } from '../domain/failure.ts';
import { DAY, HOUR, MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import type { Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { findGrant } from '../store/grants.ts';
import { cancelJob, findJob, scheduleJob } from '../store/jobs.ts';
import { endGrant } from './health.ts';
import { reconnectRequired } from './tokens.ts';

/** Chosen: longer than an accident of a vendor's sign-in usually lasts, short against a booking. */
const PATIENCE_MS = 20 * MINUTE;
/** Chosen: refusals that are further apart than this are two accidents. */
const REMEMBERED_MS = HOUR;
/** Chosen: how long the first refusal is noted at most. */
const LONGEST_MS = DAY;

/** Notes of the first refusal and of the last one: jobs whose only work is to be gone when their time has come. */
export const DOUBT = 'grant.doubt';
export const REFUSED = 'grant.refused';

/** A fresh token was refused. The failure for the caller: the vendor's trouble, until it has lasted too long to be that. */
export async function doubt(gateway: Gateway, { grantId }: Connection, refusal: Failure): Promise<Failure> {
  const { db, now } = gateway;
  const grant = await findGrant(db.read, grantId);
  const since = await doubtedSince(gateway, grantId);
  const patientUntil = plus(since, PATIENCE_MS);
  // The operator's own account has no professional who could connect it again.
  if (grant === undefined || grant.kind !== 'user' || now() < patientUntil) {
    return new Failure('vendor_unavailable', 'The vendor refuses a token that it has just given.', {
      cause: refusal,
      retryAfterMs: Math.max(patientUntil.getTime() - now().getTime(), MINUTE),
    });
  }
  await endGrant(gateway, grantId, { reason: 'unknown', tokenVersion: grant.tokenVersion });
  await db.write((tx) => endDoubt(tx, grantId));
  return reconnectRequired('unknown', refusal);
}

/** When it began. */
function doubtedSince({ db, now }: Gateway, grantId: string): Promise<Date> {
  return db.write(async (tx) => {
    const at = now();
    const [first, last] = [
      await findJob(tx, { kind: DOUBT, subjectId: grantId }),
      await findJob(tx, { kind: REFUSED, subjectId: grantId }),
    ];
    await scheduleJob(tx, { kind: REFUSED, subjectId: grantId, dueAt: plus(at, REMEMBERED_MS) });
    if (first !== undefined && first.dueAt > at && last !== undefined && last.dueAt > at) return plus(first.dueAt, -LONGEST_MS);
    await scheduleJob(tx, { kind: DOUBT, subjectId: grantId, dueAt: plus(at, LONGEST_MS) });
    return at;
  });
}

/** The vendor has taken a token of the grant. Costs a look where there is no doubt. */
export async function believe({ db, log }: Gateway, { grantId }: Connection): Promise<void> {
  try {
    if ((await findJob(db.read, { kind: REFUSED, subjectId: grantId })) !== undefined) await db.write((tx) => endDoubt(tx, grantId));
  } catch (error) {
    // What the vendor has done is done, whatever can be noted of it.
    log.warn({ err: error, grant: grantId }, 'a doubt that is over could not be forgotten');
  }
}

/** Also after a new authorization: what was refused before says nothing about its tokens. */
export async function endDoubt(tx: Writer, grantId: string): Promise<void> {
  for (const kind of [DOUBT, REFUSED]) await cancelJob(tx, { kind, subjectId: grantId });
}

/** Jobs `grant.doubt` and `grant.refused`: their time is over. */
export const forgetDoubt = (): Promise<void> => Promise.resolve();
