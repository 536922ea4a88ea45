/** Run by `sqlite.test.ts`, several at once on one file: reads a number and writes the next one, a hundred times. */
import { once } from 'node:events';
import { isFailure } from '../../src/domain/failure.ts';
import { openDatabase } from '../../src/store/database.ts';
import { codeOf } from '../../src/store/engine/trouble.ts';

const db = await openDatabase(process.argv[2]!, { onError: () => {} });
const { pulses } = db.read.t;
process.send!('ready');
await once(process, 'message');
const snapshots: string[] = [];
for (let done = 0; done < 100;) {
  try {
    await db.write(async (tx) => {
      const [row] = await tx.select().from(pulses);
      await tx.update(pulses).set({ at: new Date(row!.at.getTime() + 1) });
    });
    done++;
  } catch (error) {
    // The other one may hold the lock for too long; what it may not do is to change what was read.
    if (!isFailure(error, 'storage_unavailable')) throw error;
    if (codeOf(error.cause) === 'SQLITE_BUSY_SNAPSHOT') snapshots.push(codeOf(error.cause));
  }
}
process.send!(snapshots);
await db.close();
process.disconnect();
