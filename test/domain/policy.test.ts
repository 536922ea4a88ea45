import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROVIDER_IDS } from '../../src/domain/apps.ts';
import { joinWindow, purchaseBy } from '../../src/domain/meeting.ts';
import { BOOKING_KINDS, contradictionsIn, policyPatchSchema, policySchema, type BookingKind } from '../../src/domain/policy.ts';
import { overridesOf, patched, policyOf, PRESET_NAMES, PRESETS, type PresetName } from '../../src/domain/presets/index.ts';
import { mergePatch } from '../../src/domain/presets/merge-patch.ts';
import { judge, recordsByItself, type Consent } from '../../src/domain/recording.ts';
import { DAY, HOUR, MINUTE, plus } from '../../src/domain/time.ts';

const effective = (patch: Record<string, unknown>, preset = 'guide') => policyOf({ preset, policyPatch: patch });
const PRIVATE_KINDS = ['one_to_one', 'private_group'] as const;
const NOON = new Date('2026-12-01T12:00:00Z');

describe('policies', () => {
  it.each(PRESET_NAMES)('%s is a policy without contradictions, and differs from itself in nothing', (name) => {
    expect(policySchema.parse(PRESETS[name])).toEqual(PRESETS[name]);
    expect(contradictionsIn(PRESETS[name])).toEqual([]);
    expect(effective({}, name)).toEqual(PRESETS[name]);
    expect(overridesOf({ preset: name, policyPatch: {} })).toEqual({});
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
    ['an unknown member', { colour: 'red' }, ''],
    ['an unknown member that is given up', { colour: null }, ''],
    ['an app outside of the approved ones (G01)', { approved_apps: ['zoom', 'webex'] }, '/approved_apps/1'],
    ['no app at all', { approved_apps: [] }, '/approved_apps'],
    ['an object replaced by a value', { join: 15 }, '/join'],
    ['a list replaced by an object', { approved_apps: { zoom: true } }, '/approved_apps'],
    ['a value out of range', { recording: { retention_days: 0 } }, '/recording/retention_days'],
    ['a retention of more than a year', { recording: { retention_days: 366 } }, '/recording/retention_days'],
    ['a sixth meeting of a package (G07)', { packages: { max_meetings: 6 } }, '/packages/max_meetings'],
    ['a part of an hour', { purchase: { within_hours: 1.5 } }, '/purchase/within_hours'],
    ['a kind of booking that may ask for nothing', { recording: { event: { modes: [] } } }, '/recording/event/modes'],
  ])('a patch refuses %s', (_what, patch, pointer) => {
    const result = policyPatchSchema.safeParse(patch);
    expect(result.error?.issues.map(({ path }) => path.map((part) => `/${String(part)}`).join(''))).toEqual([pointer]);
  });

  it('is never made of a stored patch that is none', () => {
    expect(() => effective({ approved_apps: ['webex'] })).toThrow(expect.objectContaining({ name: 'ZodError' }) as Error);
    expect(() => effective({ purchase: { within_hours: null } })).toThrow(expect.objectContaining({ name: 'ZodError' }) as Error);
  });

  it('does not let a patch reach the prototype of anything', () => {
    const patch = JSON.parse('{"__proto__": {"polluted": true}, "join": {"__proto__": {"polluted": true}}}') as Record<string, unknown>;
    expect(policyPatchSchema.safeParse(patch).success).toBe(false);
    expect(() => effective(patch)).toThrow(expect.objectContaining({ name: 'ZodError' }) as Error);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('patch upon patch', () => {
  const after = (...patches: Record<string, unknown>[]) =>
    patches.reduce<ReturnType<typeof patched>>((source, patch) => patched(source, patch), { preset: 'fiverr', policyPatch: {} });

  it('keeps what was overridden before', () => {
    expect(after({ join: { opens_minutes_before: 5 } }, { join: { closes_minutes_after: 0 } }).policyPatch).toEqual({
      join: { opens_minutes_before: 5, closes_minutes_after: 0 },
    });
  });

  it.each([
    ['a null for a value', { recording: { retention_days: null } }, { join: { opens_minutes_before: 5 } }],
    ['a null for a group of values', { join: null }, { recording: { retention_days: 7 } }],
    ["the preset's own value", { recording: { retention_days: 30 } }, { join: { opens_minutes_before: 5 } }],
    [
      "the preset's own list and object",
      { join: { ...PRESETS.fiverr.join }, approved_apps: ['zoom'] },
      { recording: { retention_days: 7 } },
    ],
  ])('%s goes back to the preset and leaves no trace', (_what, patch, left) => {
    const before = after({ recording: { retention_days: 7 }, join: { opens_minutes_before: 5 } });
    expect(patched(before, patch).policyPatch).toEqual(left);
  });

  it('changes nothing by an empty patch or by a null for what was not overridden', () => {
    const before = after({ recording: { retention_days: 7 } });
    expect(patched(before, {})).toEqual(before);
    expect(patched(before, { purchase: null, recording: { event: { modes: null } } })).toEqual(before);
  });

  // Appendix A of RFC 7396, without the rows whose patch is no object: a body of ours always is one.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('as RFC 7396 shows it: %j and %j give %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });
});

describe('contradictions', () => {
  const names = (patch: Record<string, unknown>, preset?: PresetName) =>
    contradictionsIn(effective(patch, preset)).map(({ name, pointer }) => `${name} ${pointer}`);

  it.each(BOOKING_KINDS)('G12 `always` records before each customer of a booking of the kind %s can have agreed', (kind) => {
    expect(names({ recording: { [kind]: { modes: ['none', 'always'], consent: 'each_customer' } } })).toEqual([
      `recorded_before_consent /recording/${kind}`,
    ]);
  });

  it.each(BOOKING_KINDS)('G12 `on_consent` of the kind %s needs somebody who is asked', (kind) => {
    expect(names({ recording: { [kind]: { modes: ['on_consent'], consent: 'implied' } } })).toEqual([
      `consent_never_asked /recording/${kind}`,
    ]);
  });

  it('G11 G12 a notice is enough for events only', () => {
    for (const kind of PRIVATE_KINDS) {
      expect(names({ recording: { [kind]: { modes: ['none', 'always'], consent: 'notice' } } })).toEqual([
        `notice_is_no_consent /recording/${kind}`,
      ]);
    }
    expect(names({ recording: { event: { modes: ['none', 'always'], consent: 'notice' } } })).toEqual([]);
  });

  it('F10 T04 where guests may come, nobody is metered', () => {
    expect(names({ links: { shareable: true } }, 'tvip')).toEqual(['guests_hide_the_customer /links/shareable']);
    expect(names({ meter: { enabled: true } }, 'fiverr')).toEqual(['guests_hide_the_customer /links/shareable']);
    expect(names({ links: { shareable: true }, meter: { enabled: false } }, 'tvip')).toEqual([]);
  });

  it('T05 a grace may be as long as a block, and no longer', () => {
    expect(names({ meter: { block_minutes: 5, grace_seconds: 300 } }, 'tvip')).toEqual([]);
    expect(names({ meter: { block_minutes: 5, grace_seconds: 301 } }, 'tvip')).toEqual(['grace_outlasts_block /meter/grace_seconds']);
    expect(names({ meter: { block_minutes: 5, grace_seconds: 301 } }, 'fiverr')).toEqual([]);
  });

  it('nothing is listed twice', () => {
    expect(names({ approved_apps: ['zoom', 'zoom'], recording: { event: { modes: ['none', 'always', 'none'] } } })).toEqual([
      'listed_twice /approved_apps',
      'listed_twice /recording/event/modes',
    ]);
  });

  it('one half of a pair is enough to break it, and the whole pair is fine', () => {
    expect(names({ recording: { one_to_one: { consent: 'each_customer' } } }, 'fiverr')).toEqual([
      'recorded_before_consent /recording/one_to_one',
    ]);
    expect(names({ recording: { one_to_one: { modes: ['none', 'on_consent'], consent: 'each_customer' } } }, 'fiverr')).toEqual([]);
    expect(names({ recording: { event: { modes: ['none', 'on_consent'], consent: 'each_customer' } } })).toEqual([]);
  });
});

describe('the guide', () => {
  it('G01 approves the three apps and no other', () => {
    expect(PRESETS.guide.approved_apps.toSorted()).toEqual([...PROVIDER_IDS].toSorted());
  });

  it('G04 gives 48 hours for the purchase of private meetings', () => {
    for (const kind of PRIVATE_KINDS) {
      const meeting = { kind, confirmedAt: NOON, startsAt: plus(NOON, 5 * DAY), durationMinutes: 30 };
      expect(purchaseBy(PRESETS.guide, meeting)).toEqual(plus(NOON, 48 * HOUR));
    }
  });

  it('G03 sells an event for as long as it lasts', () => {
    const meeting = { kind: 'event' as const, confirmedAt: NOON, startsAt: plus(NOON, 5 * DAY), durationMinutes: 30 };
    expect(purchaseBy(PRESETS.guide, meeting)).toEqual(plus(NOON, 5 * DAY + 30 * MINUTE));
  });

  it('G07 puts at most five meetings into a package, and no override makes it six', () => {
    expect(PRESETS.guide.packages.max_meetings).toBe(5);
    expect(policyPatchSchema.safeParse({ packages: { max_meetings: 5 } }).success).toBe(true);
    expect(policyPatchSchema.safeParse({ packages: { max_meetings: 6 } }).success).toBe(false);
  });

  it('G11 records an event on a notice', () => {
    expect(PRESETS.guide.recording.event).toEqual({ modes: ['none', 'always'], consent: 'notice' });
  });

  it('G12 records no private meeting unless each customer agrees', () => {
    for (const kind of PRIVATE_KINDS)
      expect(PRESETS.guide.recording[kind]).toEqual({ modes: ['none', 'on_consent'], consent: 'each_customer' });
  });

  it('G14 refuses a booking that is longer than the plan allows', () => {
    expect(PRESETS.guide.limits.on_exceed).toBe('reject');
  });

  it('G14 knows one figure for each app, also for two people, and has no figures of its own', () => {
    for (const { limits } of Object.values(PRESETS)) expect(limits).toMatchObject({ pairs: 'as_groups', minutes: {} });
  });

  it('G14 takes figures of the marketplace for the approved apps, and goes back to the dated ones with null', () => {
    expect(effective({ limits: { minutes: { zoom: 45 } } }).limits).toEqual({ ...PRESETS.guide.limits, minutes: { zoom: 45 } });
    expect(policyPatchSchema.safeParse({ limits: { minutes: { webex: 45 } } }).success).toBe(false);
    expect(policyPatchSchema.safeParse({ limits: { minutes: { zoom: 0 } } }).success).toBe(false);
    const own = { preset: 'guide', policyPatch: { limits: { minutes: { zoom: 45, 'google-meet': 50 } } } };
    expect(patched(own, { limits: { minutes: { zoom: null } } }).policyPatch).toEqual({ limits: { minutes: { 'google-meet': 50 } } });
    expect(patched(own, { limits: { minutes: null } }).policyPatch).toEqual({});
  });

  it('G15 keeps a recording for 14 days, for the customers', () => {
    expect(PRESETS.guide.recording).toMatchObject({ retention_days: 14, recipients: 'customers' });
  });

  it('C03 opens the way to the vendor around the meeting only', () => {
    expect(joinWindow(PRESETS.guide, { startsAt: NOON, durationMinutes: 30 })).toEqual({
      opensAt: plus(NOON, -15 * MINUTE),
      closesAt: plus(NOON, 90 * MINUTE),
    });
  });
});

describe('the other marketplaces', () => {
  it('T08 tvip lets a session last as long as the funds, whatever the plan', () => {
    expect(PRESETS.tvip.limits.on_exceed).toBe('warn');
  });

  it('G12 tvip, whose rules know no recording, offers none', () => {
    for (const kind of BOOKING_KINDS) expect(PRESETS.tvip.recording[kind].modes).toEqual(['none']);
  });

  it('F01 F07 fiverr keeps recordings for 30 days, for both sides', () => {
    expect(PRESETS.fiverr.recording).toMatchObject({ retention_days: 30, recipients: 'everyone' });
  });

  it('F01 F09 fiverr records every call from the start, and joining is the consent', () => {
    for (const kind of BOOKING_KINDS) {
      expect(PRESETS.fiverr.recording[kind]).toEqual({ modes: ['always'], consent: 'implied' });
      expect(recordsByItself({ policy: PRESETS.fiverr, kind: kind, mode: 'always', consents: [] })).toBe(true);
    }
  });

  it('F02 fiverr knows Zoom calls only', () => {
    expect(PRESETS.fiverr.approved_apps).toEqual(['zoom']);
  });

  it('R02 rodrun leaves the length to the specialist', () => {
    expect(PRESETS.rodrun.limits.on_exceed).toBe('warn');
  });

  it('G12 rodrun records no consultation unless each customer agrees', () => {
    for (const kind of PRIVATE_KINDS) {
      expect(PRESETS.rodrun.recording[kind].consent).toBe('each_customer');
      expect(recordsByItself({ policy: PRESETS.rodrun, kind: kind, mode: 'on_consent', consents: [] })).toBe(false);
    }
  });
});

describe('the verdict on a recording', () => {
  const verdict = (kind: BookingKind, mode: 'none' | 'on_consent' | 'always', consents: Consent[], preset: PresetName = 'guide') =>
    judge({ policy: PRESETS[preset], kind, mode, consents });

  it.each([
    [['granted'], true],
    [['granted', 'granted'], true],
    [['granted', 'missing'], false],
    [['granted', 'refused'], false],
    [['missing'], false],
    [[], false],
  ] as [Consent[], boolean][])('G12 consents %j of a private meeting: published %s', (consents, publish) => {
    for (const kind of PRIVATE_KINDS) {
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
    for (const kind of PRIVATE_KINDS) {
      for (const mode of ['none', 'on_consent', 'always'] as const)
        expect(recordsByItself({ policy: PRESETS.guide, kind: kind, mode: mode, consents: [] })).toBe(false);
    }
    expect(recordsByItself({ policy: PRESETS.guide, kind: 'event', mode: 'always', consents: [] })).toBe(true);
    expect(recordsByItself({ policy: PRESETS.guide, kind: 'event', mode: 'none', consents: [] })).toBe(false);
  });
});

describe('docs/policy.md', () => {
  const text = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
  const schema = z.toJSONSchema(policySchema) as Described;
  const values = leavesOf(schema);

  it('has one row for every value of the schema, as the schema describes it, and no other row', () => {
    const rows = rowsIn(text);
    expect(rows).toEqual(
      values.map(({ pointer, leaf }) => {
        const { words, rules } = sentenceOf(leaf);
        return [`\`${pointer}\``, typeOf(leaf), ...PRESET_NAMES.map((name) => valueAt(PRESETS[name], pointer)), rules, words];
      }),
    );
  });

  it('names every contradiction', () => {
    for (const name of [
      'listed_twice',
      'recorded_before_consent',
      'consent_never_asked',
      'notice_is_no_consent',
      'guests_hide_the_customer',
      'grace_outlasts_block',
    ])
      expect(text).toContain(`\`${name}\``);
  });

  it('heads the columns of the presets in the order of the rows', () => {
    expect(text).toContain(`| value | type | ${PRESET_NAMES.map((name) => `\`${name}\``).join(' | ')} | rules | what it does |`);
  });

  it.each(values)('and the schema name a rule for $pointer', ({ leaf }) => {
    expect(sentenceOf(leaf).rules).toMatch(/^[GTFRC]\d\d(, [GTFRC]\d\d)*$/);
  });
});

describe('docs/marketplaces.md', () => {
  const text = readFileSync(new URL('../../docs/marketplaces.md', import.meta.url), 'utf8');
  const rows = leavesOf(z.toJSONSchema(policySchema) as Described).map(({ pointer, leaf }) => ({
    pointer,
    rules: sentenceOf(leaf).rules,
    shown: PRESET_NAMES.map((name) => shownAt(name, pointer)),
  }));
  const agree = ({ shown }: (typeof rows)[number]): boolean => shown.every((one) => one === shown[0]);
  const sectionOf = (heading: string): string => {
    const [, section] = text.split(`\n${heading}`);
    if (section === undefined) throw new Error(`There is no heading ${heading}.`);
    return section.slice(0, section.indexOf('\n#'));
  };

  it('puts the presets side by side, value by value', () => {
    expect(rowsIn(sectionOf('### Where they differ'))).toEqual(
      rows.filter((row) => !agree(row)).map(({ pointer, shown, rules }) => [`\`${pointer}\``, ...shown, rules]),
    );
    expect(rowsIn(sectionOf('### Where they agree'))).toEqual(
      rows.filter(agree).map(({ pointer, shown, rules }) => [`\`${pointer}\``, shown[0]!, rules]),
    );
    expect(text).toContain(`| value | ${PRESET_NAMES.map((name) => `\`${name}\``).join(' | ')} | rules |`);
  });

  it.each(PRESET_NAMES)('says of %s what the preset says', (name) => {
    const told = rowsIn(sectionOf(`## \`${name}\``));
    expect(told.length).toBeGreaterThan(5);
    for (const [pointer = '', value, rules = '', why] of told) {
      expect([pointer, value]).toEqual([pointer, shownAt(name, pointer.slice(1, -1))]);
      expect(rules, pointer).toMatch(/^[GTFRC]\d\d(, [GTFRC]\d\d)*$/);
      expect(why).not.toBe('');
    }
  });

  it('shows an own policy that makes sense, on the preset that it names', () => {
    const [, example] = /```json\n(.*?)```/s.exec(sectionOf('## Make your own')) ?? [];
    const source = { preset: 'tvip', policyPatch: JSON.parse(example!) as Record<string, unknown> };
    expect(contradictionsIn(policyOf(source))).toEqual([]);
    expect(overridesOf(source)).toEqual({
      ...source.policyPatch,
      // What repeats the preset is no override; it is said for who reads it.
      recording: { one_to_one: { modes: ['none', 'on_consent'] }, retention_days: 60 },
    });
  });

  function shownAt(name: PresetName, pointer: string): string {
    return valueAt(PRESETS[name], pointer).replace('see below', '[two ways](#the-rules-of-fiverr)');
  }
});

/** As much of a JSON schema as the policy's has. */
interface Described {
  readonly type: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly Described[];
}

function leavesOf(schema: Described, pointer = ''): { pointer: string; leaf: Described }[] {
  if (schema.properties === undefined) return [{ pointer, leaf: schema }];
  return Object.entries(schema.properties).flatMap(([name, member]) => leavesOf(member, `${pointer}/${name}`));
}

function typeOf({ enum: words, items, minimum, maximum, type, pattern, anyOf }: Described): string {
  // The only choice of the schema: a condition or a group of them.
  if (anyOf !== undefined) return 'rule';
  if (type === 'boolean') return type;
  // The only pattern of the schema.
  if (pattern !== undefined) return 'host name';
  if (items !== undefined) return `list of ${typeOf(items)}`;
  return words === undefined ? `integer, ${minimum} to ${maximum}` : words.map((word) => `\`${word}\``).join(', ');
}

/** The cells of the table's rows that begin with a value of the policy. */
const rowsIn = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `/'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );

/** A description ends with its rules in brackets. */
function sentenceOf({ description = '' }: Described): { words: string; rules: string } {
  const [, words = '', rules = ''] = /^(.*) \(([^()]*)\)\.$/.exec(description) ?? [];
  return { words: `${words}.`, rules };
}

function valueAt(policy: unknown, pointer: string): string {
  let value = policy;
  for (const name of pointer.slice(1).split('/')) value = (value as Record<string, unknown>)[name];
  const values: unknown[] = [value ?? []].flat();
  if (values.length === 0) return '–';
  if (typeof values[0] === 'object') return 'see below';
  return values.map((one) => (typeof one === 'string' ? `\`${one}\`` : String(one))).join(', ');
}
