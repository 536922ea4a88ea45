import { describe, expect, it } from 'vitest';
import { decide, type Candidate } from '../../src/domain/decision.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { PRESETS } from '../../src/domain/presets/index.ts';

const candidate = (provider: Candidate['provider'], changes: Partial<Candidate> = {}): Candidate => ({
  connectionId: `con_${provider}`,
  provider,
  status: 'active',
  createsMeetings: true,
  plan: 'paid',
  limitMinutes: null,
  preferredAt: null,
  ...changes,
});
const freeZoom = candidate('zoom', { plan: 'free', limitMinutes: 40 });
const unknownTeams = candidate('microsoft-teams', { plan: 'unknown', limitMinutes: 60 });
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
    expect(decision.considered).toContainEqual({ provider: 'zoom', rejected: 'limit_exceeded', limitMinutes: 40 });
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
      considered: expect.arrayContaining([{ provider: 'zoom', rejected: 'limit_exceeded', limitMinutes: 40 }]),
    });
    expect(choose([freeZoom], 41, 'auto', PRESETS.rodrun)).toMatchObject({ chosen: { provider: 'zoom' }, exceeded: true });
  });

  it('takes another account of the same app when the first is too short', () => {
    const decision = choose([freeZoom, candidate('zoom', { connectionId: 'con_paid' })], 60);
    expect(decision).toMatchObject({ chosen: { connectionId: 'con_paid' }, exceeded: false });
    expect(decision.considered.filter(({ provider }) => provider === 'zoom')).toEqual([]);
  });

  it.each([
    ['nothing is connected', [], 'not_connected'],
    ['the connection was revoked', [candidate('zoom', { status: 'revoked' })], 'not_connected'],
    ['the grant is dead', [candidate('zoom', { status: 'reconnect_required' })], 'reconnect_required'],
    ['the account makes no links', [candidate('zoom', { createsMeetings: false })], 'not_capable'],
  ] as const)('says why an app was not chosen: %s', (_why, candidates, rejected) => {
    expect(choose([...candidates], 30, 'zoom')).toEqual({
      chosen: null,
      exceeded: false,
      considered: [{ provider: 'zoom', rejected, limitMinutes: null }],
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
