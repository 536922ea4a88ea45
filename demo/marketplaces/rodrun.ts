import type { Scene } from './scene.ts';

export async function play({ say }: Scene): Promise<void> {
  await Promise.resolve();
  say('nothing yet');
}
