/** What vendors' deliveries meet beside each other: other tenants, other processes, a slow vendor, a burst, a change of secrets. */
import { randomBytes } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { eq } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { createApp } from '../../src/app.ts';
import { createLive } from '../../src/http/live.ts';
import { insertInboxEntries } from '../../src/store/inbox.ts';
import { createIntake } from '../../webhooks/intake.ts';
import { push } from '../providers/google-meet.options.ts';
import { fixture as teamsFixture } from '../providers/microsoft-teams/options.ts';
import { fixture, signZoom } from '../providers/zoom-vendor.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { deliver, inbox, knownMeeting, post, sign, toldAbout, VENDORS, webhookWorld, type Known } from './vendors.ts';

/** Far more at once than the intake takes in one commit. */
const BURST = 1_000;

const databaseUrl = (address: string): string => (address.startsWith('postgres') ? address : `file:${address}`);

/** One happening of our account, and one of another tenant that has the same ids and the same moment. */
function twins({ vendor, meeting, subscriptionId }: Known): { ours: Buffer; theirs: Buffer } {
  if (vendor === 'zoom') {
    const ours = fixture('meeting.started').toString().replace('"1234567890"', `"${meeting.vendorMeetingId}"`);
    return { ours: Buffer.from(ours), theirs: Buffer.from(ours.replace('"AAAAAABBBB"', '"somebody-elses"')) };
  }
  if (vendor === 'google-meet') {
    const of = (subscription: string): Buffer =>
      push(
        { 'ce-id': 'same', 'ce-source': `//workspaceevents.googleapis.com/${subscription}`, 'ce-type': 'google.workspace.meet.future.v9' },
        {},
      );
    return { ours: of(subscriptionId), theirs: of('subscriptions/somebody-elses') };
  }
  const { value } = JSON.parse(teamsFixture('notification-basic-message.json').toString()) as { value: object[] };
  const of = (id: string): Buffer => Buffer.from(JSON.stringify({ value: value.map((item) => ({ ...item, subscriptionId: id })) }));
  return { ours: of(subscriptionId), theirs: of('00000000-0000-4000-8000-000000000000') };
}

/** Proven, of no kind that the gateway takes; `name` makes it one of its own. */
const unheardOf = (name: string): Buffer =>
  Buffer.from(
    JSON.stringify({ event: 'meeting.teleported', event_ts: 1_626_230_691_572, payload: { account_id: 'a', object: { uuid: name } } }),
  );

describeOnBothDatabases('deliveries of vendors', (_open, engine) => {
  it.each(VENDORS)("case 31: %s: another tenant's event with the same ids does not hide ours", async (vendor) => {
    const world = await webhookWorld({ databaseUrl: databaseUrl(await engine.createUrl()) });
    const known = await knownMeeting(world, vendor);
    const { ours, theirs } = twins(known);
    expect(await deliver(world, known, theirs)).toBeLessThan(300);
    expect(await inbox(world)).toHaveLength(1);
    expect(await deliver(world, known, ours)).toBeLessThan(300);
    expect(await deliver(world, known, theirs)).toBeLessThan(300);
    const entries = await inbox(world);
    expect(new Set(entries.map(({ key }) => key)).size).toBe(2);
    expect(entries.every(({ key }) => key.startsWith(`${vendor}:`))).toBe(true);
    // The others' are of kinds that change nothing.
    expect(await toldAbout(world, known.meeting.id)).toEqual(vendor === 'zoom' ? ['meeting.started'] : []);
  });

  it('case 31: one key at two vendors is two deliveries', async () => {
    const db = await engine.openAt(await engine.createUrl());
    const receivedAt = new Date('2026-11-20T10:00:00Z');
    await db.write((tx) =>
      insertInboxEntries(
        tx,
        ['zoom', 'google-meet'].map((provider) => ({ key: `${provider}:1.same`, provider, bodySealed: Buffer.from('a'), receivedAt })),
      ),
    );
    expect(await db.read.$count(db.read.t.inbox)).toBe(2);
  });

  it('case 33: the same deliveries at two processes at the same moment are both acknowledged and stored once', async () => {
    const address = await engine.createUrl();
    const receivedAt = new Date('2026-11-20T10:00:00Z');
    const [one, other] = [await engine.openAt(address), await engine.openAt(address)];
    const intakes = [one, other].map((db) => createIntake({ db, now: () => receivedAt, wake: () => {} }).intake);
    const entries = Array.from({ length: 300 }, (_, index) => ({
      key: `zoom:${index}`,
      provider: 'zoom',
      bodySealed: Buffer.from('a'),
      receivedAt,
    }));
    await Promise.all(entries.flatMap((entry, index) => [intakes[index % 2]!([entry]), intakes[(index + 1) % 2]!([entry])]));
    expect(await one.read.$count(one.read.t.inbox)).toBe(300);
  });

  it('case 60: of a burst nothing is lost that was acknowledged, and strangers among it leave nothing', { timeout: 120_000 }, async () => {
    const world = await webhookWorld({ databaseUrl: databaseUrl(await engine.createUrl()) });
    /** Undefined: no answer came, as when the server is too busy to accept. */
    const send = async (name: string, secret: string): Promise<number | undefined> => {
      const bytes = unheardOf(name);
      const answer = await post(world, 'zoom', { bytes, headers: signZoom(secret, bytes, world.now()) }).catch(() => undefined);
      await answer?.arrayBuffer();
      return answer?.status;
    };
    const strangers: (number | undefined)[] = [];
    const acknowledged: number[] = [];
    const names = Array.from({ length: BURST }, (_, index) => index).values();
    const sender = async (): Promise<void> => {
      for (const name of names) {
        if (name % 4 === 0) strangers.push(await send(`forged-${name}`, 'guessed'));
        // As vendors do: what was refused for now, or not answered, comes again.
        let status: number | undefined;
        do {
          status = await send(String(name), world.zoomWebhookSecret);
          expect([200, 503, undefined]).toContain(status);
        } while (status !== 200);
        acknowledged.push(name);
      }
    };
    await Promise.all(Array.from({ length: 100 }, sender));
    expect(new Set(acknowledged).size).toBe(BURST);
    expect(strangers.filter((status) => status !== 401 && status !== undefined)).toEqual([]);
    const { db } = world.gateway.gateway;
    expect(await db.read.$count(db.read.t.inbox)).toBe(BURST);
    const applied = () => db.read.$count(db.read.t.inbox, eq(db.read.t.inbox.state, 'applied'));
    await vi.waitFor(async () => expect(await applied()).toBe(BURST), { timeout: 60_000, interval: 200 });
  });

  it('case 61: while processes with the old and the new secret run side by side both are taken, afterwards the new one only', async () => {
    const shared = { databaseUrl: databaseUrl(await engine.createUrl()) };
    const keys = `test:${randomBytes(32).toString('base64')}`;
    const start = (secrets: string) => webhookWorld({ ...shared, environment: { ENCRYPTION_KEYS: keys, ZOOM_WEBHOOK_SECRET: secrets } });
    const during = await start('new-secret, old-secret');
    const after = await start('new-secret');
    const send = async (world: World, name: string, secret: string): Promise<number> => {
      const bytes = unheardOf(name);
      return (await post(world, 'zoom', { bytes, headers: signZoom(secret, bytes, world.now()) })).status;
    };
    expect(await send(during, 'a', 'old-secret')).toBe(200);
    expect(await send(during, 'b', 'new-secret')).toBe(200);
    // Refused by the one, repeated by Zoom, signed with the new secret by then: one happening.
    expect(await send(after, 'a', 'old-secret')).toBe(401);
    expect(await send(after, 'a', 'new-secret')).toBe(200);
    expect(await send(after, 'c', 'new-secret')).toBe(200);
    for (const world of [during, after]) expect(await send(world, 'd', 'new-secret, old-secret')).toBe(401);
    expect(await inbox(during)).toHaveLength(3);
  });
});

describe('acknowledging', () => {
  it('case 48: waits for no vendor: while Graph answers nothing every notification is acknowledged', { timeout: 90_000 }, async () => {
    const world = await webhookWorld();
    const known = await knownMeeting(world, 'microsoft-teams');
    const { traffic } = world.sandbox.sandbox;
    traffic.addFault({
      vendor: 'microsoft-teams',
      match: { method: 'GET', path: '/' },
      times: 1_000,
      answer: { delay_ms: 3_000, status: 503 },
    });
    const document = teamsFixture('notification-recording-basic.json').toString();
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const bytes = Buffer.from(
          document
            .replace('6aa5ced2-0a5a-4643-9274-3109c731d986', known.subscriptionId)
            .replace(/recordings\('[^']*/, `recordings('r${index}`),
        );
        return (await post(world, 'microsoft-teams', await sign(world, known, bytes))).status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([202]));
    const entries = await inbox(world);
    expect(entries).toHaveLength(60);
    // Graph has said nothing of any of them yet, and never will: nobody has waited for it.
    expect(entries.every(({ state }) => state === 'pending')).toBe(true);
  });

  it('case 62: known, unknown and removed accounts get one answer, for which nothing is looked up', async () => {
    const world = await webhookWorld();
    const known = await knownMeeting(world, 'zoom');
    const { gateway } = world.gateway;
    const touched: string[] = [];
    const db = new Proxy(gateway.db, {
      get(target, name, receiver) {
        touched.push(String(name));
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    const stored: string[] = [];
    const live = createLive(gateway);
    const app = createApp({ ...gateway, db }, async (entries) => void stored.push(...entries.map(({ key }) => key)), live);
    touched.length = 0;
    const answerOf = async (account: string) => {
      const bytes = Buffer.from(twins(known).ours.toString().replace('"AAAAAABBBB"', JSON.stringify(account)));
      const answer = await app.request('/webhooks/zoom', {
        method: 'POST',
        headers: signZoom(world.zoomWebhookSecret, bytes, world.now()),
        body: new Uint8Array(bytes),
      });
      return { status: answer.status, headers: [...answer.headers], text: await answer.text() };
    };
    const { organisation } = known.connection;
    if (organisation === null) throw new Error('The connection has to know its account.');
    const answers = [await answerOf(organisation), await answerOf('nobody')];
    expect((await world.api('DELETE', `/v1/connections/${known.connection.id}`)).status).toBeLessThan(300);
    answers.push(await answerOf(organisation));
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    expect(answers[0]!.status).toBe(200);
    expect(stored).toHaveLength(3);
    expect(touched).toEqual([]);
  });

  it('case 62: no path belongs to a tenant, so guessed ones are all unknown in the same words', async () => {
    const world = await webhookWorld();
    const bytes = unheardOf('a');
    const answers = await Promise.all(
      [world.marketplaceId, 'mkt_guessed', 'zoom/mkt_guessed', `zoom/${world.marketplaceId}`, 'nothing'].map(async (path) => {
        const answer = await fetch(`${world.publicUrl}/webhooks/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...signZoom(world.zoomWebhookSecret, bytes, world.now()) },
          body: new Uint8Array(bytes),
        });
        const { title, detail, status } = (await answer.json()) as Record<string, unknown>;
        return { status: answer.status, title, detail, told: status };
      }),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]!.status).toBe(404);
    expect(await inbox(world)).toEqual([]);
  });

  it('case 53: who sends headers or a body too slowly is cut off in time', { timeout: 40_000 }, async () => {
    const world = await webhookWorld();
    const { hostname, port } = new URL(world.publicUrl);
    const closedAfter = (start: string): Promise<number> =>
      new Promise((resolve) => {
        const since = performance.now();
        const socket = connectSocket(Number(port), hostname, () => socket.write(start));
        socket.resume();
        socket.on('error', () => {});
        const drip = setInterval(() => socket.writable && socket.write('a'), 1_000);
        socket.on('close', () => {
          clearInterval(drip);
          resolve(performance.now() - since);
        });
      });
    const head = 'POST /webhooks/zoom HTTP/1.1\r\nHost: a\r\n';
    const [headers, body] = await Promise.all([closedAfter(`${head}X-Slow: `), closedAfter(`${head}Content-Length: 1000\r\n\r\n`)]);
    expect(headers).toBeGreaterThan(4_000);
    expect(headers).toBeLessThan(12_000);
    expect(body).toBeGreaterThan(14_000);
    expect(body).toBeLessThan(25_000);
  });
});
