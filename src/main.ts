/** Environment -> config -> gateway -> listen. With `cli.ts` the only place that reads environment, clock and randomness. */
import { randomBytes } from 'node:crypto';
import { ConfigInvalid, readConfig } from './config.ts';
import { KeysUnusable } from './connections/keyring.ts';
import { pooled } from './domain/pooled.ts';
import { loadKeys } from './keys.ts';
import { serveGateway } from './server.ts';
import { DatabaseUnusable } from './store/database.ts';

/** A supervisor that gets no answer to SIGTERM kills after 30 s as a rule. */
const GRACE_MS = 25_000;

try {
  const config = readConfig(process.env);
  const random = pooled(randomBytes);
  const keys = loadKeys(config, randomBytes);
  const running = await serveGateway(config, { now: () => new Date(), random, keys });
  running.gateway.log.info(
    { url: running.url, public_url: config.publicUrl, providers: [...running.gateway.providers.keys()] },
    'listening',
  );
  // After a bug that nobody caught nobody knows what still works: the process ends, and its supervisor starts another one. Told by the log,
  // whose mask Node's own words would go past.
  process.on('uncaughtException', (error) => {
    running.gateway.log.fatal({ err: error }, 'ended by a bug');
    process.exit(1);
  });

  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    void running.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const expected = error instanceof ConfigInvalid || error instanceof DatabaseUnusable || error instanceof KeysUnusable;
  console.error(expected || (error instanceof Error && 'code' in error) ? error.message : error);
  process.exit(1);
}
