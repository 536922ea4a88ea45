/** The presets by name, and how a marketplace's policy is made of one. */
import { policySchema, type Policy } from '../policy.ts';
import { FIVERR } from './fiverr.ts';
import { GUIDE } from './guide.ts';
import { difference, mergePatch } from './merge-patch.ts';
import { RODRUN } from './rodrun.ts';
import { TVIP } from './tvip.ts';

export const PRESETS = { guide: GUIDE, tvip: TVIP, fiverr: FIVERR, rodrun: RODRUN } satisfies Record<string, Policy>;
export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** A preset and what is overridden of it, as a JSON merge patch (RFC 7396). */
export interface PolicySource {
  readonly preset: string;
  readonly policyPatch: Readonly<Record<string, unknown>>;
}

/** The policy in force. @throws ZodError when the result is not a policy. */
export function policyOf({ preset, policyPatch }: PolicySource): Policy {
  const source = `${preset} ${JSON.stringify(policyPatch)}`;
  let policy = known.get(source);
  if (policy === undefined) {
    policy = policySchema.parse(mergePatch(PRESETS[preset as PresetName], policyPatch));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(source, policy);
  }
  return policy;
}

/** Putting one together takes longer than all else that a page needs, and there are few. */
const known = new Map<string, Policy>();
const MOST_KNOWN = 1_000;

/** Only what differs from the preset: values that repeat it are no overrides. */
export const overridesOf = (source: PolicySource): Record<string, unknown> =>
  difference(PRESETS[source.preset as PresetName], policyOf(source));

/** The source after one more patch; a null in it gives up an override, so that the preset's value holds again. */
export function patched({ preset, policyPatch }: PolicySource, patch: Readonly<Record<string, unknown>>): PolicySource {
  const merged = { preset, policyPatch: mergePatch(policyPatch, patch) as Record<string, unknown> };
  return { preset, policyPatch: overridesOf(merged) };
}
