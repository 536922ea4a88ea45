/** Run by `migrations.test.ts` as a process of its own. */
import { once } from 'node:events';
import { openDatabase } from '../../src/store/database.ts';
import '../../src/store/engine/postgres.ts';
import '../../src/store/engine/sqlite.ts';

process.send!('ready');
await once(process, 'message');
const db = await openDatabase(process.argv[2]!, { onError: () => {} });
await db.close();
process.disconnect();
