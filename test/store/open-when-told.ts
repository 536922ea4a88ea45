/** Run by `migrations.test.ts` as a process of its own. */
import { openDatabase } from '../../src/store/database.ts';
import '../../src/store/engine/sqlite.ts';

process.once('message', async () => {
  const db = await openDatabase(process.argv[2]!, { onError: () => {} });
  await db.close();
  process.disconnect();
});
process.send!('ready');
