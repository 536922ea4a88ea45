/**
 * A vendor that renews a token and then refuses it. Once is an accident on its side, and ends nothing: an hour of it would end every
 * connection. Still the same a while later, it will not get better by itself.
 */
import { Failure } from '../domain/failure.ts';
import { DAY, MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import type { Connection } from '../store/connections.ts';
import { findGrant } from '../store/grants.ts';
import { cancelJob, findJob, scheduleJob } from '../store/jobs.ts';
import { endGrant } from './health.ts';
import { reconnectRequired } from './tokens.ts';

/** Chosen: longer than an accident of a vendor's sign-in usually lasts, short against a booking. */
const PATIENCE_MS = 20 * MINUTE;
/** After this long without another refusal the first one is forgotten. */
const REMEMBERED_MS = DAY;

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
  await db.write((tx) => cancelJob(tx, jobOf(grantId)));
  return reconnectRequired('unknown', refusal);
}

/** When it began. The note of it is a job whose only work is to be gone when its time has come. */
function doubtedSince({ db, now }: Gateway, grantId: string): Promise<Date> {
  return db.write(async (tx) => {
    const noted = await findJob(tx, jobOf(grantId));
    const at = now();
    if (noted !== undefined && noted.dueAt > at) return plus(noted.dueAt, -REMEMBERED_MS);
    await scheduleJob(tx, { ...jobOf(grantId), dueAt: plus(at, REMEMBERED_MS) });
    return at;
  });
}

const jobOf = (grantId: string) => ({ kind: 'grant.doubt', subjectId: grantId });

/** Job `grant.doubt`: a day without another refusal, and the doubt is over. */
export const forgetDoubt = (): Promise<void> => Promise.resolve();
