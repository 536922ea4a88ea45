/** What the errors of both drivers mean to us. */
import { DrizzleQueryError } from 'drizzle-orm/errors';
import { Failure } from '../../domain/failure.ts';
import { SECOND } from '../../domain/time.ts';

/** The database cannot be used as it is. The message is one line that tells the operator what to do. */
export class DatabaseUnusable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseUnusable';
  }
}

/** Chosen: a lock is held for milliseconds, a failover takes seconds. */
const RETRY_AFTER_MS = 2 * SECOND;

/** SQLite's result codes that say "not now" or "not on this disk"; the extended ones start with the same words. */
const SQLITE_TROUBLE = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PROTOCOL)/;

/**
 * PostgreSQL's: connection exceptions (08), resources (53), intervention and timeouts (57), system errors (58), internal errors (XX),
 * a server that became read-only (25006), a session ended while idle (25P03), locks (55P03), serialization (40001) and deadlocks (40P01);
 * a server that lets us in no more: authorization (28), no such database (3D000), one that takes no connections (55000).
 */
const POSTGRES_TROUBLE = /^(08...|28...|53...|57...|58...|XX...|25006|25P03|3D000|55000|55P03|40001|40P01)$/;

const NETWORK_TROUBLE = /^(ECONN[A-Z]+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/;

/** The drivers give these no code. The last two are requests that came while the program was closing. */
const CONNECTION_LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|The database connection is not open)/;

/**
 * The storage's failure as `storage_unavailable`; anything else as it came, without drizzle's wrapper, whose message holds the values
 * of the row and must not reach a log.
 */
export function storageFailure(thrown: unknown): unknown {
  const error = thrown instanceof DrizzleQueryError && thrown.cause !== undefined ? thrown.cause : thrown;
  return isTrouble(error)
    ? new Failure('storage_unavailable', 'The storage did not take the request.', { cause: error, retryAfterMs: RETRY_AFTER_MS })
    : error;
}

/** The server rolled the transaction back because of another one: running it again is safe. */
export const lostTheRace = (thrown: unknown): boolean => /^(40001|40P01)$/.test(codeOf(thrown instanceof Failure ? thrown.cause : thrown));

export const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';

function isTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Failure) return false;
  const code = codeOf(error);
  if (code === '') return CONNECTION_LOST.test(error.message);
  return SQLITE_TROUBLE.test(code) || NETWORK_TROUBLE.test(code) || POSTGRES_TROUBLE.test(code);
}
