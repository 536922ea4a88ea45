/** Run by `sqlite.test.ts` in a process that may not make files larger than 2 MB: overwrites one row until the log is full. */
import { isFailure } from '../../src/domain/failure.ts';
import { openDatabase } from '../../src/store/database.ts';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';

const file = process.argv[2]!;
const db = await openDatabase(file, { onError: () => {} });
const { pulses } = db.read.t;
const overwrite = (round: number): Promise<unknown> =>
  db.write(async (tx) => {
    await tx.delete(pulses);
    await tx.insert(pulses).values({ name: `${round} ${'x'.repeat(100_000)}`, at: new Date(round) });
  });
const lastRound = async (): Promise<number | undefined> => (await db.read.select({ at: pulses.at }).from(pulses))[0]?.at.getTime();

let round = 0;
let failed = '';
while (failed === '' && round < 100) {
  try {
    await overwrite(round + 1);
    round++;
  } catch (error) {
    failed = isFailure(error, 'storage_unavailable') ? error.code : String(error);
  }
}
const keptTheLastCommit = (await lastRound()) === round;
await db.checkpoint();
await overwrite(1_000);
const afterwards = (await lastRound()) === 1_000 ? 'stored' : 'lost';
await db.close();
const integrity: unknown = new Sqlite(file).pragma('integrity_check', { simple: true });
process.stdout.write(JSON.stringify({ failed, keptTheLastCommit, afterwards, integrity }));
