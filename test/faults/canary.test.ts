/** Every secret of a whole story, searched for in everything that leaves the process or stays on the disk. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { createLog } from '../../src/log.ts';
import { SEALED_COLUMNS } from '../../src/connections/sealed.ts';
import { rotateEncryptionKey } from '../../src/connections/rotate.ts';
import { createVault } from '../../src/connections/vault.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
import { boughtMeeting, databaseOf, fault, happen, HOUR, must, setPolicy, settled, VENDORS, type MeetingJson } from '../support/gateway.ts';
import { connect, meetingBody, testWorld, type Vendor } from '../support/world.ts';
import { pageOfSealed } from '../../src/store/sealed-values.ts';
import { tapTheWire, type Wiretap } from './wiretap.ts';

const METRICS_TOKEN = 'metrics-token-of-the-canary-test';

/** The path under which each vendor makes a meeting. */
const CREATE: Readonly<Record<Vendor, string>> = { zoom: '/users/', 'microsoft-teams': '/events', 'google-meet': '/spaces' };
const TOKEN: Readonly<Record<Vendor, string>> = { zoom: '/oauth/token', 'microsoft-teams': '/oauth2/v2.0/token', 'google-meet': '^/token' };

/** What is sold, and where it lies. */
const WORKBOOK = { url: 'https://drive.google.com/file/d/CanaryOfTheContent/view', passcode: 'canary-passcode-of-the-content' };

/** What the vendors and the gateway tell each other under seal of TLS, by its names on the wire. */
const KINDS = [
  'access_token',
  'refresh_token',
  'id_token',
  'download_token',
  'download_access_token',
  'code',
  'code_verifier',
  'client_secret',
  'clientState',
];

describeOnBothDatabases('secrets', (_open, engine) => {
  it('case 122: appear in no log line, no answer, no event, no figure, and not in the database', { timeout: 120_000 }, async () => {
    let log = '';
    let world: World | undefined;
    const tap = tapTheWire(
      () => world?.publicUrl ?? 'none:',
      () => world?.sandbox.url ?? 'none:',
    );
    const databaseUrl = await databaseOf(engine);
    world = await testWorld({
      databaseUrl,
      logLevel: 'trace',
      log: createLog('trace', { write: (line: string) => void (log += line) }),
      environment: { METRICS_TOKEN },
    });
    for (const vendor of VENDORS) await goodDay(world, vendor);
    await otherLinks(world);
    for (const vendor of VENDORS) await badDay(world, tap, vendor);
    await wrongRequests(world);
    const metrics = await visit(`${world.publicUrl}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
    expect(metrics.status).toBe(200);

    const { config } = world.gateway.gateway;
    const key = config.encryptionKeys![0]!.key;
    const secrets = new Map([
      ...tap.secrets,
      ['sandbox-secret', 'client secret'],
      [world.zoomWebhookSecret, 'webhook secret'],
      [world.apiKey, 'API key'],
      [METRICS_TOKEN, 'metrics token'],
      [key.toString('base64'), 'encryption key'],
      [key.toString('base64url'), 'encryption key'],
      [key.toString('hex'), 'encryption key'],
      [key.toString('latin1'), 'encryption key'],
    ]);
    const everything = new Map([
      ...secrets,
      ...tap.links,
      [world.receiver.secret, 'endpoint secret'],
      [WORKBOOK.passcode, 'passcode'],
      [WORKBOOK.url, 'content'],
    ]);
    // The search is worth something only if all kinds were there to be found.
    expect(new Set(tap.secrets.values())).toEqual(new Set(KINDS));
    expect([...new Set(tap.links.values())]).toEqual(
      expect.arrayContaining(['j', 'h', 'r', 'c', 'g', 's', 'e', 'connect', 'password', 'encrypted_password']),
    );
    expect(log.split('\n').length).toBeGreaterThan(10);
    expect(world.receiver.events.length).toBeGreaterThan(10);

    expect(found(log, everything)).toEqual([]);
    expect(found(await stored(databaseUrl), everything)).toEqual([]);
    expect(found(JSON.stringify(world.receiver.events), secrets)).toEqual([]);
    for (const { request, text } of tap.answers) expect(found(text, secrets), request).toEqual([]);
    // It was shown once, when the endpoint was made, before anybody listened here.
    for (const { request, text } of tap.answers) expect(text, request).not.toContain(world.receiver.secret);

    // And the other way round: what is stored of them opens, and goes on doing so under a new key.
    const newest = { id: 'newest', key: randomBytes(32) };
    const { db, now, random } = world.gateway.gateway;
    const report = await rotateEncryptionKey({
      db,
      now,
      providers: new Map(),
      vault: createVault({ keys: [newest, ...config.encryptionKeys!], random }),
    });
    expect(report).toMatchObject({ removable: ['demo'], kept: [] });
    const vault = createVault({ keys: [newest], random });
    for (const column of SEALED_COLUMNS) {
      for (const { key: row, sealed } of await pageOfSealed(db.read, column, { after: undefined, limit: 10_000 }))
        vault.openBytes(sealed, column.context(row));
    }
  });
});

/** Connected, sold, held, recorded, published and watched. */
async function goodDay(world: World, vendor: Vendor): Promise<void> {
  const { api } = world;
  await connect(world, vendor);
  await settled(world);
  const meeting = await boughtMeeting(world, { provider: vendor, recording: 'on_consent', booking: booking(`bk_${vendor}`) });
  must(
    await api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, {
      decision: 'granted',
      locale: 'en',
      text_version: 'v1',
    }),
    200,
  );
  for (const url of [meeting.host_url, meeting.attendees[0]!.join_url]) {
    await visit(url, { headers: { accept: 'text/html' } });
    await visit(`${url}/enter`, { method: 'POST', headers: { 'sec-fetch-site': 'same-origin', 'content-length': '0' } });
  }
  for (const action of ['start', 'join', 'end', 'finish-recording']) await happen(world, meeting, action, { name: 'Ada' });
  await world.receiver.waitFor(
    'recording.published',
    (event) => event.type === 'recording.published' && event.data['meeting_id'] === meeting.id,
  );
  await watch(world, meeting);
}

/** A call, a guest, what is for sale and the evidence of a report: each with links of its own, and every link followed. */
async function otherLinks(world: World): Promise<void> {
  const { api } = world;
  await setPolicy(world, { calls: { initiator: 'customer', presence: 'optional' }, links: { shareable: true } });
  const call = must(await api('POST', '/v1/calls', { professional_id: 'pro_1', customer_id: 'cus_7', initiator: 'customer' }), 201).json;
  const pages = call['pages'] as { professional_url: string; customer_url: string };
  for (const url of Object.values(pages)) must(await visit(url, { headers: { accept: 'text/html' } }), 200);
  must(await visit(`${pages.professional_url}/accept`, { method: 'POST', body: new URLSearchParams() }), 303);

  const meeting = await boughtMeeting(world, { booking: booking('bk_with_guests') });
  const guest = must(await api('POST', `/v1/meetings/${meeting.id}/guests`, { name: 'Grace' }), 201).json;
  must(await visit(String(guest['url']), { headers: { accept: 'text/html' } }), 200);

  const content = { ...WORKBOOK, booking: { id: 'bk_sale' }, professional_id: 'pro_1', title: 'Workbook' };
  const sold = must(await api('POST', '/v1/contents', content), 201).json;
  const access = must(await api('POST', '/v1/contents/access', { booking_id: 'bk_sale', customer_id: 'cus_1' }), 201).json;
  const shown = must(await visit(String(access['url'])), 200).text;
  expect(shown).toContain(WORKBOOK.passcode);
  must(await visit(`${String(access['url'])}/${String(sold['id'])}`, { method: 'POST', body: new URLSearchParams() }), 303);

  const report = { reported_by: 'customer', reporter_id: 'cus_1', kind: 'dispute', text: 'Half an hour is missing.' };
  const incident = must(await api('POST', `/v1/meetings/${meeting.id}/incidents`, report), 201).json;
  const evidence = must(await api('GET', `/v1/incidents/${String(incident['id'])}/evidence`), 200).json;
  must(await visit((evidence['page'] as { url: string }).url), 200);
  await setPolicy(world, {});
}

/** The access token has ended: a refresh, and after it a vendor that fails in every way and repeats what it was sent. */
async function badDay(world: World, tap: Wiretap, vendor: Vendor): Promise<void> {
  const { api } = world;
  world.jump(2 * HOUR);
  const again = (name: string): Promise<Answer> =>
    api('POST', '/v1/meetings', meetingBody(world, { provider: vendor, booking: booking(`bk_${vendor}_${name}`) }), {
      'idempotency-key': `${vendor}_${name}`,
    });
  must(await again('refreshed'), 201);
  const words = (): string =>
    [...tap.secrets]
      .map(([value, name]) => `${name}=${value}`)
      .slice(-20)
      .join(' ');
  for (const status of [400, 401, 403, 404, 429, 500]) {
    const body = { error: { code: 'Bad', message: words(), status: words() }, code: 3_001, message: words() };
    fault(world, vendor, 'POST', CREATE[vendor], { status, body }, 20);
    await again(`failed_${status}`);
    endFault(world, `${vendor} ${status}`);
    // Past the pause, and past what is spread after it.
    world.jump(75_000);
  }
  world.jump(2 * HOUR);
  for (const [status, body] of [
    [500, words()],
    [400, { error: 'invalid_grant', error_description: words(), reason: words() }],
  ] as const) {
    fault(world, vendor, 'POST', TOKEN[vendor], { status, body }, 20);
    await again(`unrefreshed_${status}`);
    endFault(world, `${vendor} refresh ${status}`);
    world.jump(HOUR);
  }
  await settled(world);
}

/** The vendor is well again; it has failed at least once. */
function endFault({ sandbox }: World, which: string): void {
  const { traffic } = sandbox.sandbox;
  expect(
    traffic.requests().some((request) => request.fault),
    which,
  ).toBe(true);
  traffic.reset();
}

const booking = (id: string) => ({ id, kind: 'one_to_one', title: 'Tax consultation' });

async function watch(world: World, meeting: MeetingJson): Promise<void> {
  const { json } = must(await world.api('GET', `/v1/meetings/${meeting.id}/recordings`), 200);
  for (const { links } of json['data'] as { links: { url: string }[] }[]) {
    for (const { url } of links) {
      const page = must(await visit(url, { headers: { accept: 'text/html' } }), 200);
      for (const [, path] of page.text.matchAll(/(?:href|src)="([^"]*\/media[^"]*)"/g)) await visit(new URL(path!, url).href);
    }
  }
}

/** Strangers, forged deliveries and broken requests, each with something that looks like a secret. */
async function wrongRequests(world: World): Promise<void> {
  const { api, publicUrl } = world;
  await api('POST', '/v1/meetings', { booking: world.apiKey });
  await api('POST', '/v1/connect-sessions', { professional_id: 'pro_1', providers: ['none'] });
  await api('GET', '/v1/meetings/mtg_unknown');
  await visit(`${publicUrl}/v1/meetings`, { headers: { authorization: `Bearer ${world.apiKey}x` } });
  await visit(`${publicUrl}/oauth/zoom/callback?state=unknown&code=unknown-code-of-nobody`);
  await visit(`${publicUrl}/webhooks/zoom`, { method: 'POST', headers: { 'x-zm-signature': world.zoomWebhookSecret }, body: '{}' });
  await visit(`${publicUrl}/webhooks/google-meet`, { method: 'POST', headers: { authorization: `Bearer ${world.apiKey}` }, body: '{}' });
  await visit(`${publicUrl}/webhooks/microsoft-teams`, { method: 'POST', body: '{"value":[{"clientState":"x"}]}' });
}

/** What of the secrets is in the text, by its kind. */
const found = (text: string, secrets: ReadonlyMap<string, string>): string[] =>
  [...secrets].flatMap(([value, name]) => {
    const at = text.indexOf(value);
    return at === -1 ? [] : [`${name}: …${text.slice(Math.max(0, at - 80), at)}<here>`];
  });

/** SQLite: the files as they are. PostgreSQL: every column of every table. */
async function stored(databaseUrl: string): Promise<string> {
  if (databaseUrl.startsWith('file:')) {
    const folder = dirname(databaseUrl.slice('file:'.length));
    const files = await readdir(folder);
    if (!files.includes('gateway.db-wal')) throw new Error('the newest rows are in a file that is not here');
    return (await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))).join('\n');
  }
  let text = '';
  const tables = await raw(databaseUrl, `select table_name as name from information_schema.tables where table_schema = 'public'`);
  if (tables.length < 20) throw new Error('these are not all tables');
  for (const { name } of tables) {
    for (const row of await raw(databaseUrl, `select * from "${String(name)}"`)) {
      for (const value of Object.values(row)) text += `${Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value)}\n`;
    }
  }
  return text;
}
