import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { settled } from '../support/gateway.ts';
import { startSink } from '../support/sink.ts';
import { built } from '../support/support.ts';
import { connect, testWorld } from '../support/world.ts';
import { clientOf } from './support.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** What a project needs to be type-checked; at run time it has none of it. */
const FOR_TYPES = ['zod', '@types/node', 'undici-types'];

/** The TypeScript of the README's section for backends. */
async function examplesOfReadme(): Promise<string[]> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const section = readme.split('\n## ').find((text) => text.startsWith('For your backend'))!;
  return [...section.matchAll(/```ts\n(?<code>.*?)```/gs)].map(({ groups }) => groups!['code']!);
}

/** A project of somebody else, with the package as npm packs it. */
async function createProject(): Promise<{
  folder: string;
  write(name: string, text: string): Promise<void>;
  check(...options: string[]): Promise<unknown>;
}> {
  await built();
  const folder = await mkdtemp(join(tmpdir(), 'consumer-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
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
        [join(ROOT, 'node_modules/typescript/bin/tsc'), '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', ...options],
        {
          cwd: folder,
        },
      ).catch((error: { stdout: string }) => {
        throw new Error(error.stdout);
      }),
  };
}

describe('the package', () => {
  it('has the client for a project that has nothing else, and the examples of the README do what they say', async () => {
    const project = await createProject();
    const [booking, receiver] = await examplesOfReadme();
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
    // The declarations are checked, too.
    await project.check('--skipLibCheck', 'false', '--module', 'nodenext', '--types', 'node', 'main.ts');
    for (const name of FOR_TYPES) await rm(join(project.folder, 'node_modules', name));

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
      const { stdout } = await run(process.execPath, ['main.js'], { cwd: project.folder, env });
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
  }, 180_000);

  it('type-checks where there are no types of Node.js, and refuses what the API would refuse', async () => {
    const project = await createProject();
    const worker = (body: string) => `import { createClient, verifyEvent, type Meeting } from 'conferencing-gateway/client';
      const gateway = createClient({ baseUrl: 'https://gateway.example', apiKey: 'key' });
      export default { fetch: async (request: Request): Promise<Meeting | string> => { ${body} } };`;
    const check = () =>
      project.check(
        '--skipLibCheck',
        'false',
        '--noEmit',
        '--module',
        'esnext',
        '--moduleResolution',
        'bundler',
        '--lib',
        'es2023,dom,dom.iterable,dom.asynciterable',
        'worker.ts',
      );
    await project.write('worker.ts', worker(`return (await verifyEvent(await request.text(), request.headers, ['whsec_'])).type;`));
    await check();
    for (const [body, complaint] of [
      [`return gateway.meetings.create({ booking: { id: 'bk_1' } });`, /missing the following properties|is missing/],
      [`return gateway.meetings.cancel(7);`, /not assignable to parameter of type 'string'/],
      [`return (await gateway.meetings.get('mtg_1')).titel;`, /Property 'titel' does not exist/],
      [
        `await gateway.webhookEndpoints.create({ url: 'https://a.example', events: ['meeting.exploded'] }); return '';`,
        /meeting\.exploded/,
      ],
      [`await gateway.meetings.list({ state: 'asleep' }); return '';`, /"asleep"/],
      [`const { type } = await verifyEvent('', {}, ''); return type === 'meeting.exploded' ? '' : type;`, /no overlap/],
    ] as const) {
      await project.write('worker.ts', worker(body));
      await expect(check(), body).rejects.toThrow(complaint);
    }
  }, 180_000);
});
