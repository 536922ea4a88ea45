/** The stories by preset. */
import type { PresetName } from '../../src/domain/presets/index.ts';
import { play as fiverr } from './fiverr.ts';
import { play as guide } from './guide.ts';
import { play as rodrun } from './rodrun.ts';
import type { Play } from './scene.ts';
import { play as tvip } from './tvip.ts';

export const PLAYS: Readonly<Record<PresetName, Play>> = { guide, tvip, fiverr, rodrun };
