/**
 * `npm run demo`: the whole main job on all three vendors' stand-ins, over real HTTP. `-- --stay` leaves everything running,
 * `-- --marketplace tvip|fiverr|rodrun|guide` tells the story of one marketplace instead.
 */
import { parseArgs } from 'node:util';
import { PRESET_NAMES, type PresetName } from '../src/domain/presets/index.ts';
import { playLimit } from './limits.ts';
import { PLAYS } from './marketplaces/index.ts';
import { personOverHttp } from './person.ts';
import { checkExpired, playRules } from './rules.ts';
import { CASTS, check, checkGone, expect, playStory, type Published, type Say } from './story.ts';
import { createWorld } from './world.ts';

const DAY = 86_400_000;
const { stay, marketplace } = readOptions();
const startedAt = performance.now();

const world = await createWorld({
  logLevel: process.env['LOG_LEVEL'] ?? 'silent',
  operator: 'cli',
  clock: 'running',
  ...(marketplace === undefined ? {} : { policy: marketplace }),
});
const proven: { step: string; proof: string }[] = [];
let current = 'registration of the webhook endpoint';

const sayAbout =
  (app: string): Say =>
  (what, detail = '') => {
    current = `${app}: after ${what}`;
    proven.push({ step: `${app}: ${what}`, proof: detail });
    console.log(`  ✓ ${what}${detail === '' ? '' : `\n      ${detail}`}`);
  };

try {
  console.log(
    `Sandbox of the vendors ${world.sandbox.url}\nGateway                ${world.gateway.url}\nMarketplace            ${world.receiver.url}`,
  );
  const endpoint = await world.api('POST', '/v1/webhook-endpoints', { url: world.receiver.url });
  expect(endpoint, 201);
  world.receiver.secret = String(endpoint.json['secret']);

  if (marketplace !== undefined) {
    console.log(`\nA marketplace with the preset ${marketplace}`);
    await PLAYS[marketplace]({ world, say: sayAbout(marketplace), invite: personOverHttp(world.publicUrl) });
    check(world.receiver.rejected() === 0, 'every event was signed with the secret of the endpoint');
    printTable();
  } else await playMainJob();
} catch (error) {
  console.error(`\n✗ failed ${current}\n  ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await world.close();
}

async function playMainJob(): Promise<void> {
  const published: (Published & { app: string })[] = [];
  for (const cast of CASTS) {
    console.log(`\n${cast.app}`);
    current = `${cast.app}: connecting`;
    published.push({ app: cast.app, ...(await playStory(world, cast, sayAbout(cast.app))) });
  }

  if (stay) {
    const session = await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_you' });
    console.log(
      `\nStill running, until Ctrl+C. Open in a browser:\n  connect page    ${String(session.json['url'])}\n  API             ${world.gateway.url}/docs`,
    );
    for (const { app, link } of published) console.log(`  recording       ${link} (${app})`);
    console.log(`  vendors' side   ${world.sandbox.url}`);
    await new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
    });
  } else {
    console.log('\nZoom, free plan: 50 minutes, in simulated time');
    current = 'the limit of a free plan';
    await playLimit(world, sayAbout('Free Zoom'));

    console.log('\nRules');
    current = 'the rules of links';
    const { unsold } = await playRules(world, sayAbout('Rules'));
    console.log('\nThe clock jumps by 48 hours');
    world.jump(2 * DAY);
    current = 'the end of the 48 hours';
    await checkExpired(world, unsold, sayAbout('Rules'));

    console.log('\nThe clock jumps to day 15');
    world.jump(13 * DAY);
    for (const one of published) {
      current = `${one.app}: the end of the link`;
      await checkGone(world, one, sayAbout(one.app));
    }
    check(world.receiver.rejected() === 0, 'every event was signed with the secret of the endpoint');
    printTable();
  }
}

/** Ends the process with one line when it is not known what is wanted. */
function readOptions(): { stay: boolean; marketplace: PresetName | undefined } {
  const options = { stay: { type: 'boolean', default: false }, marketplace: { type: 'string' } } as const;
  try {
    const values = parseArgs({ options }).values;
    const marketplace = PRESET_NAMES.find((name) => name === values.marketplace);
    if (marketplace !== undefined || values.marketplace === undefined) return { stay: values.stay, marketplace };
    console.error(`There is no marketplace "${values.marketplace}"; there are ${PRESET_NAMES.join(', ')}.`);
  } catch (error) {
    console.error((error as Error).message);
  }
  process.exit(1);
}

function printTable(): void {
  const width = Math.max(...proven.map(({ step }) => step.length));
  console.log(`\n${'Proven against the sandbox'.padEnd(width)}  Seen`);
  console.log(`${'-'.repeat(width)}  ${'-'.repeat(40)}`);
  for (const { step, proof } of proven) console.log(`${step.padEnd(width)}  ${proof}`);
  console.log(
    `\n${proven.length} steps, ${world.receiver.events.length} signed events, ${((performance.now() - startedAt) / 1_000).toFixed(1)} s. Nothing here was checked against the live services.`,
  );
}
