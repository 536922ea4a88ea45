/** What the operator's machines ask: alive, ready, how much is waiting. */
import { timingSafeEqual } from 'node:crypto';
import { and, isNotNull, isNull } from 'drizzle-orm';
import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { hashToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { writePulse } from '../store/pulses.ts';

export const healthRoutes = ({ config, db, now, log }: Gateway) =>
  new Hono()
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => {
      try {
        await db.write((tx) => writePulse(tx, 'ready', now()));
        return c.json({ status: 'ready' });
      } catch (error) {
        log.error({ err: error }, 'not ready: the database does not take writes');
        return c.json({ status: 'not ready', reason: 'the database does not take writes' }, 503);
      }
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
          'gateway_connections_broken',
          'Connections that need their professional',
          await $count(t.connections, and(eq(t.connections.status, 'reconnect_required'))),
        ],
      ];
      const text = figures.map(([name, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`).join('');
      return c.body(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    });
