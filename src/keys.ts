/** The encryption keys: from the configuration, or in development a file that is made once. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigInvalid, type Config, type EncryptionKey } from './config.ts';
import type { RandomBytes } from './domain/time.ts';

const FILE = 'development.key';

/**
 * @throws ConfigInvalid where making a key would be wrong: with PostgreSQL, where several processes need the same one, and with a public
 * https address, where the data is no longer a developer's.
 */
export function loadKeys(config: Config, random: RandomBytes): readonly EncryptionKey[] {
  if (config.encryptionKeys !== undefined) return config.encryptionKeys;
  if (!config.databaseUrl.startsWith('file:') || config.publicUrl.startsWith('https:')) {
    throw new ConfigInvalid(['ENCRYPTION_KEYS is missing (only a local gateway on a SQLite file makes its own)']);
  }
  const folder = dirname(config.databaseUrl.replace(/^file:(\/\/(?=\/))?/, ''));
  const file = join(folder, FILE);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, random(32).toString('base64'), { mode: 0o600, flag: 'wx' });
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32) throw new ConfigInvalid([`${file} is damaged: restore it, or nothing sealed with it can be read`]);
  return [{ id: 'development', key }];
}
