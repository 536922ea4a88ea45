/** Read by drizzle-kit only, which loads it as CommonJS and takes the tables it finds among the exports. */
import { sqliteKit } from './kit.ts';
import { defineTables } from './schema.ts';

Object.assign(module.exports, defineTables(sqliteKit));
