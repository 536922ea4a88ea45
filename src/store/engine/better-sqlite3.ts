/**
 * better-sqlite3 in the version that runs here: 12 ends the process on Node 24 when a statement is collected as garbage, 13 does so on Node 20
 * at once (docs/decisions/0025-two-versions-of-better-sqlite3.md).
 */
import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

const NEWER_FROM = 24;

const major = Number(process.versions.node.split('.')[0]);
const load = createRequire(import.meta.url);

export type Sqlite = BetterSqlite3.Database;
export const Sqlite = load(major >= NEWER_FROM ? 'better-sqlite3-napi' : 'better-sqlite3') as typeof BetterSqlite3;
