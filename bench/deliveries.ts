/**
 * Events delivered per second to a fast endpoint while another one hangs with as many before it, every id verified; and the rate at which
 * events are written with endpoints against without. `npm run bench:deliveries -- --quick`, `--postgres` adds rows.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { endpointSecretContext } from '../src/connections/sealed.ts';
import { createVault } from '../src/connections/vault.ts';
import { emit } from '../src/events/emit.ts';
import { openDatabase, type Database } from '../src/store/database.ts';
import { insertDeliveries } from '../src/store/deliveries.ts';
import { insertEndpoint, insertEvents } from '../src/store/events.ts';
import { insertMarketplace } from '../src/store/marketplaces.ts';
import { describeMachine, writeResult } from './lib/machine.ts';
import { startPostgres } from './lib/postgres.ts';
import { processorMs, PROGRAM, residentMb, startGateway, startReceiver } from './lib/processes.ts';
import { show, spreadOf } from './lib/statistics.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    postgres: { type: 'boolean', default: false },
    events: { type: 'string' },
    program: { type: 'string', default: PROGRAM },
    node: { type: 'string', multiple: true, default: [] },
    save: { type: 'string', default: '' },
  },
});
const EVENTS = Number(options.events ?? (options.quick ? 2_000 : 10_000));
const LIMIT_MS = 120_000;
const WRITES = options.quick ? 300 : 1_500;
const ROUNDS = options.quick ? 3 : 5;
const save = options.save || (options.quick || options.events ? '' : 'deliveries');

const keys = [{ id: 'bench', key: createHash('sha256').update('bench').digest() }];
const vault = createVault({ keys, random: randomBytes });
const now = (): Date => new Date();
const gateway = { now, random: randomBytes, vault };

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
let failed = false;
try {
  const results = [await measure('sqlite', `file:${join(folder, 'gateway.db')}`)];
  if (options.postgres) {
    const postgres = await startPostgres(join(folder, 'postgres'));
    stops.push(() => postgres.stop());
    results.push(await measure('postgres', postgres.url));
  }
  if (save !== '') console.log(`written to ${writeResult(save, { measured: now().toISOString(), machine, events: EVENTS, results })}`);
} finally {
  for (const stop of stops.toReversed()) await stop();
}
process.exit(failed ? 1 : 0);

async function measure(name: string, databaseUrl: string) {
  const receiver = await startReceiver();
  stops.push(() => receiver.stop());
  const db = await openDatabase(databaseUrl, { onError: console.error });
  await db.write((tx) =>
    insertMarketplace(tx, { id: 'mkt_bench', name: 'Bench', preset: 'guide', policyPatch: {}, returnUrls: [], createdAt: now() }),
  );
  const writing = await writeRates(db);
  for (const path of ['hang', 'fast']) await addEndpoint(db, path, `http://127.0.0.1:${receiver.port}/${path}`);
  // The hanging one's come first in the queue.
  await queue(db, 'hang', EVENTS);
  const expected = new Set(await queue(db, 'fast', EVENTS));
  await db.close();

  const program = await startGateway({
    databaseUrl,
    program: options.program,
    nodeOptions: options.node,
    environment: { ALLOW_PRIVATE_WEBHOOK_TARGETS: 'true' },
  });
  stops.push(() => program.stop());
  const began = performance.now();
  const peek = await openDatabase(databaseUrl, { onError: console.error });
  const { deliveries } = peek.read.t;
  let left = EVENTS;
  while (left > 0 && performance.now() - began < LIMIT_MS) {
    await pause(250);
    const rows = await peek.read.select({ state: deliveries.state, endpointId: deliveries.endpointId }).from(deliveries);
    left = rows.filter(({ state, endpointId }) => endpointId === 'whe_fast' && state === 'pending').length;
  }
  await peek.close();
  const processor = processorMs(program.pid);
  const memory = residentMb(program.pid);
  const received = await receiver.report();
  await program.stop();
  await receiver.stop();

  const seconds = (received.lastMs - received.firstMs) / 1_000;
  const missing = [...expected].filter((id) => !received.ids.includes(id)).length;
  const repeated = received.requests - received.ids.length;
  failed ||= missing > 0 || repeated > 0 || left > 0;
  console.log(
    `${name}: ${EVENTS} events to a fast endpoint in ${seconds.toFixed(1)} s, ${Math.round(received.requests / seconds)} per second, ` +
      `while ${received.hanging} requests hang and ${EVENTS} wait for that endpoint; ${missing} missing, ${repeated} sent twice, ` +
      `${left} unsettled; ${processor} ms of processor, ${Math.round(memory)} MB`,
  );
  console.log(`${name}: writing events, rate with an endpoint against without: ${show(writing, 2)}`);
  return {
    database: name,
    seconds,
    per_second: received.requests / seconds,
    missing,
    repeated,
    unsettled: left,
    hanging: received.hanging,
    processor_ms: processor,
    resident_mb: memory,
    writing,
  };
}

/** Transactions with one event each, with one endpoint against with none, by turns in one run. */
async function writeRates(db: Database) {
  const rate = async (marketplaceId: string, round: number): Promise<number> => {
    const began = performance.now();
    for (let first = 0; first < WRITES; first += 10) {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          db.write((tx) =>
            emit(tx, gateway, {
              marketplaceId,
              type: 'meeting.changed',
              subjectId: `mtg_${first + index}`,
              key: `${round}`,
              data: {
                meeting_id: `mtg_${marketplaceId}_${first + index}`,
                booking_id: 'bk_1',
                professional_id: 'pro_1',
                provider: 'zoom',
                state: 'confirmed',
                changed: ['title'],
              },
            }),
          ),
        ),
      );
    }
    return WRITES / ((performance.now() - began) / 1_000);
  };
  await addEndpoint(db, 'off', 'http://127.0.0.1:1/', 'mkt_told');
  await rate('mkt_none', -1);
  await rate('mkt_told', -1);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const without = await rate('mkt_none', round);
    ratios.push((await rate('mkt_told', round)) / without);
  }
  // What was only written must not be sent in the next measurement.
  await db.write((tx) => tx.delete(tx.t.deliveries));
  return spreadOf(ratios);
}

async function addEndpoint(db: Database, name: string, url: string, marketplaceId = 'mkt_bench'): Promise<void> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  await db.write((tx) =>
    insertEndpoint(tx, {
      id: `whe_${name}`,
      marketplaceId,
      url,
      events: ['*'],
      description: null,
      secretSealed: vault.seal(secret, endpointSecretContext(`whe_${name}`)),
      previousSecretSealed: null,
      previousSecretUntil: null,
      disabledAt: null,
      disabledReason: null,
      failingSince: null,
      createdAt: now(),
    }),
  );
}

/** The ids of the events. */
async function queue(db: Database, endpoint: string, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let first = 0; first < count; first += 500) {
    const at = now();
    const ids = Array.from({ length: Math.min(500, count - first) }, (_, index) => `evt_${endpoint}_${first + index}`);
    await db.write(async (tx) => {
      await insertEvents(
        tx,
        ids.map((id, index) => ({
          id,
          marketplaceId: 'mkt_bench',
          type: 'meeting.changed',
          subjectId: `mtg_${index}`,
          at,
          position: id,
          sequence: 1,
          data: { meeting_id: `mtg_${index}`, booking_id: `bk_${index}`, professional_id: 'pro_1', provider: 'zoom', state: 'live' },
          linksSealed: null,
        })),
      );
      await insertDeliveries(
        tx,
        ids.map((id) => ({
          id: id.replace('evt_', 'dlv_'),
          marketplaceId: 'mkt_bench',
          eventId: id,
          endpointId: `whe_${endpoint}`,
          state: 'pending',
          reason: null,
          dueAt: at,
          leasedUntil: null,
          attempts: 0,
          createdAt: at,
        })),
      );
    });
    all.push(...ids);
  }
  return all;
}
