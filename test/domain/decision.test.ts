import { describe, expect, it } from 'vitest';
import { alternativesTo, decide, type Candidate } from '../../src/domain/decision.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { PRESETS } from '../../src/domain/presets/index.ts';

const upTo = (minutes: number | null) => ({ minutes, asOf: '2026-10-04', source: 'a test' });
const candidate = (provider: Candidate['provider'], changes: Partial<Candidate> = {}): Candidate => ({
  connectionId: `con_${provider}`,
  provider,
  status: 'active',
  createsMeetings: true,
  plan: 'paid',
  planBasis: 'vendor',
  limit: upTo(null),
  preferredAt: null,
  ...changes,
});
const freeZoom = candidate('zoom', { plan: 'free', limit: upTo(40) });
const unknownTeams = candidate('microsoft-teams', { plan: 'unknown', planBasis: 'none', limit: upTo(60) });
const tooShortZoom = { provider: 'zoom', rejected: 'limit_exceeded', limitMinutes: 40, plan: 'free', planBasis: 'vendor' };
const choose = (
  candidates: Candidate[],
  durationMinutes = 30,
  asked: Parameters<typeof decide>[0]['asked'] = 'auto',
  policy: Policy = PRESETS.guide,
) => decide({ policy, asked, durationMinutes, candidates });

describe('the choice of the app', () => {
  it('G02 takes the app that was asked for, whatever else is connected', () => {
    const decision = choose([candidate('zoom'), candidate('google-meet')], 30, 'google-meet');
    expect(decision).toMatchObject({ chosen: { provider: 'google-meet' }, exceeded: false, considered: [] });
  });

  it('G14 takes the first app of the policy whose limit fits', () => {
    expect(choose([candidate('google-meet'), candidate('zoom')]).chosen?.provider).toBe('zoom');
    expect(choose([freeZoom, unknownTeams], 40).chosen?.provider).toBe('zoom');
  });

  it('G14 goes to another app when the booking is one minute too long, and says why', () => {
    const decision = choose([freeZoom, unknownTeams], 41);
    expect(decision.chosen?.provider).toBe('microsoft-teams');
    expect(decision.considered).toContainEqual(tooShortZoom);
  });

  it('G14 prefers a plan that is only unknown to one that is known to be too short', () => {
    const decision = choose([freeZoom, unknownTeams], 90);
    expect(decision).toMatchObject({ chosen: { provider: 'microsoft-teams' }, exceeded: true });
  });

  it('G14 prefers a plan without a limit to an unknown one', () => {
    expect(choose([unknownTeams, candidate('google-meet')], 90)).toMatchObject({ chosen: { provider: 'google-meet' }, exceeded: false });
  });

  it('G14 refuses a booking that no plan allows, and warns where the policy only warns', () => {
    expect(choose([freeZoom], 41)).toMatchObject({
      chosen: null,
      considered: expect.arrayContaining([tooShortZoom]),
    });
    expect(choose([freeZoom], 41, 'auto', PRESETS.rodrun)).toMatchObject({ chosen: { provider: 'zoom' }, exceeded: true });
  });

  it('takes another account of the same app when the first is too short', () => {
    const decision = choose([freeZoom, candidate('zoom', { connectionId: 'con_paid' })], 60);
    expect(decision).toMatchObject({ chosen: { connectionId: 'con_paid' }, exceeded: false });
    expect(decision.considered).toContainEqual(tooShortZoom);
  });

  describe('G14 with `choose_other`', () => {
    const policy: Policy = { ...PRESETS.guide, limits: { ...PRESETS.guide.limits, on_exceed: 'choose_other' } };
    const meet = candidate('google-meet');

    it('G14 another app that fits takes the place of one that is too short, and the decision says so', () => {
      expect(choose([freeZoom, meet], 41, 'zoom', policy)).toMatchObject({
        asked: 'zoom',
        chosen: { provider: 'google-meet' },
        reason: 'asked_too_short',
        exceeded: false,
        considered: [tooShortZoom, { provider: 'microsoft-teams', rejected: 'not_connected' }],
      });
    });

    it('G14 nothing is replaced that fits, that only may be too short, or that is not connected', () => {
      expect(choose([freeZoom, meet], 40, 'zoom', policy)).toMatchObject({ chosen: { provider: 'zoom' }, reason: 'asked' });
      expect(choose([unknownTeams, meet], 90, 'microsoft-teams', policy)).toMatchObject({
        chosen: { provider: 'microsoft-teams' },
        exceeded: true,
      });
      expect(choose([meet], 90, 'zoom', policy)).toMatchObject({ chosen: null, considered: [{ rejected: 'not_connected' }] });
    });

    it('G14 is a refusal when no other app fits for sure', () => {
      expect(choose([freeZoom, unknownTeams], 90, 'zoom', policy)).toMatchObject({ chosen: null, reason: null });
      expect(choose([freeZoom, unknownTeams], 60, 'zoom', policy).chosen?.provider).toBe('microsoft-teams');
    });

    it('G14 another account of the same app comes before another app', () => {
      const paid = candidate('zoom', { connectionId: 'con_paid' });
      expect(choose([freeZoom, meet, paid], 41, 'zoom', policy)).toMatchObject({ chosen: { connectionId: 'con_paid' }, reason: 'asked' });
    });

    it("G02 of several that fit, the professional's choice is the one", () => {
      const teams = candidate('microsoft-teams');
      const preferred = candidate('google-meet', { preferredAt: new Date(1) });
      expect(choose([freeZoom, teams, meet], 41, 'zoom', policy).chosen?.provider).toBe('microsoft-teams');
      expect(choose([freeZoom, teams, preferred], 41, 'zoom', policy).chosen?.provider).toBe('google-meet');
    });

    it('G14 auto goes as under `reject`', () => {
      for (const minutes of [30, 50, 90]) {
        const all = [freeZoom, unknownTeams, candidate('google-meet', { plan: 'unknown', planBasis: 'none', limit: upTo(60) })];
        expect(choose(all, minutes, 'auto', policy)).toEqual(choose(all, minutes, 'auto'));
      }
    });
  });

  it('G14 tells plan, limit and basis of everything that was looked at, once', () => {
    const declared = candidate('google-meet', { plan: 'free', planBasis: 'declared', limit: upTo(60) });
    expect(choose([freeZoom, { ...freeZoom, connectionId: 'con_2' }, unknownTeams, declared], 50).considered).toEqual([
      tooShortZoom,
      { provider: 'google-meet', rejected: 'not_needed', limitMinutes: 60, plan: 'free', planBasis: 'declared' },
    ]);
  });

  it('says why it is this one', () => {
    const both = [candidate('zoom'), candidate('google-meet', { preferredAt: new Date(1) })];
    expect(choose(both, 30, 'zoom').reason).toBe('asked');
    expect(choose(both, 30, 'auto').reason).toBe('first_fitting');
    expect(choose(both, 30, null).reason).toBe('preferred');
    expect(choose([candidate('zoom')], 30, null).reason).toBe('first_fitting');
  });

  it('offers nothing as an alternative that could not be used', () => {
    const candidates = [
      freeZoom,
      candidate('microsoft-teams', { createsMeetings: false }),
      candidate('google-meet', { plan: 'unknown', limit: upTo(60) }),
      candidate('google-meet', { connectionId: 'con_other' }),
    ];
    const found = alternativesTo('zoom', { policy: PRESETS.guide, durationMinutes: 90, candidates });
    expect(found.map(({ connectionId }) => connectionId)).toEqual(['con_other']);
  });

  it.each([
    ['nothing is connected', [], 'not_connected', null],
    ['the connection was revoked', [candidate('zoom', { status: 'revoked' })], 'not_connected', null],
    ['the grant is dead', [candidate('zoom', { status: 'reconnect_required' })], 'reconnect_required', 'vendor'],
    ['the account makes no links', [candidate('zoom', { createsMeetings: false })], 'not_capable', 'vendor'],
  ] as const)('says why an app was not chosen: %s', (_why, candidates, rejected, planBasis) => {
    expect(choose([...candidates], 30, 'zoom')).toEqual({
      asked: 'zoom',
      chosen: null,
      reason: null,
      exceeded: false,
      considered: [{ provider: 'zoom', rejected, limitMinutes: null, plan: planBasis && 'paid', planBasis }],
    });
  });

  describe('G02 with a preference', () => {
    const at = (minute: number) => ({ preferredAt: new Date(Date.UTC(2026, 0, 1, 0, minute)) });
    const accounts = [
      candidate('zoom', { connectionId: 'con_oldest' }),
      candidate('zoom', { connectionId: 'con_first', ...at(1) }),
      candidate('zoom', { connectionId: 'con_latest', ...at(2) }),
    ];

    it('G02 takes the latest choice among accounts that fit equally well, else the oldest', () => {
      expect(choose(accounts, 30, 'zoom').chosen?.connectionId).toBe('con_latest');
      expect(choose(accounts.slice(0, 2), 30, 'zoom').chosen?.connectionId).toBe('con_first');
      expect(choose([accounts[0]!, candidate('zoom', { connectionId: 'con_newer' })], 30, 'zoom').chosen?.connectionId).toBe('con_oldest');
    });

    it('G14 a limit that fits counts more than a preference', () => {
      const decision = choose([{ ...freeZoom, ...at(1) }, candidate('zoom', { connectionId: 'con_paid' })], 60, 'zoom');
      expect(decision).toMatchObject({ chosen: { connectionId: 'con_paid' }, exceeded: false });
    });

    it('G02 tries the app of the latest choice first when none was asked for, and keeps the order of the policy for auto', () => {
      const both = [candidate('zoom', at(1)), candidate('google-meet', at(2))];
      expect(choose(both, 30, null).chosen?.provider).toBe('google-meet');
      expect(choose(both, 30, 'auto').chosen?.provider).toBe('zoom');
      expect(choose([candidate('zoom'), candidate('google-meet')], 30, null).chosen?.provider).toBe('zoom');
    });

    it('G02 says why the app of the choice was not taken', () => {
      const broken = candidate('google-meet', { status: 'reconnect_required', ...at(1) });
      expect(choose([broken, candidate('zoom')], 30, null)).toMatchObject({
        chosen: { provider: 'zoom' },
        considered: [{ provider: 'google-meet', rejected: 'reconnect_required' }, { provider: 'microsoft-teams' }],
      });
      const short = candidate('google-meet', { plan: 'unknown', planBasis: 'none', limit: upTo(60), ...at(1) });
      expect(choose([short, candidate('zoom')], 90, null)).toMatchObject({
        chosen: { provider: 'zoom' },
        considered: expect.arrayContaining([
          { provider: 'google-meet', rejected: 'limit_exceeded', limitMinutes: 60, plan: 'unknown', planBasis: 'none' },
        ]),
      });
    });

    it('G02 a choice that was disconnected counts no more, and one that the marketplace does not approve is not considered', () => {
      const gone = candidate('google-meet', { status: 'revoked', ...at(1) });
      expect(choose([gone, candidate('zoom')], 30, null).chosen?.provider).toBe('zoom');
      const policy = { ...PRESETS.guide, approved_apps: ['zoom' as const] };
      expect(choose([candidate('google-meet', at(1)), candidate('zoom')], 30, null, policy)).toMatchObject({
        chosen: { provider: 'zoom' },
        considered: [],
      });
    });
  });

  it('G01 uses no app that the marketplace has taken off its list', () => {
    const policy = { ...PRESETS.guide, approved_apps: ['google-meet' as const] };
    expect(choose([candidate('zoom')], 30, 'zoom', policy)).toMatchObject({ chosen: null, considered: [{ rejected: 'app_not_approved' }] });
    expect(choose([candidate('zoom')], 30, 'auto', policy)).toMatchObject({
      chosen: null,
      considered: [{ provider: 'google-meet', rejected: 'not_connected' }],
    });
  });
});
