/** Targets and receivers that want the gateway to call what it should not: over real TLS, with a resolver that says what a test wants. */
import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { createServer as createTcpServer, type AddressInfo, type LookupFunction, type Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { eq } from 'drizzle-orm';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { createSandbox } from '../../sandbox/app.ts';
import { createSend, type Send } from '../../src/events/deliver.ts';
import { createPublicLookup, isPublicAddress } from '../../src/events/target.ts';
import { tellTrouble } from '../../src/events/trouble.ts';
import { selfSigned } from '../support/certificate.ts';
import { boughtMeeting, createMeeting, eventually, must, settled } from '../support/gateway.ts';
import { addPlatformHost, connect, testWorld } from '../support/world.ts';

const NAMES = ['hooks.shop.example', 'hooks.other.example'];
const TRUSTED = selfSigned({ names: NAMES });
/** In these tests, the one address that counts as public; every other one of loopback is as private as it really is. */
const PUBLIC = '127.0.0.1';
const PRIVATE = '127.0.0.2';

interface Heard {
  readonly name: string | false | null;
  readonly headers: IncomingHttpHeaders;
  readonly path: string | undefined;
}

interface Receiver {
  readonly port: number;
  readonly heard: readonly Heard[];
  readonly connections: () => number;
}

async function listen(server: Server, host: string): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

/** A marketplace's https server. */
async function receiver({
  identity = TRUSTED,
  status = 204,
  headers = {},
}: { identity?: typeof TRUSTED; status?: number; headers?: Record<string, string> } = {}): Promise<Receiver> {
  const heard: Heard[] = [];
  const server = createHttpsServer({ key: identity.privateKey, cert: identity.certificate }, (request, response) => {
    heard.push({ name: (request.socket as TLSSocket & { servername: string }).servername, headers: request.headers, path: request.url });
    request.resume();
    response.writeHead(status, headers).end();
  });
  return { ...(await listen(server, PUBLIC)), heard };
}

/** Something of ours that nobody from outside should reach. */
async function canary(host = PRIVATE): Promise<{ port: number; connections: () => number }> {
  return listen(
    createTcpServer((socket) => socket.end()),
    host,
  );
}

type Script = (name: string, count: number) => readonly string[];

/** Answers by a script: which addresses a name has, the n-th time that somebody asks. An empty list is a name that does not exist. */
function resolver(script: Script) {
  const asked: string[] = [];
  const resolve = ((name: string, _options: unknown, callback: (error: Error | null, addresses: dns.LookupAddress[]) => void) => {
    asked.push(name);
    const addresses = script(name, asked.length).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const missing = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
    setImmediate(() => callback(addresses.length === 0 ? missing : null, addresses));
  }) as unknown as typeof dns.lookup;
  return { asked, resolve };
}

/** The real client, with a resolver and an authority of the test's. */
function client(script: Script, { ca = TRUSTED.certificate } = {}) {
  const { asked, resolve } = resolver(script);
  const lookup: LookupFunction = createPublicLookup({ resolve, isPublic: (address) => address === PUBLIC || isPublicAddress(address) });
  const { send, close } = createSend({ allowPrivate: false, connect: { ca, lookup } });
  onTestFinished(close);
  return { asked, send, post: (url: string) => send({ url, headers: { 'webhook-id': 'evt_1' }, body: '{}' }) };
}

/** What the marketplace is told of an attempt that got no answer. */
const told = (attempt: ReturnType<Send>): Promise<string> =>
  attempt.then(
    ({ status }) => `answered ${status}`,
    (error: unknown) => tellTrouble(error),
  );

/** All look-ups of this process, vendors' included; put back when the test is over. */
function replaceSystemResolver(script: Script) {
  const real = dns.lookup;
  const stub = resolver(script);
  dns.lookup = stub.resolve;
  syncBuiltinESMExports();
  onTestFinished(() => {
    dns.lookup = real;
    syncBuiltinESMExports();
  });
  return stub;
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('a connection to an endpoint', () => {
  it('case 103: goes to the address that was checked, under the name that the marketplace gave', async () => {
    const server = await receiver();
    const { asked, post } = client(() => [PUBLIC]);
    await expect(post(`https://hooks.shop.example:${server.port}/events?tenant=1`)).resolves.toMatchObject({ status: 204 });
    expect(server.heard).toMatchObject([
      { name: 'hooks.shop.example', headers: { host: `hooks.shop.example:${server.port}` }, path: '/events?tenant=1' },
    ]);
    // Absolute: no search list of the machine is tried.
    expect(asked).toEqual(['hooks.shop.example.']);
  });

  it.each<[string, readonly string[]]>([
    ['a private address', [PRIVATE]],
    ['one public and one private address', [PUBLIC, PRIVATE]],
    ['one private and one public address', [PRIVATE, PUBLIC]],
    ['a public IPv4 address and a private IPv6 one', [PUBLIC, 'fd12:3456::1']],
    ['nothing but a private IPv6 address', ['::1']],
    ['the metadata service', ['169.254.169.254']],
    ['the metadata service by IPv6', ['fd00:ec2::254']],
    ["Azure's wire server", ['168.63.129.16']],
    ["Alibaba's metadata service", ['100.100.100.200']],
    ['a mapped address', ['::ffff:127.0.0.2']],
    ['an address behind NAT64', ['64:ff9b::7f00:2']],
    ['an address of a link', ['fe80::1%lo']],
    ['no address', []],
  ])('case 103: is not made when the name leads to %s', async (_what, addresses) => {
    const [server, inside] = [await receiver(), await canary()];
    const { asked, post } = client(() => addresses);
    for (const { port } of [server, inside]) {
      expect(await told(post(`https://hooks.shop.example:${port}/`))).toBe(
        'dns: The name does not lead to public addresses, or not to them alone.',
      );
    }
    expect(asked).toHaveLength(2);
    expect([server.connections(), inside.connections()]).toEqual([0, 0]);
  });

  it('case 103: asks once for each connection and goes where the answer leads, however fast the name turns', async () => {
    const [server, inside] = [await receiver({ headers: { connection: 'close' } }), await canary()];
    // Public when it is checked, private when it is asked again: a TTL of zero.
    const { asked, post } = client((_, count) => (count % 2 === 1 ? [PUBLIC] : [PRIVATE]));
    const outcomes: string[] = [];
    for (let count = 0; count < 6; count += 1) outcomes.push((await told(post(`https://hooks.shop.example:${server.port}/`))).slice(0, 12));
    expect(outcomes).toEqual(['answered 204', 'dns: The nam', 'answered 204', 'dns: The nam', 'answered 204', 'dns: The nam']);
    expect(asked).toHaveLength(6);
    expect(server.connections()).toBe(3);
    expect(inside.connections()).toBe(0);
  });

  it('case 103: is kept for the same name only, and for a minute only', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const server = await receiver({ headers: { 'keep-alive': 'timeout=600' } });
    let addresses = [PUBLIC];
    const { asked, post } = client(() => addresses);
    const [shop, other] = NAMES.map((name) => `https://${name}:${server.port}/`) as [string, string];
    for (const url of [shop, other, shop, other]) expect(await told(post(url))).toBe('answered 204');
    // The same address and port, and yet a connection for each name.
    expect(server.heard.map(({ name }) => name)).toEqual([...NAMES, ...NAMES]);
    expect(asked).toEqual(NAMES.map((name) => `${name}.`));
    expect(server.connections()).toBe(2);
    addresses = [PRIVATE];
    vi.setSystemTime(Date.now() + 61_000);
    expect(await told(post(shop))).toMatch(/^dns:/);
    expect(asked).toHaveLength(3);
    expect(server.heard).toHaveLength(4);
  });

  it('case 102: is never made to a literal address that is not public, though it was stored once', async () => {
    const inside = await canary(PUBLIC);
    const { asked, post } = client(() => [PUBLIC]);
    for (const url of [
      `https://127.0.0.1:${inside.port}/`,
      `https://2130706433:${inside.port}/`,
      `https://[::ffff:127.0.0.1]:${inside.port}/`,
      `https://[::1]:${inside.port}/`,
      `https://localhost:${inside.port}/`,
      `https://localhost.:${inside.port}/`,
      `http://127.0.0.1:${inside.port}/`,
      `https://user@hooks.shop.example:${inside.port}/`,
      'https://hooks.shop.example:22/',
    ])
      expect(await told(post(url)), url).toBe('blocked: The URL may not be called.');
    expect(asked).toEqual([]);
    expect(inside.connections()).toBe(0);
  });

  it('case 103: cannot be talked into a socket, an agent or a look-up by what a message carries', async () => {
    const server = await receiver();
    const { send } = client(() => [PUBLIC]);
    const smuggled = { socketPath: '/run/docker.sock', agent: false, lookup: null, dispatcher: null, method: 'GET', path: '/x' };
    const url = `https://hooks.shop.example:${server.port}/`;
    await send({ url, headers: {}, body: '{}', ...smuggled });
    expect(server.heard).toMatchObject([{ path: '/', name: 'hooks.shop.example' }]);
    for (const path of ['unix:/run/docker.sock', 'http+unix://%2frun%2fdocker.sock/', 'https://%2frun%2fdocker.sock/'])
      expect(await told(send({ url: path, headers: {}, body: '{}' })), path).toMatch(/^blocked:/);
  });

  it('case 103: uses the guarded look-up without being told', async () => {
    const inside = await canary();
    const { asked } = replaceSystemResolver((name) => (name.startsWith('inside') ? [PRIVATE] : []));
    const { send, close } = createSend({ allowPrivate: false });
    onTestFinished(close);
    const post = (url: string) => told(send({ url, headers: {}, body: '{}' }));
    const answers = [await post(`https://inside.shop.example:${inside.port}/`), await post(`https://nowhere.shop.example:${inside.port}/`)];
    expect(asked).toEqual(['inside.shop.example.', 'nowhere.shop.example.']);
    // Nobody learns which of them we have inside.
    expect(answers[0]).toBe(answers[1]);
    expect(inside.connections()).toBe(0);
  });
});

describe('a server that is not who it should be', () => {
  it.each([
    ['signed by nobody we know', { names: NAMES }, false, /^tls: .*\(DEPTH_ZERO_SELF_SIGNED_CERT\)\.$/],
    ['for another name', { names: ['evil.example'] }, true, /^tls: .*\(ERR_TLS_CERT_ALTNAME_INVALID\)\.$/],
    ['out of date', { names: NAMES, until: '260101000000Z' }, true, /^tls: .*\(CERT_HAS_EXPIRED\)\.$/],
  ] as const)('case 103: gets nothing when its certificate is %s', async (_what, certificate, known, answer) => {
    // Switches every check of Node off where a client does not insist.
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const identity = selfSigned(certificate);
    const server = await receiver({ identity });
    const { post } = client(() => [PUBLIC], { ca: known ? identity.certificate : TRUSTED.certificate });
    expect(await told(post(`https://hooks.shop.example:${server.port}/`))).toMatch(answer);
    expect(server.heard).toEqual([]);
  });

  it('case 107: is told by a word, whatever it does to the connection', async () => {
    const plain = await listen(
      createHttpServer((_, response) => response.end('secret of the house')),
      PUBLIC,
    );
    const closing = await canary(PUBLIC);
    const gone = createTcpServer();
    const { port: free } = await listen(gone, PUBLIC);
    await new Promise((resolve) => gone.close(resolve));
    const { post } = client(() => [PUBLIC]);
    const ask = (port: number) => told(post(`https://hooks.shop.example:${port}/`));
    expect(await ask(plain.port)).toMatch(/^tls: There was no TLS connection to trust \([A-Z_]+\)\.$/);
    expect(await ask(closing.port)).toBe('unreachable: The connection could not be made, or it broke off.');
    expect(await ask(free)).toBe('connection_refused: Nobody listens at this address and port.');
  });
});

describe('an answer', () => {
  it.each([301, 302, 303, 307, 308])('cases 94 and 104: with %i is a failure, and nobody goes where it points', async (status) => {
    const inside = await canary();
    for (const location of [`https://127.0.0.2:${inside.port}/`, `http://127.0.0.2:${inside.port}/`, 'https://hooks.other.example/']) {
      const server = await receiver({ status, headers: { location } });
      const { asked, post } = client(() => [PUBLIC]);
      await expect(post(`https://hooks.shop.example:${server.port}/`)).resolves.toMatchObject({ status });
      expect(server.heard).toHaveLength(1);
      expect(asked).toEqual(['hooks.shop.example.']);
    }
    expect(inside.connections()).toBe(0);
  });
});

describe('case 107: what is told of an attempt without an answer', () => {
  const failing = (code: string, message = `connect ${code} 10.1.2.3:443`) => Object.assign(new Error(message), { code });

  it.each<[string, unknown]>([
    ['dns', failing('ENOTFOUND', 'getaddrinfo ENOTFOUND db.inside')],
    ['dns', failing('EAI_AGAIN')],
    ['dns', failing('EADDRNOTPUBLIC')],
    ['connection_refused', failing('ECONNREFUSED')],
    ['connection_refused', Object.assign(new AggregateError([failing('ECONNREFUSED')]), { code: 'ECONNREFUSED' })],
    ['unreachable', failing('ECONNRESET')],
    ['unreachable', failing('EHOSTUNREACH')],
    ['unreachable', failing('UND_ERR_SOCKET')],
    ['unreachable', 'thrown 10.1.2.3'],
    ['timeout', failing('ETIMEDOUT')],
    ['timeout', failing('UND_ERR_CONNECT_TIMEOUT')],
    ['timeout', failing('UND_ERR_HEADERS_TIMEOUT')],
    ['timeout', failing('UND_ERR_BODY_TIMEOUT')],
    ['timeout', new DOMException('10.1.2.3', 'TimeoutError')],
    ['tls', failing('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
    ['tls', failing('ERR_SSL_WRONG_VERSION_NUMBER')],
    ['not_http', failing('HPE_INVALID_CONSTANT')],
    ['not_http', failing('UND_ERR_HEADERS_OVERFLOW')],
  ])('is %s, and never an address', (trouble, error) => {
    expect(tellTrouble(error)).toMatch(new RegExp(`^${trouble}: [A-Z][^0-9]+\\.$`));
    expect(tellTrouble(error)).not.toMatch(/inside|10\.1/);
  });

  it('is the same for a name of ours, one that is partly ours and one that nobody has', async () => {
    const world = await testWorld({ environment: { ALLOW_PRIVATE_WEBHOOK_TARGETS: 'false' } });
    const inside = await canary();
    replaceSystemResolver((name) => (name.startsWith('inside') ? [PRIVATE] : name.startsWith('mixed') ? ['8.8.8.8', PRIVATE] : []));
    const attempts = [];
    for (const name of ['inside', 'mixed', 'nowhere']) {
      const url = `https://${name}.shop.example:${inside.port}/`;
      attempts.push(await firstAttempt(world, url));
    }
    for (const attempt of attempts)
      expect(attempt).toMatchObject({ status: null, answer: 'dns: The name does not lead to public addresses, or not to them alone.' });
    expect(inside.connections()).toBe(0);
  });

  it('is that the URL is blocked, when a literal address was allowed once', async () => {
    const world = await testWorld({ environment: { ALLOW_PRIVATE_WEBHOOK_TARGETS: 'false' } });
    const inside = await canary(PUBLIC);
    const attempt = await firstAttempt(world, 'https://hooks.shop.example/', `http://127.0.0.1:${inside.port}/latest/meta-data`);
    expect(attempt).toMatchObject({ status: null, answer: 'blocked: The URL may not be called.' });
    expect(inside.connections()).toBe(0);
  });
});

/** Registers an endpoint, moves it in the database behind the API's back if asked to, and sends it a test event. */
async function firstAttempt({ api, gateway }: World, url: string, later = url): Promise<unknown> {
  const id = String(must(await api('POST', '/v1/webhook-endpoints', { url }), 201).json['id']);
  const { db } = gateway.gateway;
  await db.write((tx) => tx.update(tx.t.webhookEndpoints).set({ url: later }).where(eq(tx.t.webhookEndpoints.id, id)));
  must(await api('POST', `/v1/webhook-endpoints/${id}/test`), 202);
  return eventually('an attempt is written down', async () => {
    const { data } = must(await api('GET', `/v1/webhook-endpoints/${id}/deliveries`), 200).json as { data: { attempts: unknown[] }[] };
    return data[0]?.attempts[0];
  });
}

describe('what the gateway calls by itself', () => {
  it('case 106: goes to no proxy that the environment names', async () => {
    const proxy = await canary(PUBLIC);
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'])
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    vi.stubEnv('NO_PROXY', '');
    const sandbox = createSandbox({ now: () => new Date(), random: randomBytes, origin: 'http://sandbox.example', schedule: null });
    const { clientEmail, clientId, privateKey } = await sandbox.serviceAccount();
    const key = JSON.stringify({ client_email: clientEmail, client_id: clientId, private_key: privateKey });
    const world = await testWorld({
      environment: { MICROSOFT_PLATFORM_TENANT: '2432b57b-0abd-43db-aa7b-16eadd115d34', GOOGLE_SERVICE_ACCOUNT_KEY: key },
    });
    for (const vendor of ['zoom', 'microsoft-teams', 'google-meet'] as const) {
      await connect(world, vendor, { professionalId: `pro_${vendor}` });
      const booking = { id: `bk_${vendor}`, kind: 'one_to_one', title: 'Call' };
      await createMeeting(world, { provider: vendor, professional_id: `pro_${vendor}`, booking });
    }
    // With tokens of the gateway's own, which the vendors' libraries ask for.
    for (const [host, vendor] of [
      ['host@microsoft.sandbox.example', 'microsoft-teams'],
      ['host@google.sandbox.example', 'google-meet'],
    ] as const)
      await addPlatformHost(world, host, vendor);
    await settled(world);
    const server = await receiver();
    const { post } = client(() => [PUBLIC]);
    expect(await told(post(`https://hooks.shop.example:${server.port}/`))).toBe('answered 204');
    expect(world.receiver.events.map(({ type }) => type)).toContain('meeting.created');
    expect(proxy.connections()).toBe(0);
  });

  it('case 105: is never an uploaded link', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const { asked } = replaceSystemResolver(() => []);
    const url = 'https://us02web.zoom.us/rec/share/x';
    const recording = must(await world.api('POST', `/v1/meetings/${meeting.id}/recordings`, { url, title: 'Lesson' }), 201).json as {
      id: string;
      links: { url: string }[];
    };
    await settled(world);
    const link = recording.links[0]!.url;
    must(await visit(link), 200);
    const click = await visit(`${link}/media`);
    expect([click.status, click.headers.get('location')]).toEqual([303, url]);
    must(await world.api('GET', `/v1/recordings/${recording.id}`), 200);
    await settled(world);
    expect(asked).toEqual([]);
  });
});
