import type { Logger } from 'pino';
import type { Provider, ProviderId } from '../providers/provider.ts';
import type { Config } from './config.ts';
import type { Vault } from './connections/vault.ts';
import type { Clock, RandomBytes } from './domain/time.ts';
import type { Database } from './store/database.ts';

/** What is passed around: built in `server.ts`, rebuilt by each test. Functions destructure what they need. */
export interface Gateway {
  readonly config: Config;
  readonly db: Database;
  /** The configured ones. */
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly now: Clock;
  readonly random: RandomBytes;
  readonly vault: Vault;
  readonly log: Logger;
  /** Tells the worker that there may be work; cheap, call it after the commit. */
  readonly wake: () => void;
}
