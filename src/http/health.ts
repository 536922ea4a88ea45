/** What the operator's machines ask: alive, ready, how much is waiting. */
import { timingSafeEqual } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { and, eq, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { MINUTE, plus, SECOND } from '../domain/time.ts';
import { hashToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { listAlarms } from '../store/alarms.ts';
import { countExpectations } from '../store/expectations.ts';
import { writePulse } from '../store/pulses.ts';
import { countPauses } from '../store/quotas.ts';

/** A look costs a write, so all askers of a moment share one. */
const LOOK_EVERY_MS = 2 * SECOND;
/** Who asks seldom waits for longer; a silent line to PostgreSQL takes 12 s to be noticed. */
const PATIENCE_MS = 2 * SECOND;
/** Below this a database cannot be trusted to grow. */
const FREE_BYTES = 100_000_000;
/** A vendor's delivery that has waited this long although it is due: the worker does not keep up. */
const BACKLOG_MS = 5 * MINUTE;

export const healthRoutes = (gateway: Gateway) => {
  const { config, db, now } = gateway;
  let looked: { at: number; problems: Promise<string[]> } | undefined;
  const readiness = (): Promise<string[]> => {
    const at = now().getTime();
    if (looked === undefined || Math.abs(at - looked.at) >= LOOK_EVERY_MS) looked = { at, problems: findProblems(gateway) };
    return looked.problems;
  };

  return new Hono()
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => {
      const problems = await readiness();
      return problems.length === 0 ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', problems }, 503);
    })
    .get('/metrics', async (c) => {
      const given = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
      if (
        config.metricsToken === undefined ||
        given === undefined ||
        !timingSafeEqual(Buffer.from(hashToken(given)), Buffer.from(hashToken(config.metricsToken)))
      ) {
        return c.notFound();
      }
      const { t, $count } = { t: db.read.t, $count: db.read.$count.bind(db.read) };
      const figures: [name: string, help: string, value: number][] = [
        ['gateway_inbox_pending', 'Deliveries of vendors that wait to be applied', await $count(t.inbox, eq(t.inbox.state, 'pending'))],
        ['gateway_inbox_parked', 'Deliveries of vendors that could not be applied', await $count(t.inbox, eq(t.inbox.state, 'parked'))],
        [
          'gateway_inbox_dropped',
          'Deliveries of vendors about meetings that are not ours',
          await $count(t.inbox, eq(t.inbox.state, 'dropped')),
        ],
        ['gateway_jobs_waiting', 'Jobs that are planned or running', await $count(t.jobs, isNull(t.jobs.deadAt))],
        ['gateway_jobs_dead', 'Jobs that failed for good', await $count(t.jobs, isNotNull(t.jobs.deadAt))],
        [
          'gateway_deliveries_pending',
          'Events on their way to marketplaces',
          await $count(t.deliveries, eq(t.deliveries.state, 'pending')),
        ],
        ['gateway_deliveries_dead', 'Events that could not be delivered', await $count(t.deliveries, eq(t.deliveries.state, 'dead'))],
        [
          'gateway_endpoints_disabled',
          'Webhook endpoints that were disabled because they are gone or did nothing but fail',
          await $count(t.webhookEndpoints, inArray(t.webhookEndpoints.disabledReason, ['gone', 'failing'])),
        ],
        [
          'gateway_connections_broken',
          'Connections that need their professional',
          await $count(t.connections, eq(t.connections.status, 'reconnect_required')),
        ],
        [
          'gateway_vendor_pauses',
          'Accounts and organisations that a vendor does not want to be called for',
          await countPauses(db.read, now()),
        ],
      ];
      const metric = (type: 'counter' | 'gauge', name: string, help: string, samples: readonly string[]): string =>
        [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples, ''].join('\n');
      const gauge = (name: string, help: string, samples: readonly string[]): string => metric('gauge', name, help, samples);
      const expected = await countExpectations(db.read);
      const alarms = (await listAlarms(db.read)).map(({ name }) => `gateway_alarms{name=${JSON.stringify(name)}} 1`);
      const text = [
        ...figures.map(([name, help, value]) => gauge(name, help, [`${name} ${value}`])),
        gauge(
          'gateway_recordings_expected',
          'Meetings whose recording is looked for, and those where none was found in time',
          (['open', 'missed'] as const).map((state) => `gateway_recordings_expected{state="${state}"} ${expected[state]}`),
        ),
        metric(
          'counter',
          'gateway_recordings_found',
          'Meetings whose recording was told by a webhook, or found by a look because no webhook came',
          (['webhook', 'reconciliation'] as const).map((by) => `gateway_recordings_found{by="${by}"} ${expected[by]}`),
        ),
        metric('counter', 'gateway_storage_failures_total', 'Transactions that the storage has failed since the start of this process', [
          `gateway_storage_failures_total ${db.failures()}`,
        ]),
        gauge('gateway_alarms', 'What only the operator can repair, one line for each', alarms),
      ].join('');
      return c.body(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    });
};

async function findProblems({ config, db, now, log }: Gateway): Promise<string[]> {
  const problems: string[] = [];
  try {
    const overdue = async (): Promise<number> => {
      await db.write((tx) => writePulse(tx, 'ready', now()));
      const { inbox } = db.read.t;
      return db.read.$count(inbox, and(eq(inbox.state, sql`'pending'`), lt(inbox.dueAt, plus(now(), -BACKLOG_MS))));
    };
    if ((await inTime(overdue())) > 0) problems.push('deliveries of vendors wait too long');
  } catch (error) {
    log.error({ err: error }, 'not ready: the database does not take writes');
    problems.push('the database does not take writes');
  }
  if (db.dialect === 'sqlite') {
    const { bavail, bsize } = await statfs(dirname(config.databaseUrl.replace(/^file:(\/\/(?=\/))?/, '')));
    if (bavail * bsize < FREE_BYTES) problems.push('the disk is nearly full');
  }
  return problems;
}

async function inTime<T>(look: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = wait(PATIENCE_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error('The database did not answer in time.');
  });
  try {
    return await Promise.race([look, late]);
  } finally {
    over.abort();
    late.catch(() => {});
  }
}
