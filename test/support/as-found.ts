/**
 * The test files of a worker share one process, so that the program is loaded and compiled once and not a hundred times. Each has to leave
 * it as it found it: this runs around every file, puts back what it has changed, and fails it.
 */
import { afterAll } from 'vitest';

/** Hono's server puts its own in their place, which msw does not know. No file can help that. */
const REPLACED_BY_HONO = ['Request', 'Response'];
const GLOBALS = ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', ...REPLACED_BY_HONO] as const;

const globals = globalThis as unknown as Record<string, unknown>;
const before = new Map(GLOBALS.map((name) => [name, globals[name]]));
const environment = { ...process.env };

afterAll(() => {
  const changed: string[] = [];
  for (const [name, value] of before) {
    if (globals[name] === value) continue;
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    if (!REPLACED_BY_HONO.includes(name)) changed.push(name);
  }
  for (const name of Object.keys({ ...environment, ...process.env })) {
    if (process.env[name] === environment[name]) continue;
    if (environment[name] === undefined) delete process.env[name];
    else process.env[name] = environment[name];
    changed.push(name);
  }
  // Names alone: the environment may hold secrets.
  if (changed.length > 0) throw new Error(`The file has changed, and not put back: ${changed.join(', ')}`);
});
