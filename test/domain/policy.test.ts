import { describe, expect, it } from 'vitest';
import { type BookingKind, policySchema } from '../../src/domain/policy.ts';
import { policyOf, PRESET_NAMES, PRESETS } from '../../src/domain/presets/index.ts';
import { judge, recordsFromTheStart, type Consent } from '../../src/domain/recording.ts';

const effective = (patch: Record<string, unknown>, preset = 'guide') => policyOf({ preset, policyPatch: patch });

describe('policies', () => {
  it.each(PRESET_NAMES)('%s is a policy', (name) => {
    expect(policySchema.parse(PRESETS[name])).toEqual(PRESETS[name]);
    expect(effective({}, name)).toEqual(PRESETS[name]);
  });

  it('F01 F07 keeps the recordings of the fiverr preset for 30 days, for everyone', () => {
    expect(PRESETS.fiverr.recording).toMatchObject({
      retention_days: 30,
      recipients: 'everyone',
      one_to_one: { modes: ['always'], consent: 'implied' },
    });
  });

  it('changes single values of a preset and leaves the rest', () => {
    const policy = effective({ purchase: { within_hours: 24 }, recording: { event: { modes: ['none'] } } });
    expect(policy.purchase.within_hours).toBe(24);
    expect(policy.recording).toEqual({ ...PRESETS.guide.recording, event: { modes: ['none'], consent: 'notice' } });
    expect(PRESETS.guide.purchase.within_hours).toBe(48);
  });

  it('replaces lists as a whole, as RFC 7396 says', () => {
    expect(effective({ approved_apps: ['zoom'] }).approved_apps).toEqual(['zoom']);
  });

  it.each([
    ['an unknown member', { colour: 'red' }],
    ['an app outside of the approved ones (G01)', { approved_apps: ['zoom', 'webex'] }],
    ['no app at all', { approved_apps: [] }],
    ['a member removed with null', { purchase: { within_hours: null } }],
    ['an object replaced by a value', { join: 15 }],
    ['a value out of range', { recording: { retention_days: 0 } }],
    ['a part of an hour', { purchase: { within_hours: 1.5 } }],
  ])('refuses %s', (_what, patch) => {
    expect(() => effective(patch)).toThrow(expect.objectContaining({ name: 'ZodError' }) as Error);
  });

  it('does not let a patch reach the prototype of anything', () => {
    const patch = JSON.parse('{"__proto__": {"polluted": true}, "join": {"__proto__": {"polluted": true}}}') as Record<string, unknown>;
    expect(() => effective(patch)).toThrow();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the verdict on a recording', () => {
  const verdict = (
    kind: BookingKind,
    mode: 'none' | 'on_consent' | 'always',
    consents: Consent[],
    preset: keyof typeof PRESETS = 'guide',
  ) => judge({ policy: PRESETS[preset], kind, mode, consents });

  it.each([
    [['granted'], true],
    [['granted', 'granted'], true],
    [['granted', 'missing'], false],
    [['granted', 'refused'], false],
    [['missing'], false],
    [[], false],
  ] as [Consent[], boolean][])('G12 consents %j of a private meeting: published %s', (consents, publish) => {
    for (const kind of ['one_to_one', 'private_group'] as const) {
      for (const mode of ['none', 'on_consent'] as const) {
        expect(verdict(kind, mode, consents)).toEqual(publish ? { publish } : { publish, reason: 'consent_missing' });
      }
    }
  });

  it('G11 needs no consent at an event that is recorded, and withholds what nobody asked for', () => {
    expect(verdict('event', 'always', ['missing', 'refused'])).toEqual({ publish: true });
    expect(verdict('event', 'none', ['missing'])).toEqual({ publish: false, reason: 'not_requested' });
  });

  it('F09 takes joining as consent', () => {
    expect(verdict('one_to_one', 'always', ['missing'], 'fiverr')).toEqual({ publish: true });
  });

  it('G12 lets no vendor record by itself before there can be a consent', () => {
    for (const kind of ['one_to_one', 'private_group'] as const) {
      for (const mode of ['none', 'on_consent', 'always'] as const) expect(recordsFromTheStart(PRESETS.guide, kind, mode)).toBe(false);
    }
    expect(recordsFromTheStart(PRESETS.guide, 'event', 'always')).toBe(true);
    expect(recordsFromTheStart(PRESETS.guide, 'event', 'none')).toBe(false);
    expect(recordsFromTheStart(PRESETS.fiverr, 'one_to_one', 'always')).toBe(true);
  });
});
