/**
 * How late calls that nobody answers end: 10,000 that ring and are over within seconds, and 10,000 in the same moment. `npm run bench:calls
 * -- --only sqlite --save ''` is a short one.
 */
import { parseArgs } from 'node:util';
import { runDueCalls } from '../src/calls/expire.ts';
import type { Asked } from '../src/calls/request.ts';
import { newId } from '../src/domain/id.ts';
import { hashToken, newToken } from '../src/domain/token.ts';
import { scheduleJobs } from '../src/store/jobs.ts';
import { isSound, measureCrowd, type FilledDatabase, type Filling } from './lib/crowd.ts';
import { onEachDatabase } from './lib/databases.ts';

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    only: { type: 'string', multiple: true },
    save: { type: 'string', default: 'calls' },
  },
});
const CALLS = Number(options.calls);
const BATCH = 500;

const results = await onEachDatabase({ only: options.only, save: options.save }, { calls: CALLS }, (databaseUrl) =>
  measureCrowd(
    databaseUrl,
    {
      lane: 'calls',
      event: 'call.expired',
      runDue: runDueCalls,
      add: fill,
      settled: async (query) => Number((await query(`select count(*) as n from calls where state = 'expired'`))[0]!['n']),
    },
    CALLS,
  ),
);
process.exit(results.every(isSound) ? 0 : 1);

async function fill({ gateway }: FilledDatabase, { from, count, dueAt }: Filling): Promise<string[]> {
  const { db, now, random, vault } = gateway;
  const sealed = vault.seal('token', ['bench']);
  const request: Asked = {
    title: 'Tax consultation',
    provider: null,
    durationMinutes: 30,
    timeZone: 'UTC',
    recording: 'none',
    locale: null,
    customerName: null,
    professionalName: null,
    cameraOff: false,
    requestKey: null,
  };
  const ids: string[] = [];
  for (let done = 0; done < count; done += BATCH) {
    const calls = Array.from({ length: Math.min(BATCH, count - done) }, (_, index) => {
      const id = newId(gateway, 'cal');
      return {
        id,
        marketplaceId: 'mkt_bench',
        bookingId: id,
        professionalId: `pro_${from + done + index}`,
        customerId: `cus_${from + done + index}`,
        initiator: 'customer',
        purpose: null,
        conversationId: null,
        video: false,
        prepaidBlocks: 1,
        state: 'ringing',
        rings: true,
        acceptBy: dueAt,
        answeredAt: null,
        meetingId: null,
        request: { ...request },
        professionalTokenHash: hashToken(newToken(random)),
        professionalTokenSealed: sealed,
        customerTokenHash: hashToken(newToken(random)),
        customerTokenSealed: sealed,
        createdAt: now(),
      };
    });
    await db.write(async (tx) => {
      await tx.insert(tx.t.calls).values(calls);
      await scheduleJobs(
        tx,
        calls.map(({ id }) => ({ kind: 'call.expire', subjectId: id, dueAt })),
      );
    });
    ids.push(...calls.map(({ id }) => id));
  }
  return ids;
}
