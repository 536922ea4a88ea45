/**
 * How late calls that nobody answers end: 10,000 that ring, all of which are over in the same second. `npx tsx bench/calls.ts --only sqlite
 * --save ''` is a short one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { eq } from 'drizzle-orm';
import type { Asked } from '../src/calls/request.ts';
import { readConfig } from '../src/config.ts';
import { newId } from '../src/domain/id.ts';
import { plus, SECOND } from '../src/domain/time.ts';
import { hashToken, newToken } from '../src/domain/token.ts';
import type { Gateway } from '../src/gateway.ts';
import { createMarketplace } from '../src/marketplaces/manage.ts';
import { openGateway } from '../src/server.ts';
import { scheduleJobs } from '../src/store/jobs.ts';
import { startWorker } from '../src/worker.ts';
import { describeMachine, writeResult } from './lib/machine.ts';
import { startPostgres } from './lib/postgres.ts';

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    only: { type: 'string', multiple: true },
    save: { type: 'string', default: 'calls' },
  },
});
const CALLS = Number(options.calls);
const BATCH = 500;
/** Nobody has asked to be told: what is measured is the event, not its delivery. */
const send = (): Promise<never> => Promise.reject(new Error('there is no endpoint'));
/** Enough to fill the database and to start the worker. */
const LEAD_MS = 20 * SECOND;
const PATIENCE_MS = 30 * SECOND;

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
const results: Awaited<ReturnType<typeof measure>>[] = [];
try {
  const wanted = (name: string): boolean => options.only === undefined || options.only.includes(name);
  if (wanted('sqlite')) results.push(await measure(`file:${join(folder, 'gateway.db')}`));
  if (wanted('postgres')) {
    const postgres = await startPostgres(join(folder, 'postgres'));
    stops.push(() => postgres.stop());
    results.push(await measure(postgres.url));
  }
  if (options.save !== '') {
    const path = writeResult(options.save, { measured: new Date().toISOString(), machine, calls: CALLS, results });
    console.log(`written to ${path}`);
  }
} finally {
  for (const stop of stops.toReversed()) await stop();
}
process.exit(results.every(({ expired }) => expired === CALLS) ? 0 : 1);

async function measure(databaseUrl: string) {
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: `bench:${createHash('sha256').update('bench').digest('base64')}`,
    LOG_LEVEL: 'silent',
  });
  const worker: { wake?: () => void } = {};
  const gateway = await openGateway(config, { now: () => new Date(), random: randomBytes, keys: config.encryptionKeys! }, () =>
    worker.wake?.(),
  );
  try {
    const acceptBy = plus(new Date(), LEAD_MS);
    await fill(gateway, acceptBy);
    const lanes = await startWorker(gateway, send, async () => {});
    worker.wake = () => lanes.wake();
    await pause(Math.max(0, acceptBy.getTime() - Date.now()));
    let late: number[] = [];
    while (late.length < CALLS && Date.now() < acceptBy.getTime() + PATIENCE_MS) {
      await pause(2 * SECOND);
      const { events } = gateway.db.read.t;
      const told = await gateway.db.read.select({ at: events.at }).from(events).where(eq(events.type, 'call.expired'));
      late = told.map(({ at }) => at.getTime() - acceptBy.getTime()).toSorted((a, b) => a - b);
    }
    await lanes.stop();
    const row = { database: gateway.db.dialect, expired: late.length, late_ms: { p50: late[late.length >> 1], max: late.at(-1) } };
    console.log(`${row.database}: ${row.expired} of ${CALLS} expired; late p50 ${row.late_ms.p50} ms, max ${row.late_ms.max} ms`);
    return row;
  } finally {
    await gateway.db.close();
  }
}

async function fill(gateway: Gateway, acceptBy: Date): Promise<void> {
  const { db, now, random, vault } = gateway;
  const { marketplace } = await createMarketplace(gateway, { name: 'Bench', preset: 'tvip', returnUrls: [] });
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
  for (let from = 0; from < CALLS; from += BATCH) {
    const calls = Array.from({ length: Math.min(BATCH, CALLS - from) }, (_, index) => {
      const id = newId(gateway, 'cal');
      return {
        id,
        marketplaceId: marketplace.id,
        bookingId: id,
        professionalId: `pro_${from + index}`,
        customerId: `cus_${from + index}`,
        initiator: 'customer',
        purpose: null,
        conversationId: null,
        video: false,
        prepaidBlocks: 1,
        state: 'ringing',
        rings: true,
        acceptBy,
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
        calls.map(({ id }) => ({ kind: 'call.expire', subjectId: id, dueAt: acceptBy })),
      );
    });
  }
}
