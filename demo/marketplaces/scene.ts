/** What the stories of the four marketplaces have in common. */
import type { Invite } from '../person.ts';
import type { Say } from '../story.ts';
import type { World } from '../world.ts';

/** A world whose marketplace has the preset of the story, with an endpoint for its events. */
export interface Scene {
  readonly world: World;
  readonly say: Say;
  /** Somebody who opens pages. */
  readonly invite: Invite;
}

/** Plays the whole story; the first step that does not hold ends it. @throws Error */
export type Play = (scene: Scene) => Promise<void>;
