import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOOKING_KINDS, contradictionsIn, RECORDING_MODES, type Policy } from '../../src/domain/policy.ts';
import { PRESETS } from '../../src/domain/presets/index.ts';
import { expiryOf, isAsked, judge, recordsByItself, type Consent, type RecordingFacts } from '../../src/domain/recording.ts';

const DAY = 86_400_000;
const RULES = ['each_customer', 'implied', 'notice'] as const;
const CONSENTS: readonly Consent[] = ['missing', 'granted', 'refused'];

const withRule = (kind: RecordingFacts['kind'], consent: (typeof RULES)[number]): Policy => ({
  ...PRESETS.guide,
  recording: { ...PRESETS.guide.recording, [kind]: { modes: [...RECORDING_MODES], consent } },
});

/** Also policies that contradict themselves: a meeting may have been booked under an earlier one. */
const facts = fc
  .record({
    kind: fc.constantFrom(...BOOKING_KINDS),
    rule: fc.constantFrom(...RULES),
    mode: fc.constantFrom(...RECORDING_MODES),
    consents: fc.array(fc.constantFrom(...CONSENTS), { maxLength: 6 }),
  })
  .map(({ kind, rule, mode, consents }): RecordingFacts => ({ policy: withRule(kind, rule), kind, mode, consents }));

const asksNobody = ({ policy, kind, mode }: RecordingFacts): boolean =>
  !isAsked(policy, kind, mode) && policy.recording[kind].consent === 'notice';

describe('who may see a recording', () => {
  it('G12 whoever is asked and has not agreed keeps it from everybody', () => {
    fc.assert(
      fc.property(facts, (one) => {
        const { policy, kind, mode, consents } = one;
        fc.pre(isAsked(policy, kind, mode));
        const agreed = consents.length > 0 && consents.every((consent) => consent === 'granted');
        expect(judge(one)).toEqual(agreed ? { publish: true } : { publish: false, reason: 'consent_missing' });
      }),
    );
  });

  it('G12 F09 a no never shows more than a yes, or than no answer', () => {
    fc.assert(
      fc.property(facts, fc.nat(), (one, place) => {
        fc.pre(one.consents.length > 0);
        const refused = one.consents.with(place % one.consents.length, 'refused');
        const isShown = judge({ ...one, consents: refused }).publish;
        expect(isShown && !judge(one).publish).toBe(false);
        expect(isShown && !asksNobody(one)).toBe(false);
      }),
    );
  });

  it('G11 a notice asks nobody, so no answer changes anything', () => {
    fc.assert(
      fc.property(facts, (one) => {
        fc.pre(asksNobody(one));
        expect(judge(one)).toEqual(judge({ ...one, consents: [] }));
      }),
    );
  });

  it('G12 depends neither on the order of the answers nor on how often each was given', () => {
    fc.assert(
      fc.property(facts, (one) => {
        expect(judge({ ...one, consents: [...new Set(one.consents)].toSorted() })).toEqual(judge(one));
      }),
    );
  });

  it('G12 F01 the vendor records by itself only what was asked for and could be shown at once', () => {
    fc.assert(
      fc.property(facts, (one) => {
        expect(recordsByItself(one)).toBe(one.mode !== 'none' && judge(one).publish);
      }),
    );
    // Before anybody has bought, only where nobody is waited for.
    for (const preset of Object.values(PRESETS)) {
      for (const kind of BOOKING_KINDS) {
        expect(recordsByItself({ policy: preset, kind, mode: 'on_consent', consents: [] })).toBe(false);
        const rule = preset.recording[kind].consent;
        expect(recordsByItself({ policy: preset, kind, mode: 'always', consents: [] })).toBe(rule !== 'each_customer');
      }
      expect(contradictionsIn(preset)).toEqual([]);
    }
  });
});

describe('the days of a recording', () => {
  const readyAt = new Date('2026-01-01T00:00:00.000Z');
  const policy = (retention_from: 'notification' | 'upload', retention_days: number): Policy => ({
    ...PRESETS.guide,
    recording: { ...PRESETS.guide.recording, retention_from, retention_days },
  });

  it('G15 F01 begin with the notification or with the upload, as the policy says, and are as many as it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 365 }), fc.integer({ min: 0, max: 400 * DAY }), (days, afterMs) => {
        const publishedAt = new Date(readyAt.getTime() + afterMs);
        expect(expiryOf(policy('notification', days), { readyAt, publishedAt }).getTime()).toBe(publishedAt.getTime() + days * DAY);
        expect(expiryOf(policy('upload', days), { readyAt, publishedAt }).getTime()).toBe(readyAt.getTime() + days * DAY);
      }),
    );
  });

  it('G15 of one that is withheld begin when it was ready', () => {
    for (const from of ['notification', 'upload'] as const)
      expect(expiryOf(policy(from, 14), { readyAt, publishedAt: null })).toEqual(new Date('2026-01-15T00:00:00.000Z'));
  });
});
