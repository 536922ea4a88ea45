/** The presets by name, and how a marketplace's policy is made of one. */
import { policySchema, type Policy } from '../policy.ts';
import { FIVERR } from './fiverr.ts';
import { GUIDE } from './guide.ts';
import { RODRUN } from './rodrun.ts';
import { TVIP } from './tvip.ts';

export const PRESETS = { guide: GUIDE, tvip: TVIP, fiverr: FIVERR, rodrun: RODRUN } satisfies Record<string, Policy>;
export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** The policy in force: a JSON merge patch (RFC 7396) over the preset. @throws ZodError when the result is not a policy. */
export const policyOf = ({ preset, policyPatch }: { preset: string; policyPatch: Record<string, unknown> }): Policy =>
  policySchema.parse(mergePatch(PRESETS[preset as PresetName], policyPatch));

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const merged = new Map<string, unknown>(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
