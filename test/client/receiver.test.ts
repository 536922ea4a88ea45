import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../demo/world.ts';
import { raw } from '../support/databases.ts';
import { eventually, settled } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';
import { clientOf, newMeeting } from './support.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Receiver {
  readonly url: string;
  /** Ends the process, mercilessly, and starts it again on the same file. */
  restart(secret?: string): Promise<void>;
  stored(query: string): Promise<Record<string, unknown>[]>;
}

/** The example, as a process of its own. */
async function startReceiver(): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), 'receiver-'));
  const file = join(folder, 'events.db');
  const port = await freePort();
  let stop = async (): Promise<void> => {};
  onTestFinished(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    url: `http://127.0.0.1:${port}/events`,
    async restart(secret = '') {
      await stop();
      const child = spawn(process.execPath, ['--import', 'tsx', 'examples/receiver/receiver.ts'], {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], WEBHOOK_SECRET: secret, EVENTS_FILE: file, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      stop = async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      };
      await once(createInterface({ input: child.stdout }), 'line');
    },
    stored: (query) => raw(file, query),
  };
}

const post = async (url: string, body: string, headers: Record<string, string>): Promise<number> =>
  (await fetch(url, { method: 'POST', body, headers })).status;

const EVENTS = 'select id, type from events order by rowid';

describe('the example of a receiver', () => {
  it('case 97: does once what it is told twice, also after it was killed and started again', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    const receiver = await startReceiver();
    const endpoint = await gateway.webhookEndpoints.create({ url: receiver.url, events: ['meeting.*'] });
    await receiver.restart(endpoint.secret);
    await connect(world, 'zoom');
    const meeting = await gateway.meetings.create(newMeeting(world));
    await gateway.meetings.purchase(meeting.id, { customer_id: 'cus_1' });
    await gateway.meetings.cancel(meeting.id);
    await settled(world);
    const kept = await receiver.stored(EVENTS);
    expect(kept.map(({ type }) => String(type)).toSorted()).toEqual([
      'meeting.cancelled',
      'meeting.created',
      'meeting.link_locked',
      'meeting.purchased',
    ]);
    const { data: events } = await gateway.events.list();
    const delivered = () =>
      eventually('every delivery arrived', async () => {
        await settled(world);
        const { data } = await gateway.webhookEndpoints.deliveries(endpoint.id);
        return data.every(({ state }) => state === 'delivered') && data.reduce((sum, { attempts }) => sum + attempts.length, 0);
      });
    expect(await delivered()).toBe(4);
    const told = events.filter(({ type }) => type.startsWith('meeting.'));
    for (const { id } of told) await gateway.events.redeliver(id);
    expect(await delivered()).toBe(8);
    await receiver.restart(endpoint.secret);
    for (const { id } of told) await gateway.events.redeliver(id);
    expect(await delivered()).toBe(12);
    expect(await receiver.stored(EVENTS)).toEqual(kept);
    expect(await receiver.stored('select id, state from meetings')).toEqual([{ id: meeting.id, state: expect.any(String) }]);
  });

  it('case 97: said 204 for nothing that it has not stored: what it could not take comes again under its id', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    const receiver = await startReceiver();
    const endpoint = await gateway.webhookEndpoints.create({ url: receiver.url });
    await receiver.restart(endpoint.secret);
    await receiver.stored('alter table events rename to away');
    await gateway.webhookEndpoints.test(endpoint.id);
    const delivery = await eventually('it was tried', async () => {
      const [one] = (await gateway.webhookEndpoints.deliveries(endpoint.id)).data;
      return one !== undefined && one.attempts.length > 0 && one;
    });
    expect(delivery).toMatchObject({ state: 'pending', attempts: [{ status: 500 }] });
    await receiver.stored('alter table away rename to events');
    expect(await receiver.stored(EVENTS)).toEqual([]);
    await gateway.events.redeliver(delivery.event_id);
    await eventually('it is stored', async () => (await receiver.stored(EVENTS)).length === 1);
    expect(await receiver.stored(EVENTS)).toEqual([{ id: delivery.event_id, type: 'endpoint.test' }]);
  });

  it('follows a meeting by the sequence of its events, in whichever order they come, and keeps the links of a recording until they end', async () => {
    const receiver = await startReceiver();
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await receiver.restart(secret);
    const tell = (id: string, type: string, data: Record<string, unknown>) => {
      const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
      const at = new Date();
      const signature = new Webhook(secret).sign(id, at, body);
      return post(receiver.url, body, {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': signature,
      });
    };
    expect(await tell('evt_3', 'meeting.cancelled', { meeting_id: 'mtg_1', sequence: 3 })).toBe(204);
    expect(await tell('evt_2', 'meeting.purchased', { meeting_id: 'mtg_1', sequence: 2 })).toBe(204);
    expect(await receiver.stored('select state, sequence from meetings')).toEqual([{ state: 'cancelled', sequence: 3 }]);
    const links = [{ customer_id: 'cus_1', url: 'https://gateway.test/r/1' }];
    expect(await tell('evt_4', 'recording.published', { recording_id: 'rec_1', sequence: 4, links })).toBe(204);
    expect(await receiver.stored('select customer_id, url from recording_links')).toEqual(links);
    expect(await tell('evt_5', 'recording.expired', { recording_id: 'rec_1', sequence: 6 })).toBe(204);
    expect(await receiver.stored('select * from recording_links')).toEqual([]);
    // Overtaken by the end: its links are dead.
    expect(await tell('evt_5a', 'recording.published', { recording_id: 'rec_1', sequence: 5, links })).toBe(204);
    expect(await receiver.stored('select * from recording_links')).toEqual([]);
    // A type of tomorrow is kept and hurts nobody.
    expect(await tell('evt_6', 'meeting.teleported', {})).toBe(204);
    // What it cannot make sense of is not taken, so that it comes again.
    expect(await tell('evt_7', 'recording.published', { recording_id: 'rec_2', links: 7 })).toBe(500);
    expect((await receiver.stored(EVENTS)).map(({ id }) => id)).toEqual(['evt_3', 'evt_2', 'evt_4', 'evt_5', 'evt_5a', 'evt_6']);
  });

  it.each(['', ' ', 'whsec_', 'secret', `whsec_${Buffer.alloc(32, 7).toString('base64')} whsec_short`])(
    'does not start with a secret that is none: "%s"',
    async (secret) => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'examples/receiver/receiver.ts'], {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], WEBHOOK_SECRET: secret, EVENTS_FILE: ':memory:', PORT: '0' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      onTestFinished(() => void child.kill());
      const said = text(child.stderr);
      const ended = once(child, 'exit');
      const started = once(createInterface({ input: child.stdout }), 'line').then(() => 'started');
      expect(await Promise.race([started, ended.then(([code]) => code as number)])).toBe(1);
      expect(await said).toContain('WEBHOOK_SECRET');
    },
  );

  it('answers 401 to what is forged, old or unsigned, and keeps nothing of it', async () => {
    const receiver = await startReceiver();
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await receiver.restart(` ${secret}  whsec_${Buffer.alloc(32, 8).toString('base64')}`);
    const body = JSON.stringify({ type: 'endpoint.test', timestamp: new Date().toISOString(), data: {} });
    const headersOf = (key: string, at = new Date()) => ({
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(key).sign('evt_1', at, body),
    });
    const forged = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
    expect(await post(receiver.url, body, headersOf(forged))).toBe(401);
    expect(await post(receiver.url, `${body} `, headersOf(secret))).toBe(401);
    expect(await post(receiver.url, body, headersOf(secret, new Date(Date.now() - 600_000)))).toBe(401);
    expect(await post(receiver.url, body, {})).toBe(401);
    expect(await post(receiver.url, 'x'.repeat(100_000), headersOf(secret))).toBe(413);
    expect(await receiver.stored(EVENTS)).toEqual([]);
    for (const key of [secret, `whsec_${Buffer.alloc(32, 8).toString('base64')}`])
      expect(await post(receiver.url, body, headersOf(key))).toBe(204);
    expect(await receiver.stored(EVENTS)).toHaveLength(1);
  });
});
