/** Which of our migrations a database still needs. Both engines apply them in one transaction, under a lock. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { DatabaseUnusable } from './trouble.ts';

/** The journal inside the database, with the name and the columns drizzle-kit knows. */
export const CREATE_JOURNAL = {
  sqlite: 'create table if not exists __drizzle_migrations (id integer primary key, hash text not null, created_at numeric)',
  postgres: 'create table if not exists __drizzle_migrations (id serial primary key, hash text not null, created_at bigint)',
};
export const READ_JOURNAL = 'select hash from __drizzle_migrations order by created_at';

export interface Migration {
  /** SHA-256 of the file. */
  readonly hash: string;
  /** When it was generated; orders the journal. */
  readonly folderMillis: number;
  readonly sql: readonly string[];
}

export const migrationsOf = (dialect: 'sqlite' | 'postgres'): readonly Migration[] =>
  readMigrationFiles({ migrationsFolder: folderOf(dialect) });

/**
 * The migrations that are left to apply.
 * @throws DatabaseUnusable when the database was written by a program that knows more, or other, migrations.
 */
export function pendingMigrations(all: readonly Migration[], applied: readonly string[], name: string): readonly Migration[] {
  if (applied.some((hash, index) => all[index]?.hash !== hash)) {
    throw new DatabaseUnusable(
      `${name} has a newer schema than this program knows (${applied.length} migrations, ${all.length} known): start the newer program`,
    );
  }
  return all.slice(applied.length);
}

/** Next to the sources, next to the built files, or one step up from the bundle: wherever this code runs from. */
function folderOf(dialect: string): string {
  const candidates = ['../../../', '../'].map((up) => fileURLToPath(new URL(`${up}drizzle/${dialect}`, import.meta.url)));
  return candidates.find((folder) => existsSync(folder)) ?? candidates[0]!;
}
