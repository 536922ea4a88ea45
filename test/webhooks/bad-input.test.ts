/** What strangers, accidents and attackers send to the vendors' way in. */
import { createHmac } from 'node:crypto';
import { request, type OutgoingHttpHeaders } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { exportSPKI, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { DAY, MINUTE } from '../../src/domain/time.ts';
import { GOOGLE_KEY, push, signing, STRANGERS_KEY } from '../providers/google-meet.options.ts';
import { fixture as teamsFixture, withState } from '../providers/microsoft-teams/options.ts';
import { fixture as zoomFixture, signZoom } from '../providers/zoom-vendor.ts';
import type { Vendor } from '../support/world.ts';
import {
  clientState,
  deliver,
  googleToken,
  inbox,
  knownMeeting,
  lookedAt,
  meetingNow,
  post,
  sign,
  toldAbout,
  VENDORS,
  webhookWorld,
  type Known,
  type Signed,
} from './vendors.ts';

const start = async (vendor: Vendor) => {
  const world = await webhookWorld({ environment: { METRICS_TOKEN: 'a-token-of-metrics' } });
  return { world, known: await knownMeeting(world, vendor) };
};

/** A small, documented delivery about the known meeting or subscription. */
function genuine({ vendor, meeting, subscriptionId }: Known): Buffer {
  if (vendor === 'zoom')
    return Buffer.from(zoomFixture('meeting.started').toString().replace('"1234567890"', `"${meeting.vendorMeetingId}"`));
  if (vendor === 'google-meet') return push({ 'ce-source': source(subscriptionId), 'ce-type': 'google.workspace.meet.future.v9' }, {});
  const document = JSON.parse(teamsFixture('notification-basic-message.json').toString()) as { value: object[] };
  return Buffer.from(JSON.stringify({ value: document.value.map((item) => ({ ...item, subscriptionId })) }));
}

const source = (subscription: string): string => `//workspaceevents.googleapis.com/${subscription}`;

/** One request with exactly these headers, arrays sent as several lines. */
function exactly(
  url: string,
  { method = 'POST', headers = {}, body, path }: { method?: string; headers?: OutgoingHttpHeaders; body?: Buffer; path?: string },
): Promise<{ status: number; text: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, ...(path === undefined ? {} : { path }) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode!, text, headers: answer.headers }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const webhookUrl = ({ publicUrl }: World, vendor: Vendor): string => `${publicUrl}/webhooks/${vendor}`;

/** All are refused with the same words, and nothing of them is kept. */
async function expectRefused(world: World, vendor: Vendor, attempts: readonly (readonly [name: string, Signed])[]): Promise<void> {
  const details = new Set<string>();
  for (const [name, signed] of attempts) {
    const answer = await post(world, vendor, signed);
    expect(answer.status, name).toBe(401);
    const { detail, title } = (await answer.json()) as { detail: string; title: string };
    details.add(`${title} ${detail}`);
  }
  expect(details.size).toBe(1);
  expect(await inbox(world)).toEqual([]);
}

describe('deliveries without a proof', () => {
  it('cases 40-42: Zoom: missing, forged, stale, future and mangled signatures', async () => {
    const { world, known } = await start('zoom');
    const bytes = genuine(known);
    const good = (await sign(world, known, bytes)).headers;
    const [signature, timestamp] = [good['x-zm-signature']!, good['x-zm-request-timestamp']!];
    const signedAt = (ms: number, spelled?: string) =>
      signZoom(world.zoomWebhookSecret, bytes, new Date(world.now().getTime() + ms), spelled);
    const withSignature = (value: string): Signed => ({ bytes, headers: { ...good, 'x-zm-signature': value } });
    // As Zoom writes bodies: parsed and written again they are other bytes.
    const escaped = Buffer.from(bytes.toString().replaceAll('America/', 'America\\/'));
    expect(JSON.parse(escaped.toString())).toEqual(JSON.parse(bytes.toString()));
    await expectRefused(world, 'zoom', [
      ['unsigned', { bytes, headers: {} }],
      ['no timestamp', { bytes, headers: { 'x-zm-signature': signature } }],
      ['no signature', { bytes, headers: { 'x-zm-request-timestamp': timestamp } }],
      ['wrong secret', { bytes, headers: signZoom('guessed', bytes, world.now()) }],
      ['signed for another body', { bytes: Buffer.from('{}'), headers: good }],
      ['re-serialised', { bytes, headers: signZoom(world.zoomWebhookSecret, escaped, world.now()) }],
      ['upper case', withSignature(`v0=${signature.slice(3).toUpperCase()}`)],
      ['other version', withSignature(signature.replace('v0=', 'v1='))],
      ['no version', withSignature(signature.slice(3))],
      ['truncated', withSignature(signature.slice(0, -1))],
      ['longer', withSignature(`${signature}0`)],
      ['empty', withSignature('')],
      ['twice in one', withSignature(`${signature}, ${signature}`)],
      ['six minutes old', { bytes, headers: signedAt(-6 * MINUTE) }],
      ['six minutes ahead', { bytes, headers: signedAt(6 * MINUTE) }],
      ...['1.5e9', '-1', '0x6b000000', `${timestamp}abc`, `${timestamp}.0`, `${timestamp}000000`, `+${timestamp}`].map(
        (spelled): readonly [string, Signed] => [`timestamp ${spelled}`, { bytes, headers: signedAt(0, spelled) }],
      ),
    ]);
  });

  it('case 40: Zoom: two signature headers, and one in another alphabet', async () => {
    const { world, known } = await start('zoom');
    const bytes = genuine(known);
    const { headers } = await sign(world, known, bytes);
    const signature = headers['x-zm-signature']!;
    const forged = `v0=${'0'.repeat(64)}`;
    for (const value of [[signature, signature], [forged, signature], [signature, forged], `v0=${'é'.repeat(64)}`]) {
      const answer = await exactly(webhookUrl(world, 'zoom'), { headers: { ...headers, 'x-zm-signature': value }, body: bytes });
      expect(answer.status).toBe(401);
    }
    const { 'x-zm-request-timestamp': timestamp } = headers;
    const twice = { ...headers, 'x-zm-request-timestamp': [timestamp!, timestamp!] };
    expect((await exactly(webhookUrl(world, 'zoom'), { headers: twice, body: bytes })).status).toBe(401);
    expect(await inbox(world)).toEqual([]);
  });

  it('case 42: Zoom: a signature is good for exactly 300 seconds', async () => {
    const { world, known } = await start('zoom');
    world.jump(1_000 - world.now().getMilliseconds());
    const bytes = genuine(known);
    const signed = await sign(world, known, bytes);
    world.jump(300_000);
    expect((await post(world, 'zoom', signed)).status).toBe(200);
    world.jump(1);
    expect((await post(world, 'zoom', signed)).status).toBe(401);
    expect(await inbox(world)).toHaveLength(1);
  });

  it('cases 40, 46: Teams: missing, foreign and mangled client states', async () => {
    const { world, known } = await start('microsoft-teams');
    const bytes = genuine(known);
    const state = clientState(world, known.connection.accountId);
    const [account, mac] = state.split('.') as [string, string];
    const foreign = createHmac('sha256', 'guessed').update(known.connection.accountId).digest('base64url');
    const states = [undefined, '', 'secretClientValue', state.slice(0, -1), `${state}A`, `${account}.`, `.${mac}`, `${account}.${foreign}`];
    const attempts = states.map((value): readonly [string, Signed] => [String(value), { bytes: withState(bytes, value), headers: {} }]);
    const typed = [7, null, true, [state], { clientState: state }].map((value): readonly [string, Signed] => [
      JSON.stringify(value),
      { bytes: Buffer.from(JSON.stringify({ value: [{ subscriptionId: known.subscriptionId, clientState: value }] })), headers: {} },
    ]);
    const outside = Buffer.from(JSON.stringify({ clientState: state, value: [{ subscriptionId: known.subscriptionId }] }));
    await expectRefused(world, 'microsoft-teams', [...attempts, ...typed, ['outside the item', { bytes: outside, headers: {} }]]);
  });

  it('case 49: Google: every way to get a push token wrong', async () => {
    const { world, known } = await start('google-meet');
    const bytes = genuine(known);
    const seconds = world.now().getTime() / 1_000;
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [head, claims, mac] = (await googleToken(world)).split('.') as [string, string, string];
    const decoded = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object;
    const hmac = async (key: string) => {
      const text = `${encode({ alg: 'HS256', kid: 'google-1', typ: 'JWT' })}.${claims}`;
      return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
    };
    const tokens: Record<string, string> = {
      'wrong audience': await googleToken(world, { aud: 'https://other.example' }),
      'several audiences': await googleToken(world, { aud: [`${world.publicUrl}/webhooks/google-meet`, 'https://other.example'] }),
      'wrong account': await googleToken(world, { email: 'somebody@else.iam.gserviceaccount.com' }),
      'account not verified': await googleToken(world, { email_verified: false }),
      'account verified as text': await googleToken(world, { email_verified: 'true' }),
      expired: await googleToken(world, { iat: seconds - 7_200, exp: seconds - 3_600 }),
      'not yet': await googleToken(world, { iat: seconds + 3_600, exp: seconds + 7_200 }),
      'other issuer': await googleToken(world, { iss: 'https://accounts.google.com.evil.example' }),
      'unknown key': await googleToken(world, {}, await signing('google-9')),
      "another's key under a known id": await googleToken(world, {}, STRANGERS_KEY),
      'no algorithm': `${encode({ alg: 'none', kid: 'google-1', typ: 'JWT' })}.${claims}.`,
      'no algorithm, with a signature': `${encode({ alg: 'none', kid: 'google-1', typ: 'JWT' })}.${claims}.${mac}`,
      'HS256 with the public key': await hmac(await exportSPKI((await importJWK(GOOGLE_KEY.jwk, 'RS256')) as CryptoKey)),
      'changed claims': `${head}.${encode({ ...decoded, email_verified: true, sub: '1' })}.${mac}`,
      truncated: `${head}.${claims}.${mac.slice(0, -4)}`,
      empty: '',
    };
    await expectRefused(world, 'google-meet', [
      ['no header', { bytes, headers: {} }],
      ['Basic', { bytes, headers: { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` } }],
      ['no Bearer', { bytes, headers: { authorization: `${head}.${claims}.${mac}` } }],
      ...Object.entries(tokens).map(([name, token]): readonly [string, Signed] => [
        name,
        { bytes, headers: { authorization: `Bearer ${token}` } },
      ]),
    ]);
    expect(await deliver(world, known, bytes)).toBe(204);
  });

  it.each(VENDORS)('case 51: %s: a body over the limit is 413, proven or not, announced or not, and nothing is kept', async (vendor) => {
    const { world, known } = await start(vendor);
    const large = Buffer.from(JSON.stringify({ ...(JSON.parse(genuine(known).toString()) as object), padding: 'x'.repeat(256 * 1024) }));
    const { bytes, headers } = await sign(world, known, large);
    const url = webhookUrl(world, vendor);
    for (const length of [{ 'content-length': bytes.length }, { 'transfer-encoding': 'chunked' }]) {
      for (const proof of [headers, {}]) {
        // The server may close before everything is sent; what it said counts, when it came through.
        const answer = await exactly(url, { headers: { ...proof, ...length }, body: bytes }).catch(() => undefined);
        expect(answer?.status ?? 413).toBe(413);
      }
    }
    expect(await inbox(world)).toEqual([]);
    expect(await deliver(world, known, genuine(known))).toBeLessThan(300);
  });
});

describe('deliveries that come again', () => {
  const effects = async (world: World, known: Known) => ({
    rows: (await inbox(world)).map(({ state }) => state),
    told: await toldAbout(world, known.meeting.id),
  });

  it('cases 32, 34, 43: Zoom: the same bytes, a new signature, other spaces, another order of keys', async () => {
    const { world, known } = await start('zoom');
    const bytes = genuine(known);
    const signed = await sign(world, known, bytes);
    for (let time = 0; time < 3; time++) expect((await post(world, 'zoom', signed)).status).toBe(200);
    world.jump(5 * MINUTE);
    expect(await deliver(world, known, bytes)).toBe(200);
    expect(await deliver(world, known, Buffer.from(JSON.stringify(JSON.parse(bytes.toString()))))).toBe(200);
    const { event, event_ts, payload } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    expect(await deliver(world, known, Buffer.from(JSON.stringify({ payload, event_ts, event }, null, 4)))).toBe(200);
    expect(await effects(world, known)).toEqual({ rows: ['applied'], told: ['meeting.started'] });
  });

  it('cases 32, 33: Zoom: a hundred at once are one', async () => {
    const { world, known } = await start('zoom');
    const signed = await sign(world, known, genuine(known));
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(world, 'zoom', signed)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await lookedAt(world);
    expect(await effects(world, known)).toEqual({ rows: ['applied'], told: ['meeting.started'] });
  });

  it('cases 32, 43: Teams: the same item alone, in a batch with itself, and with other members', async () => {
    const { world, known } = await start('microsoft-teams');
    const { value } = JSON.parse(genuine(known).toString()) as { value: Record<string, unknown>[] };
    for (const items of [
      value,
      [...value, ...value],
      value.map((item) => ({ ...item, subscriptionExpirationDateTime: 'later', extra: 1 })),
    ])
      expect(await deliver(world, known, Buffer.from(JSON.stringify({ value: items })))).toBe(202);
    expect((await effects(world, known)).rows).toEqual(['applied']);
  });

  it('cases 32, 50: Google: the same event under a new message id and time', async () => {
    const { world, known } = await start('google-meet');
    const attributes = { 'ce-source': source(known.subscriptionId), 'ce-type': 'google.workspace.meet.future.v9' };
    for (const message of [{}, { messageId: '2', publishTime: '2026-11-20T11:00:00Z' }, { deliveryAttempt: 5 }])
      expect(await deliver(world, known, push(attributes, {}, message))).toBe(204);
    expect((await effects(world, known)).rows).toEqual(['applied']);
  });
});

/** What the inbox says about an entry in this state. */
const REASONS: Readonly<Record<string, unknown>> = { parked: expect.stringContaining('malformed'), applied: null };
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('proven deliveries that are hostile or broken', () => {
  /** Zoom's documented body with one member of the payload's object replaced by raw JSON. */
  const zoomWith = (known: Known, member: string, json: string): string =>
    genuine(known)
      .toString()
      .replace(new RegExp(`"${member}": ?("[^"]*"|\\d+)`), `"${member}": ${json}`);

  const zoomBodies: readonly [name: string, state: string, body: (known: Known) => string | Buffer][] = [
    ['nothing', 'parked', () => ''],
    ['one byte', 'parked', () => '{'],
    ['half a document', 'parked', (known) => genuine(known).toString().slice(0, -10)],
    ['a trailing comma', 'parked', () => '{"event":"meeting.started",}'],
    ['a comment', 'parked', () => '{/**/"event":"meeting.started"}'],
    ['not a number', 'parked', () => '{"event":"meeting.started","event_ts":NaN}'],
    ['null', 'parked', () => 'null'],
    ['text', 'parked', () => '"meeting.started"'],
    ['an array', 'parked', () => '[{"event":"meeting.started"}]'],
    ['the event as an object', 'parked', () => '{"event":{"toString":"meeting.started"}}'],
    ['no payload', 'parked', () => '{"event":"meeting.started","event_ts":1626230691572}'],
    ['a moment far away', 'parked', (known) => genuine(known).toString().replace('1626230691572', '1e300')],
    ['a huge id', 'parked', (known) => zoomWith(known, 'id', '12345678901234567890')],
    ['an id of another type', 'parked', (known) => zoomWith(known, 'id', '{"a":1}')],
    ['an id with NUL', 'parked', (known) => zoomWith(known, 'id', '"12\\u00003"')],
    ['only nesting', 'parked', () => nested(100_000)],
    ['nesting in the payload', 'parked', (known) => zoomWith(known, 'uuid', nested(100_000))],
    ['nesting in the id', 'parked', (known) => zoomWith(known, 'id', nested(100_000))],
    ['nesting where nobody looks', 'applied', (known) => zoomWith(known, 'topic', nested(100_000))],
    ['invalid UTF-8', 'parked', (known) => Buffer.concat([genuine(known), Buffer.from([0x22, 0xff, 0x22])])],
    ['UTF-16', 'parked', (known) => Buffer.from(genuine(known).toString(), 'utf16le')],
    ['a byte order mark', 'applied', (known) => `\ufeff${genuine(known).toString()}`],
    ['raw NUL', 'parked', (known) => genuine(known).toString().replace('My Meeting', 'My\0Meeting')],
    [
      'prototypes',
      'applied',
      (known) => zoomWith(known, 'topic', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    ],
    ['a prototype around it', 'applied', (known) => genuine(known).toString().replace('{', '{"__proto__":{"polluted":1},"toString":1,')],
    ['a key twice', 'applied', (known) => genuine(known).toString().replace('{', '{"event":"unknown.thing",')],
    [
      'thirty thousand keys',
      'applied',
      (known) =>
        genuine(known)
          .toString()
          .replace('{', `{${manyKeys(20_000)},`),
    ],
    [
      'an unknown kind',
      'applied',
      () => '{"event":"meeting.teleported","event_ts":1626230691572,"payload":{"account_id":"a","object":{}}}',
    ],
    ['the name of an inherited member', 'applied', () => '{"event":"constructor","event_ts":1626230691572,"payload":{}}'],
    ['members of tomorrow', 'applied', (known) => genuine(known).toString().replace('{', '{"event_version":9,"payload2":[],')],
  ];

  it('cases 39, 55-57: Zoom: are acknowledged, then applied or set aside with a reason, and others are not affected', async () => {
    const { world, known } = await start('zoom');
    for (const [index, [name, state, body]] of zoomBodies.entries()) {
      const before = new Set((await inbox(world)).map(({ key }) => key));
      const content = body(known);
      // Each at a moment of its own, so that none is a repeat of another.
      const bytes = typeof content === 'string' ? content.replace('1626230691572', String(1_626_230_691_572 + index)) : content;
      expect(await deliver(world, known, Buffer.from(bytes)), name).toBe(200);
      const added = (await inbox(world)).filter(({ key }) => !before.has(key));
      expect(added, name).toMatchObject([{ state, reason: REASONS[state] }]);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect((await meetingNow(world, known.meeting.id)).state).toBe('live');
    expect(await toldAbout(world, known.meeting.id)).toEqual(['meeting.started']);
  });

  it('cases 39, 50, 55-57: Google: are acknowledged, then applied or set aside with a reason', async () => {
    const { world, known } = await start('google-meet');
    const attributes = { 'ce-source': source(known.subscriptionId) };
    const event = (more: Record<string, string>, data: unknown, message = {}) => push({ ...attributes, ...more }, data, message);
    const bodies: readonly [name: string, state: string, body: Buffer][] = [
      ['nothing', 'parked', Buffer.alloc(0)],
      ['no JSON', 'parked', Buffer.from('not JSON')],
      ['only nesting', 'parked', Buffer.from(nested(100_000))],
      ['bad base64', 'parked', event({ 'ce-id': '1' }, {}, { data: '%%%' })],
      ['no data', 'parked', event({ 'ce-id': '2' }, {}, { data: '' })],
      ['data is an object', 'parked', event({ 'ce-id': '3' }, {}, { data: {} })],
      ['nested data', 'parked', event({ 'ce-id': '4' }, nested(50_000))],
      ['data without its resource', 'parked', event({ 'ce-id': '5' }, { conferenceRecord: {} })],
      ['a resource that is a path', 'parked', event({ 'ce-id': '6' }, { conferenceRecord: { name: '../../v1/subscriptions/x' } })],
      ['a resource with NUL', 'parked', event({ 'ce-id': '7' }, { conferenceRecord: { name: 'conferenceRecords/a\0b' } })],
      ['no attributes', 'parked', event({}, {}, { attributes: null })],
      ['prototypes', 'parked', event({ 'ce-id': '8' }, '{"__proto__":{"conferenceRecord":{"name":"conferenceRecords/a"}}}')],
      ['a moment far away', 'parked', event({ 'ce-id': '9', 'ce-time': '9999999-01-01T00:00:00Z' }, {})],
      ['an unknown kind', 'applied', event({ 'ce-id': '10', 'ce-type': 'google.workspace.meet.future.v9' }, {})],
      ['an inherited kind', 'applied', event({ 'ce-id': '11', 'ce-type': 'constructor' }, {})],
      ['a conference that is gone', 'applied', event({ 'ce-id': '12' }, { conferenceRecord: { name: 'conferenceRecords/gone' } })],
    ];
    for (const [name, state, body] of bodies) {
      const before = new Set((await inbox(world)).map(({ key }) => key));
      expect(await deliver(world, known, body), name).toBe(204);
      const added = (await inbox(world)).filter(({ key }) => !before.has(key));
      expect(added, name).toMatchObject([{ state, reason: REASONS[state] }]);
    }
    expect(({} as Record<string, unknown>)['conferenceRecord']).toBeUndefined();
  });

  it('cases 39, 46, 56, 57: Teams: good items of a batch are taken, whatever stands beside them', async () => {
    const { world, known } = await start('microsoft-teams');
    const state = clientState(world, known.connection.accountId);
    const good = { subscriptionId: known.subscriptionId, clientState: state, changeType: 'created' };
    const items = [
      JSON.stringify({ ...good, resource: 'users/1/messages/1' }),
      JSON.stringify({ ...good, resource: 'users/1/messages/2', clientState: 'wrong' }),
      'null',
      '"text"',
      nested(50_000),
      JSON.stringify({ ...good, resource: 'users/1/messages/3' }).replace('}', `,"resourceData":${nested(50_000)}}`),
      JSON.stringify({ ...good, resource: 'users/1/messages/4' }).replace('{', '{"__proto__":{"polluted":1},'),
      JSON.stringify({ ...good, subscriptionId: 'x'.repeat(300) }),
      JSON.stringify({ ...good, subscriptionId: 7 }),
      JSON.stringify({ ...good, resource: 'users/1/messages/5\u0000', changeType: 'unheard of' }),
    ];
    const answer = await post(world, 'microsoft-teams', { bytes: Buffer.from(`{"value":[${items.join(',')}]}`), headers: {} });
    expect(answer.status).toBe(202);
    await lookedAt(world);
    const rows = await inbox(world);
    expect(rows.map((row) => row.state)).toEqual(['applied', 'applied', 'applied', 'applied']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    for (const bytes of ['', '{', 'null', nested(100_000), '{"value":{}}', '{"value":[]}'].map((text) => Buffer.from(text)))
      expect((await post(world, 'microsoft-teams', { bytes, headers: {} })).status).toBe(401);
    expect(await inbox(world)).toHaveLength(4);
  });
});

const manyKeys = (count: number): string => Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',');

describe('handshakes', () => {
  const challenge = (plainToken: unknown): Buffer =>
    Buffer.from(JSON.stringify({ event: 'endpoint.url_validation', event_ts: 1_654_503_849_680, payload: { plainToken } }));

  it('case 44: Zoom: the answer to a challenge can never be the signature of an event', async () => {
    const world = await webhookWorld();
    const timestamp = Math.floor(world.now().getTime() / 1_000);
    const forged = '{"event":"app_deauthorized","payload":{"account_id":"a"}}';
    const wanted = createHmac('sha256', world.zoomWebhookSecret).update(`v0:${timestamp}:${forged}`).digest('hex');
    const tokens = [
      `v0:${timestamp}:${forged}`,
      'a:b',
      '<script>alert(1)</script>',
      'a\r\nset-cookie: a=b',
      '',
      ' ',
      'é',
      'a'.repeat(201),
      'a'.repeat(200_000),
      7,
      null,
      { toString: 'a' },
      ['a'],
    ];
    for (const token of tokens) {
      const bytes = challenge(token);
      for (const headers of [{}, signZoom(world.zoomWebhookSecret, bytes, world.now())]) {
        const answer = await post(world, 'zoom', { bytes, headers });
        expect(answer.status, JSON.stringify(token)?.slice(0, 50)).toBe(401);
        const text = await answer.text();
        expect(text).not.toContain(wanted);
        expect(text).not.toContain('script');
      }
    }
    const answer = await post(world, 'zoom', { bytes: challenge('qgg8vlvZRS6UYooatFL8Aw'), headers: {} });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await inbox(world)).toEqual([]);
  });

  it('case 45: Graph: a validation token comes back as plain text that no browser runs', async () => {
    const world = await webhookWorld();
    for (const path of ['', '/lifecycle']) {
      for (const token of [
        'Validation: Testing client application',
        '<script>alert(1)</script>',
        'a\r\nset-cookie: a=b',
        '"><img src=x>',
        'é+%',
      ]) {
        const url = `${webhookUrl(world, 'microsoft-teams')}${path}?validationToken=${encodeURIComponent(token)}`;
        const answer = await fetch(url, { method: 'POST' });
        expect(answer.status).toBe(200);
        expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
        expect(answer.headers.get('set-cookie')).toBeNull();
        expect(await answer.text()).toBe(token);
      }
      const large = await fetch(`${webhookUrl(world, 'microsoft-teams')}${path}?validationToken=${'a'.repeat(10_000)}`, { method: 'POST' });
      expect(large.status).toBe(401);
    }
  });

  it('case 45: only Graph is answered like that, and only to POST', async () => {
    const world = await webhookWorld();
    const query = '?validationToken=hello';
    for (const vendor of ['zoom', 'google-meet'] as const)
      expect((await fetch(`${webhookUrl(world, vendor)}${query}`, { method: 'POST' })).status).toBe(401);
    for (const method of ['GET', 'PUT'])
      expect((await fetch(`${webhookUrl(world, 'microsoft-teams')}${query}`, { method })).status).toBeGreaterThanOrEqual(404);
    expect(await inbox(world)).toEqual([]);
  });
});

describe('deliveries about what is not known', () => {
  const stranger = (known: Known): Buffer => {
    if (known.vendor === 'zoom') return zoomFixture('meeting.started');
    if (known.vendor === 'google-meet')
      return push({ 'ce-source': source('subscriptions/somebody-elses') }, { conferenceRecord: { name: 'conferenceRecords/a' } });
    return Buffer.from(teamsFixture('notification-recording-basic.json'));
  };

  it.each(VENDORS)('case 38: %s: are looked at again for an hour, then forgotten and counted', async (vendor) => {
    const { world, known } = await start(vendor);
    expect(await deliver(world, known, stranger(known))).toBeLessThan(300);
    expect(await inbox(world)).toMatchObject([{ state: 'pending', reason: 'unmatched' }]);
    const later = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 5 * MINUTE) {
        world.jump(5 * MINUTE);
        await lookedAt(world);
      }
    };
    await later(45 * MINUTE);
    expect(await inbox(world)).toMatchObject([{ state: 'pending', body: 'kept' }]);
    await later(30 * MINUTE);
    expect(await inbox(world)).toMatchObject([{ state: 'dropped', body: null, reason: 'unmatched' }]);
    const metrics = await fetch(`${world.publicUrl}/metrics`, { headers: { authorization: 'Bearer a-token-of-metrics' } });
    expect(await metrics.text()).toMatch(/^gateway_inbox_dropped 1$/m);
    // Nobody's: no meeting of ours was touched.
    expect((await meetingNow(world, known.meeting.id)).state).toBe('confirmed');
  });

  it('case 38: Zoom: an event that overtook the answer with the meeting id is applied once the id is known', async () => {
    const { world, known } = await start('zoom');
    const { db } = world.gateway.gateway;
    const name = (vendorMeetingId: string | null) => db.write((tx) => tx.update(tx.t.meetings).set({ vendorMeetingId }));
    await name(null);
    expect(await deliver(world, known, genuine(known))).toBe(200);
    expect((await meetingNow(world, known.meeting.id)).state).toBe('confirmed');
    await name(known.meeting.vendorMeetingId);
    world.jump(5 * MINUTE);
    await lookedAt(world);
    expect((await meetingNow(world, known.meeting.id)).state).toBe('live');
    expect(await inbox(world)).toMatchObject([{ state: 'applied' }]);
  });

  it('case 38: Teams: nothing is asked on behalf of an account that was disconnected', async () => {
    const { world, known } = await start('microsoft-teams');
    expect((await world.api('DELETE', `/v1/connections/${known.connection.id}`)).status).toBeLessThan(300);
    const { traffic } = world.sandbox.sandbox;
    const before = traffic.requests().length;
    const bytes = Buffer.from(
      teamsFixture('notification-recording-basic.json').toString().replace('6aa5ced2-0a5a-4643-9274-3109c731d986', known.subscriptionId),
    );
    expect(await deliver(world, known, bytes)).toBe(202);
    expect(await inbox(world)).toMatchObject([{ state: 'pending', reason: 'unmatched' }]);
    expect(traffic.requests().slice(before)).toEqual([]);
  });

  it('case 36: Zoom: news that comes after the links have died brings nothing back', async () => {
    const { world, known } = await start('zoom');
    const completed = (at: string) =>
      Buffer.from(
        zoomFixture('recording.completed').toString().replaceAll('1234567890', known.meeting.vendorMeetingId!).replace('1626230691572', at),
      );
    await deliver(world, known, completed('1626230691572'));
    const published = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
    const [link] = published.data['links'] as { url: string }[];
    for (let day = 0; day < 15; day++) world.jump(DAY);
    await world.receiver.waitFor('recording.expired', ({ type }) => type === 'recording.expired');
    expect(await deliver(world, known, completed('1626230699999'))).toBe(200);
    expect((await inbox(world)).map(({ state }) => state)).toEqual(['applied', 'applied']);
    expect((await toldAbout(world, known.meeting.id)).filter((type) => type === 'recording.published')).toHaveLength(1);
    expect((await fetch(link!.url)).status).toBe(410);
  });
});

describe('requests that are no deliveries', () => {
  it('case 59: other methods and other spellings of the address lead nowhere', async () => {
    const { world, known } = await start('zoom');
    const { bytes, headers } = await sign(world, known, genuine(known));
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const { status, text } = await exactly(webhookUrl(world, 'zoom'), {
        method,
        headers,
        ...(method === 'TRACE' ? {} : { body: bytes }),
      });
      expect([404, 405, 400], `${method} ${status}`).toContain(status);
      expect(text).not.toContain(headers['x-zm-signature']);
    }
    for (const path of [
      '//webhooks/zoom',
      '/webhooks//zoom',
      '/webhooks/zoom/',
      '/webhooks/ZOOM',
      '/webhooks%2fzoom',
      '/webhooks/zoom;a=b',
      '/webhooks/zoom%00',
      '/webhooks/zoom/../zoom2',
      '/webhooks/zoom/lifecycle',
      '/webhooks/webex',
      '/webhooks/__proto__',
      '/webhooks',
    ])
      expect((await exactly(webhookUrl(world, 'zoom'), { path, headers, body: bytes })).status, path).toBe(404);
    expect(await inbox(world)).toEqual([]);
  });

  it('case 58: the proof decides, not the announced type of the content', async () => {
    const { world, known } = await start('zoom');
    const { bytes, headers } = await sign(world, known, genuine(known));
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'nonsense', '']) {
      expect((await exactly(webhookUrl(world, 'zoom'), { headers: { ...headers, 'content-type': type }, body: bytes })).status).toBe(200);
      expect((await exactly(webhookUrl(world, 'zoom'), { headers: { 'content-type': type }, body: bytes })).status).toBe(401);
    }
    await lookedAt(world);
    expect(await inbox(world)).toMatchObject([{ state: 'applied' }]);
  });

  it.each(['gzip', 'br', 'deflate', 'x-unheard-of'])('case 52: a body that is said to be compressed (%s) is 415', async (encoding) => {
    const { world, known } = await start('zoom');
    const { bytes, headers } = await sign(world, known, genuine(known));
    const answer = await exactly(webhookUrl(world, 'zoom'), { headers: { ...headers, 'content-encoding': encoding }, body: bytes });
    expect(answer.status).toBe(415);
    expect(await inbox(world)).toEqual([]);
  });

  it('case 54: headers that are too large or broken are refused by the server', async () => {
    const world = await webhookWorld();
    const { hostname, port } = new URL(world.publicUrl);
    const send = (lines: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connectSocket(Number(port), hostname, () =>
          socket.write(`POST /webhooks/zoom HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`),
        );
        let text = '';
        socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        socket.on('error', () => {});
        socket.on('close', () => resolve(text.split('\r\n')[0]!));
      });
    expect(await send(`X-Large: ${'a'.repeat(17 * 1024)}`)).toContain(' 431 ');
    expect(await send('X-Zm-Signature: a\0b')).toContain(' 400 ');
    expect(await send('X-Zm-Signature : a')).toContain(' 400 ');
    expect(await send('Content-Length: 2\r\nContent-Length: 3')).toContain(' 400 ');
    expect(await send('Content-Length: 2\r\nTransfer-Encoding: chunked')).toContain(' 400 ');
    const many = Array.from({ length: 1_900 }, (_, index) => `A${index}: 1`).join('\r\n');
    expect(await send(`Connection: close\r\nContent-Length: 0\r\n${many}`)).toMatch(/ (401|431) /);
    expect((await fetch(`${world.publicUrl}/healthz`)).status).toBe(200);
  });
});
