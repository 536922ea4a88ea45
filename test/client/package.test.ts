import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settled } from '../support/gateway.ts';
import { startSink } from '../support/sink.ts';
import { built } from '../support/support.ts';
import { connect, testWorld } from '../support/world.ts';
import { clientOf } from './support.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const run = promisify(execFile);

/** What a project needs to be type-checked; at run time it has none of it. */
const FOR_TYPES = ['zod', '@types/node', 'undici-types'];

/** The TypeScript of a section of a document. */
async function examplesOf(document: string, heading: string): Promise<string[]> {
  const text = await readFile(join(ROOT, document), 'utf8');
  const section = text.split('\n## ').find((one) => one.startsWith(heading))!;
  return [...section.matchAll(/```ts\n(?<code>.*?)```/gs)].map(({ groups }) => groups!['code']!);
}

interface Project {
  readonly folder: string;
  write(name: string, text: string): Promise<void>;
  /** What the compiler complains of; empty when it does not. */
  check(...options: string[]): Promise<string>;
}

/** A project of somebody else, with the package as npm packs it. */
async function createProject(): Promise<Project> {
  await built();
  const folder = await mkdtemp(join(tmpdir(), 'consumer-'));
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    maxBuffer: 2 ** 25,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const installed = join(folder, 'node_modules/conferencing-gateway');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', installed]);
  for (const name of FOR_TYPES) {
    const path = join(folder, 'node_modules', name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), path);
  }
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await write('package.json', '{ "type": "module" }');
  return {
    folder,
    write,
    check: (...options) =>
      run(
        process.execPath,
        [TSC, '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--target', 'es2022', ...options],
        {
          cwd: folder,
        },
      ).then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      ),
  };
}

describe('the package', () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject();
  });
  afterAll(() => rm(project.folder, { recursive: true, force: true }));

  it('has the client for a project that has nothing else, and the examples of the README do what they say', async () => {
    const [booking, receiver] = await examplesOf('README.md', 'For your backend');
    await project.write('booking.ts', booking!);
    await project.write('receiver.ts', receiver!);
    await project.write(
      'main.ts',
      `import { linksOf, upcoming } from './booking.js';
       import { receive } from './receiver.js';
       const { STARTS_AT, BODY, HEADERS } = process.env;
       const booking = { id: 'bk_1', title: 'Tax consultation', professional: 'pro_1', customer: 'cus_1', startsAt: new Date(STARTS_AT!) };
       const delivery = (body: string) => new Request('https://marketplace.example', { method: 'POST', body, headers: JSON.parse(HEADERS!) });
       const told = BODY === undefined ? [] : [await receive(delivery(BODY)), await receive(delivery(BODY + ' '))];
       console.log(JSON.stringify({ links: await linksOf(booking), upcoming: await upcoming('pro_1'), told: told.map(({ status }) => status) }));`,
    );
    // The package's declarations are checked, too.
    expect(await project.check('--module', 'nodenext', '--types', 'node', 'main.ts')).toBe('');
    const withoutTypes = join(project.folder, 'without-types');
    await cp(join(project.folder, 'node_modules/conferencing-gateway'), join(withoutTypes, 'node_modules/conferencing-gateway'), {
      recursive: true,
    });
    for (const name of ['package.json', 'booking.js', 'receiver.js', 'main.js'])
      await cp(join(project.folder, name), join(withoutTypes, name));

    const world = await testWorld();
    const gateway = clientOf(world);
    const play = async (more: Record<string, string> = {}) => {
      const env = {
        PATH: process.env['PATH'],
        GATEWAY_URL: world.publicUrl,
        API_KEY: world.apiKey,
        STARTS_AT: new Date(world.now().getTime() + 600_000).toISOString(),
        ...more,
      };
      const { stdout } = await run(process.execPath, ['main.js'], { cwd: withoutTypes, env });
      return JSON.parse(stdout) as { links: Record<string, string>; upcoming: string[]; told: number[] };
    };
    expect((await play()).links['connect']).toContain(`${world.publicUrl}/connect/`);
    await connect(world, 'zoom');
    const { links } = await play();
    expect(links).toEqual({ host: expect.stringContaining('/h/'), customer: expect.stringContaining('/j/') });
    const { data: meetings } = await gateway.meetings.list();
    await gateway.meetings.purchase(meetings[0]!.id, { customer_id: 'cus_1' });
    const sink = await startSink();
    const endpoint = await gateway.webhookEndpoints.create({ url: sink.url });
    await gateway.webhookEndpoints.test(endpoint.id);
    await settled(world);
    const [{ body, headers }] = sink.requests as [(typeof sink.requests)[0]];
    const signed = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-')));
    const again = await play({ BODY: body, HEADERS: JSON.stringify(signed), WEBHOOK_SECRET: endpoint.secret });
    expect(again).toEqual({ links, upcoming: ['Tax consultation'], told: [204, 401] });
  });

  it('and the examples of docs/events.md take what is delivered and the vector of the standard, and nothing else', async () => {
    const [receive, verify] = await examplesOf('docs/events.md', 'Receive');
    await project.write('receive.ts', `${receive}\ndeclare function show(customer: string, url: string): Promise<void>;`);
    await project.write('verify.ts', verify!);
    await project.write(
      'samples.ts',
      `import { receive } from './receive.js';
       import { verify } from './verify.js';
       const { CASES } = process.env;
       const said = [];
       for (const { body, headers, secret, at } of JSON.parse(CASES!)) {
         process.env['WEBHOOK_SECRET'] = secret;
         Date.now = () => at;
         const request = new Request('https://marketplace.example', { method: 'POST', body, headers });
         const answer = await receive(request).then(({ status }) => status, (error: { reason?: string }) => error.reason ?? String(error));
         said.push([verify(Buffer.from(body), headers, secret) !== undefined, answer]);
       }
       console.log(JSON.stringify(said));`,
    );
    expect(await project.check('--module', 'nodenext', '--types', 'node', 'samples.ts')).toBe('');

    const world = await testWorld();
    const gateway = clientOf(world);
    const sink = await startSink();
    const { id, secret } = await gateway.webhookEndpoints.create({ url: sink.url });
    await gateway.webhookEndpoints.rotateSecret(id);
    await gateway.webhookEndpoints.test(id);
    await settled(world);
    const { body, headers: all } = sink.requests[0]!;
    const headers = Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('webhook-')));
    const real = { body, headers, secret, at: Date.now() };
    const document = await readFile(join(ROOT, 'docs/events.md'), 'utf8');
    const inVector = (name: string) => new RegExp(`\\| ${name} \\| \`(.*)\` \\|`).exec(document)![1]!;
    const vector = {
      body: inVector('body'),
      headers: Object.fromEntries(['id', 'timestamp', 'signature'].map((name) => [`webhook-${name}`, inVector(`\`webhook-${name}\``)])),
      secret: inVector('secret'),
      at: Number(inVector('`webhook-timestamp`')) * 1_000,
    };
    const without = (name: string) => ({ ...real, headers: { ...headers, [name]: undefined } });
    const signed = (signature: string) => ({ ...real, headers: { ...headers, 'webhook-signature': signature } });
    const cases = [
      [real, true, 204],
      [{ ...real, body: `${body} ` }, false, 'signature_mismatch'],
      [{ ...real, at: real.at + 301_000 }, false, 204],
      [without('webhook-id'), false, 'headers_missing'],
      [without('webhook-timestamp'), false, 'headers_missing'],
      [without('webhook-signature'), false, 'headers_missing'],
      [signed(String(headers['webhook-signature']).replaceAll('v1,', 'v2,')), false, 'signature_mismatch'],
      [signed(`v1,${'\u00fc'.repeat(44)}`), false, 'signature_mismatch'],
      // No event of ours, and of 2021 by the machine's clock.
      [vector, true, 'outside_tolerance'],
      [{ ...vector, body: `${vector.body} ` }, false, 'outside_tolerance'],
    ] as const;
    const { stdout } = await run(process.execPath, ['samples.js'], {
      cwd: project.folder,
      env: { PATH: process.env['PATH'], CASES: JSON.stringify(cases.map(([one]) => one)) },
    });
    expect(JSON.parse(stdout)).toEqual(cases.map(([, ...said]) => said));
  });

  it('type-checks where there are no types of Node.js, and refuses what the API would refuse', async () => {
    const check = (name: string) =>
      project.check(
        '--noEmit',
        '--module',
        'esnext',
        '--moduleResolution',
        'bundler',
        '--types',
        '',
        '--lib',
        'es2023,dom,dom.iterable',
        name,
      );
    const worker = (lines: readonly string[]) => `import { createClient, verifyEvent } from 'conferencing-gateway/client';
      const gateway = createClient({ baseUrl: 'https://gateway.example', apiKey: 'key' });
      export async function work(request: Request) {\n${lines.join('\n')}\n}`;
    await project.write('right.ts', worker([`return (await verifyEvent(await request.text(), request.headers, ['whsec_'])).type;`]));
    expect(await check('right.ts')).toBe('');

    const wrong: readonly [string, RegExp][] = [
      [`await gateway.meetings.create({ booking: { id: 'bk_1' } });`, /missing the following properties/],
      [`await gateway.meetings.cancel(7);`, /not assignable to parameter of type 'string'/],
      [`(await gateway.meetings.get('mtg_1')).titel;`, /Property 'titel' does not exist/],
      [`await gateway.webhookEndpoints.create({ url: 'https://a.example', events: ['meeting.exploded'] });`, /"meeting\.exploded"/],
      [`await gateway.meetings.list({ state: 'asleep' });`, /"asleep"/],
      [`(await verifyEvent('', {}, '')).type === 'meeting.exploded';`, /no overlap/],
    ];
    await project.write('wrong.ts', worker(wrong.map(([line]) => line)));
    const complaints = (await check('wrong.ts')).split('\n').filter((line) => line.startsWith('wrong.ts('));
    // The code starts in the fourth line.
    for (const [index, [line, complaint]] of wrong.entries())
      expect(complaints.filter((one) => one.startsWith(`wrong.ts(${index + 4},`)).join('\n'), line).toMatch(complaint);
  });

  it('does not take the types of the server along, and nothing at run time but itself', async () => {
    const installed = join(project.folder, 'node_modules/conferencing-gateway/dist');
    const imports = async (folder: string, ending: string) => {
      const names = (await readdir(join(installed, folder), { recursive: true })).filter((name) => name.endsWith(ending));
      const texts = await Promise.all(names.map((name) => readFile(join(installed, folder, name), 'utf8')));
      return new Set(texts.flatMap((text) => [...text.matchAll(/from '([^'.][^']*)'/g)].map(([, specifier]) => specifier)));
    };
    expect(await imports('types', '.d.ts')).toEqual(new Set(['zod']));
    expect(await imports('src/client', '.js')).toEqual(new Set());
  });
});
