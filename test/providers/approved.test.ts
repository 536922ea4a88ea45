import { describe, expect, it } from 'vitest';
import { APPS, checkApprovedHost, classifyJoinUrl } from '../../providers/approved.ts';
import { PROVIDER_IDS, type ProviderId } from '../../src/domain/apps.ts';

const MEET = 'https://meet.google.com/abc-defg-hij';
const notApproved = (approved: readonly ProviderId[]): Error =>
  expect.objectContaining({
    code: 'app_not_approved',
    message: expect.stringContaining(`(${approved.map((id) => APPS[id].name).join(', ')})`) as string,
    extra: { reason: 'not_approved_app', approved_apps: approved },
  }) as Error;

describe("a marketplace's list of apps", () => {
  it('G01 narrows the whitelist, and a refusal names what is left', () => {
    expect(classifyJoinUrl('https://zoom.us/j/81234567890', ['zoom']).provider).toBe('zoom');
    expect(() => classifyJoinUrl(MEET, ['zoom'])).toThrow(notApproved(['zoom']));
    expect(() => classifyJoinUrl('https://webex.com/meet/ada', ['zoom', 'google-meet'])).toThrow(notApproved(['zoom', 'google-meet']));
    expect(() => classifyJoinUrl(MEET, [])).toThrow(notApproved([]));
  });

  it.each(['webex', '__proto__', 'constructor', 'toString'])('G01 does not widen the whitelist by naming %s', (name) => {
    const widened = ['zoom', name] as ProviderId[];
    expect(() => classifyJoinUrl('https://acme.webex.com/meet/ada', widened)).toThrow(notApproved(['zoom']));
    expect(() => classifyJoinUrl(MEET, widened)).toThrow(notApproved(['zoom']));
  });
});

describe("a link that a vendor's API made", () => {
  it('G01 is held against the hosts only: vendors change their paths', () => {
    const { app, url } = checkApprovedHost('https://teams.microsoft.com/some/new/form?id=1', PROVIDER_IDS);
    expect(app).toBe(APPS['microsoft-teams']);
    expect(url.href).toBe('https://teams.microsoft.com/some/new/form?id=1');
    expect(checkApprovedHost('https://meet.google.com/abcd-efgh-ijkl', PROVIDER_IDS).app).toBe(APPS['google-meet']);
  });

  it.each([
    ['https://teams.microsoft.com.evil.example/meet/387869479301', 'not_approved_app'],
    ['https://user@zoom.us/j/81234567890', 'credentials'],
    ['https://zoom.us:8443/j/81234567890', 'port'],
    ['http://zoom.us/j/81234567890', 'not_https'],
  ])('G01 is refused all the same when it is %s: %s', (url, reason) => {
    expect(() => checkApprovedHost(url, PROVIDER_IDS)).toThrow(
      expect.objectContaining({ extra: expect.objectContaining({ reason }) as object }) as Error,
    );
  });

  it('G01 is refused when the marketplace has taken the app off its list', () => {
    expect(() => checkApprovedHost(MEET, ['zoom'])).toThrow(notApproved(['zoom']));
  });
});

describe('the approved apps', () => {
  it('G19 have a help page for participants and for hosts at the vendor itself', () => {
    for (const { guides } of Object.values(APPS)) {
      for (const guide of [guides.participant, guides.host])
        expect(new URL(guide).hostname).toMatch(/^support\.(zoom\.com|microsoft\.com|google\.com)$/);
    }
  });

  it('G01 are exactly Zoom, Microsoft Teams and Google Meet', () => {
    expect(Object.values(APPS).map(({ name }) => name)).toEqual(['Zoom', 'Microsoft Teams', 'Google Meet']);
    expect(Object.keys(APPS)).toEqual(PROVIDER_IDS);
  });
});
