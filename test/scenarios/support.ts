/** Plays the story of a marketplace, which `npm run demo -- --marketplace …` tells too, with real browsers at its pages. */
import { expect, it } from 'vitest';
import { PLAYS } from '../../demo/marketplaces/index.ts';
import type { PresetName } from '../../src/domain/presets/index.ts';
import { useBrowser } from '../browser/support.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { databaseOf } from '../support/gateway.ts';
import { testWorld } from '../support/world.ts';
import { personInBrowser } from './browser-person.ts';

/** `rules`: ids and what the story proves of them, as a sentence. */
export function testStory(policy: PresetName, rules: string): void {
  const visit = useBrowser();
  describeOnBothDatabases(`the story of ${policy}`, (_open, engine) => {
    it(
      rules,
      async () => {
        const world = await testWorld({ databaseUrl: await databaseOf(engine), policy });
        const steps: string[] = [];
        await PLAYS[policy]({ world, say: (what) => void steps.push(what), invite: personInBrowser(visit) });
        expect(steps.length).toBeGreaterThan(0);
        expect(world.receiver.rejected()).toBe(0);
      },
      120_000,
    );
  });
}
