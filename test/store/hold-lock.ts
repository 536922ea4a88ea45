/** A process that holds the lock of a SQLite file until its standard input ends. */
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';

const db = new Sqlite(process.argv[2]);
db.exec('begin immediate');
process.stdout.write('locked\n');
process.stdin.resume().on('end', () => {
  db.exec('rollback');
  db.close();
});
