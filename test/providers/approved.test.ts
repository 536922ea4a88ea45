import { describe, expect, it } from 'vitest';
import { APPS, classifyJoinUrl } from '../../providers/approved.ts';
import { PROVIDER_IDS } from '../../src/domain/apps.ts';

const outcome = (url: string, approved: readonly (typeof PROVIDER_IDS)[number][] = PROVIDER_IDS): string => {
  try {
    return classifyJoinUrl(url, approved).provider;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('G01 join links of the approved apps', () => {
  it.each([
    ['https://zoom.us/j/81234567890', 'zoom'],
    ['https://us02web.zoom.us/j/81234567890?pwd=abc.1', 'zoom'],
    ['https://company.zoom.us/w/81234567890', 'zoom'],
    ['https://zoom.us/my/ada.lovelace', 'zoom'],
    ['https://zoomgov.com/j/1612345678', 'zoom'],
    ['https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context=%7b%7d', 'microsoft-teams'],
    ['https://teams.microsoft.com/meet/2345678901234', 'microsoft-teams'],
    ['https://teams.live.com/meet/9312345678901?p=x', 'microsoft-teams'],
    ['https://meet.google.com/abc-defg-hij', 'google-meet'],
    ['https://meet.google.com/abc-defg-hij?authuser=0', 'google-meet'],
  ])('%s is one of %s', (url, provider) => {
    expect(outcome(url)).toBe(provider);
    expect(classifyJoinUrl(url, PROVIDER_IDS).url).toBe(url);
  });

  it.each([
    ['https://webex.com/meet/ada', 'app_not_approved'],
    ['https://whereby.com/ada', 'app_not_approved'],
    ['https://evilzoom.us/j/81234567890', 'app_not_approved'],
    ['https://zoom.us.evil.example/j/81234567890', 'app_not_approved'],
    ['https://zoom.com/j/81234567890', 'app_not_approved'],
    ['https://meet.google.com.evil.example/abc-defg-hij', 'app_not_approved'],
    ['https://evil.meet.google.com/abc-defg-hij', 'app_not_approved'],
    ['https://google.com/url?q=https://meet.google.com/abc-defg-hij', 'app_not_approved'],
    ['https://xn--zom-0na.us/j/81234567890', 'app_not_approved'],
    ['http://zoom.us/j/81234567890', 'join_url_invalid'],
    ['ftp://zoom.us/j/81234567890', 'join_url_invalid'],
    ['//zoom.us/j/81234567890', 'join_url_invalid'],
    ['zoom.us/j/81234567890', 'join_url_invalid'],
    ['javascript:location="https://zoom.us/j/81234567890"', 'join_url_invalid'],
    ['https://user@zoom.us/j/81234567890', 'join_url_invalid'],
    ['https://zoom.us@evil.example/j/81234567890', 'join_url_invalid'],
    ['https://zoom.us:8443/j/81234567890', 'join_url_invalid'],
    ['https://ZOOM.US/j/81234567890', 'join_url_invalid'],
    ['https://zoom.us\\@evil.example/j/81234567890', 'join_url_invalid'],
    ['https:\\\\zoom.us\\j\\81234567890', 'join_url_invalid'],
    ['https:zoom.us/j/81234567890', 'join_url_invalid'],
    ['https:///zoom.us/j/81234567890', 'join_url_invalid'],
    ['https://zoom%2eus/j/81234567890', 'join_url_invalid'],
    ['https://zöom.us/j/81234567890', 'join_url_invalid'],
    [' https://zoom.us/j/81234567890', 'join_url_invalid'],
    ['https://zoom.us/j/81234567890\n', 'join_url_invalid'],
    ['https://zoom.us/\tj/81234567890', 'join_url_invalid'],
    ['https://zoom.us/', 'join_url_invalid'],
    ['https://zoom.us/signin', 'join_url_invalid'],
    ['https://zoom.us/j/12345', 'join_url_invalid'],
    ['https://zoom.us/j/../oauth/authorize', 'join_url_invalid'],
    ['https://zoom.us/oauth/authorize?x=/j/81234567890', 'join_url_invalid'],
    ['https://teams.microsoft.com/l/team/19%3a', 'join_url_invalid'],
    ['https://meet.google.com/new', 'join_url_invalid'],
    ['https://meet.google.com/lookup/abc', 'join_url_invalid'],
    [`https://zoom.us/j/81234567890?pwd=${'x'.repeat(2_048)}`, 'join_url_invalid'],
    ['', 'join_url_invalid'],
  ])('%j is refused: %s', (url, code) => {
    expect(outcome(url)).toBe(code);
  });

  it('are only those of the apps that the marketplace uses', () => {
    expect(outcome('https://meet.google.com/abc-defg-hij', ['zoom'])).toBe('app_not_approved');
    expect(outcome('https://zoom.us/j/81234567890', ['zoom'])).toBe('zoom');
  });

  it('name the approved apps when they refuse', () => {
    expect(() => classifyJoinUrl('https://webex.com/meet/ada', ['zoom', 'google-meet'])).toThrow(
      expect.objectContaining({
        extra: { approved_apps: ['zoom', 'google-meet'] },
        message: expect.stringContaining('Zoom, Google Meet') as string,
      }) as Error,
    );
  });

  it('G19 have a help page for participants and for hosts at the vendor itself', () => {
    for (const { guides } of Object.values(APPS)) {
      for (const guide of [guides.participant, guides.host])
        expect(new URL(guide).hostname).toMatch(/^support\.(zoom\.com|microsoft\.com|google\.com)$/);
    }
  });
});
