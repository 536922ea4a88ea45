/** The one gate every statement of drizzle passes. */
import { storageFailure } from './trouble.ts';

interface Session {
  prepareQuery(...query: never[]): object;
}

/** The methods by which drizzle runs a prepared query; SQLite's are synchronous, PostgreSQL's are not. */
const RUNNERS = ['execute', 'all', 'get', 'run', 'values'] as const;

/**
 * Makes `session` call `check` before each statement, and name the storage's failures after it. A statement that was built in a
 * transaction but awaited after it would otherwise run alone, or inside somebody else's transaction.
 */
export function gate<S extends Session>(session: S, check: () => void = () => {}): S {
  const prepareQuery = session.prepareQuery.bind(session) as (...query: unknown[]) => object;
  return Object.assign(session, {
    prepareQuery: (...query: unknown[]) => {
      check();
      const prepared = named(() => prepareQuery(...query)) as Record<string, unknown>;
      for (const runner of RUNNERS) {
        const run = prepared[runner];
        if (typeof run === 'function') {
          prepared[runner] = (values?: unknown) => {
            check();
            return named(() => run.call(prepared, values) as unknown);
          };
        }
      }
      return prepared;
    },
  });
}

/** Opens when a transaction does, and closes for good. */
export function lifetime(): { check: () => void; end: () => void } {
  let over = false;
  return {
    check: () => {
      if (over) throw new Error('a statement came after its transaction was over');
    },
    end: () => {
      over = true;
    },
  };
}

function named(run: () => unknown): unknown {
  try {
    const result = run();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw storageFailure(error);
    });
  } catch (error) {
    throw storageFailure(error);
  }
}
