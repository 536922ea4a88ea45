import { describe, expect, it } from 'vitest';
import { classifyJoinUrl, linkIdentity } from '../../providers/approved.ts';
import { PROVIDER_IDS, type ProviderId } from '../../src/domain/apps.ts';

const TEAMS = 'https://teams.microsoft.com/l/meetup-join';
const CONTEXT =
  'context=%7b%22Tid%22%3a%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%2c%22Oid%22%3a%22550fae72-d251-43ec-868c-373732c2704f%22%7d';

describe('a join link', () => {
  it.each<[url: string, provider: ProviderId, identity: string]>([
    ['https://zoom.us/j/81234567890', 'zoom', 'zoom/81234567890'],
    ['https://zoom.us/j/81234567890/', 'zoom', 'zoom/81234567890'],
    ['https://zoom.us/j/812345678', 'zoom', 'zoom/812345678'],
    ['https://zoom.us/j/8123456789', 'zoom', 'zoom/8123456789'],
    ['https://zoom.us/j/812345678901', 'zoom', 'zoom/812345678901'],
    ['https://us02web.zoom.us/j/81234567890?pwd=eWVhcmFyZ3BBMXF0aXJsUDc4VnVsQT09', 'zoom', 'zoom/81234567890'],
    ['https://us05web.zoom.us/j/81234567890?pwd=3PtVVMpyq11H6UFG81bawvwm0snLbr.1', 'zoom', 'zoom/81234567890'],
    ['https://us06web.zoom.us/j/81234567890?pwd=a-b_c.d+e/f', 'zoom', 'zoom/81234567890'],
    ['https://us06web.zoom.us/j/81234567890?pwd=//looks/like/a/host', 'zoom', 'zoom/81234567890'],
    ['https://company.zoom.us/j/81234567890', 'zoom', 'zoom/81234567890'],
    ['https://acme-gmbh.zoom.us/j/81234567890', 'zoom', 'zoom/81234567890'],
    ['https://1234.zoom.us/j/81234567890', 'zoom', 'zoom/81234567890'],
    ['https://eu01web.zoom.us/j/61234567890', 'zoom', 'zoom/61234567890'],
    ['https://company.zoom.us/w/81234567890', 'zoom', 'zoom/81234567890'],
    ['https://us02web.zoom.us/w/81234567890?tk=abc.def&pwd=x', 'zoom', 'zoom/81234567890'],
    ['https://zoom.us/wc/join/81234567890', 'zoom', 'zoom/81234567890'],
    ['https://zoom.us/wc/81234567890/join', 'zoom', 'zoom/81234567890'],
    ['https://app.zoom.us/wc/81234567890/join?fromPWA=1&pwd=x.1', 'zoom', 'zoom/81234567890'],
    ['https://us02web.zoom.us/j/81234567890?pwd=x&omn=98765432109&from=addon', 'zoom', 'zoom/81234567890'],
    ['https://us02web.zoom.us/j/81234567890?uname=Ada%20Lovelace', 'zoom', 'zoom/81234567890'],
    ['https://us02web.zoom.us/j/81234567890?', 'zoom', 'zoom/81234567890'],
    ['https://zoom.com/j/92313847288', 'zoom', 'zoom/92313847288'],
    ['https://acme.zoom.com/j/92313847288?pwd=abc', 'zoom', 'zoom/92313847288'],
    ['https://app.zoom.com/wc/92313847288/join', 'zoom', 'zoom/92313847288'],
    ['https://zoomgov.com/j/1612345678', 'zoom', 'zoomgov/1612345678'],
    ['https://www.zoomgov.com/j/1612345678?pwd=abc', 'zoom', 'zoomgov/1612345678'],
    ['https://agency.zoomgov.com/w/1612345678', 'zoom', 'zoomgov/1612345678'],
    ['https://zoom.us/my/ada.lovelace', 'zoom', 'zoom/my/ada.lovelace'],
    ['https://acme.zoom.us/my/Ada.Lovelace2', 'zoom', 'zoom/my/ada.lovelace2'],
    ['https://acme.zoom.us/my/ada?pwd=x', 'zoom', 'zoom/my/ada'],
    [`${TEAMS}/19%3ameeting_M2IzYzcz%40thread.v2/0?${CONTEXT}`, 'microsoft-teams', 'microsoft-teams/19:meeting_m2izyzcz@thread.v2'],
    [`${TEAMS}/19%3Ameeting_Abc%40thread.v2/0?context=%7b%7d`, 'microsoft-teams', 'microsoft-teams/19:meeting_abc@thread.v2'],
    [`${TEAMS}/19:meeting_Ab-c_9@thread.v2/0`, 'microsoft-teams', 'microsoft-teams/19:meeting_ab-c_9@thread.v2'],
    [`${TEAMS}/19%3ameeting_Abc%40thread.skype/0`, 'microsoft-teams', 'microsoft-teams/19:meeting_abc@thread.skype'],
    [`${TEAMS}/19%3ameeting_Abc%40thread.v2`, 'microsoft-teams', 'microsoft-teams/19:meeting_abc@thread.v2'],
    [
      `${TEAMS}/19%3a01abcd%40thread.tacv2/1605000000000?context=x`,
      'microsoft-teams',
      'microsoft-teams/19:01abcd@thread.tacv2/1605000000000',
    ],
    [
      'https://gov.teams.microsoft.us/l/meetup-join/19%3agcch%3ameeting_Abc%40thread.v2/0',
      'microsoft-teams',
      'microsoft-teams/19:gcch:meeting_abc@thread.v2',
    ],
    [
      'https://dod.teams.microsoft.us/l/meetup-join/19%3adod%3ameeting_Abc%40thread.v2/0',
      'microsoft-teams',
      'microsoft-teams/19:dod:meeting_abc@thread.v2',
    ],
    [
      'https://teams.cloud.microsoft/l/meetup-join/19%3ameeting_Abc%40thread.v2/0',
      'microsoft-teams',
      'microsoft-teams/19:meeting_abc@thread.v2',
    ],
    [
      'https://teams.microsoftonline.cn/l/meetup-join/19%3ameeting_Abc%40thread.v2/0',
      'microsoft-teams',
      'microsoft-teams/19:meeting_abc@thread.v2',
    ],
    ['https://teams.live.com/l/meetup-join/19%3ameeting_Abc%40thread.v2/0', 'microsoft-teams', 'microsoft-teams/19:meeting_abc@thread.v2'],
    ['https://teams.microsoft.com/meet/387869479301?p=O730PkMrirm0y8UPmk', 'microsoft-teams', 'microsoft-teams/meet/387869479301'],
    ['https://teams.microsoft.com/meet/2345678901234', 'microsoft-teams', 'microsoft-teams/meet/2345678901234'],
    ['https://teams.live.com/meet/9312345678901?p=x', 'microsoft-teams', 'microsoft-teams/meet/9312345678901'],
    ['https://teams.cloud.microsoft/meet/1234567890123?p=abc', 'microsoft-teams', 'microsoft-teams/meet/1234567890123'],
    ['https://gov.teams.microsoft.us/meet/123456789012', 'microsoft-teams', 'microsoft-teams/meet/123456789012'],
    ['https://meet.google.com/abc-defg-hij', 'google-meet', 'google-meet/abc-defg-hij'],
  ])('G01 %s is one of %s', (url, provider, identity) => {
    expect(classifyJoinUrl(url, PROVIDER_IDS)).toEqual({ provider, url, identity });
  });

  it.each([
    ['https://meet.google.com/abc-defg-hij?authuser=ada@example.com&pli=1', 'https://meet.google.com/abc-defg-hij'],
    ['https://meet.google.com/abc-defg-hij?authuser=0', 'https://meet.google.com/abc-defg-hij'],
    ['https://meet.google.com/abc-defg-hij/', 'https://meet.google.com/abc-defg-hij'],
    ['https://meet.google.com/ABC-defg-HIJ?hs=122', 'https://meet.google.com/abc-defg-hij'],
    ['https://us06web.zoom.us/j/88395547586?pwd=abc.1#success', 'https://us06web.zoom.us/j/88395547586?pwd=abc.1'],
  ])("C03 %s loses what the vendor's own pages added", (given, kept) => {
    expect(classifyJoinUrl(given, PROVIDER_IDS).url).toBe(kept);
  });
});

describe('the identity of a meeting', () => {
  it.each([
    [
      'https://us02web.zoom.us/j/81234567890?pwd=abc',
      'https://us02web.zoom.us/j/81234567890?pwd=other',
      'https://us02web.zoom.us/j/81234567890/',
      'https://zoom.us/j/81234567890',
      'https://acme.zoom.us/w/81234567890?tk=x',
      'https://acme.zoom.com/j/81234567890',
      'https://zoom.us/wc/join/81234567890',
      'https://app.zoom.us/wc/81234567890/join',
      'https://us06web.zoom.us/j/81234567890#success',
    ],
    ['https://acme.zoom.us/my/Ada.L', 'https://zoom.us/my/ada.l', 'https://zoom.us/my/ada.l/?pwd=x'],
    [
      `${TEAMS}/19%3ameeting_Abc%40thread.v2/0?context=%7b%7d`,
      `${TEAMS}/19%3Ameeting_Abc%40thread.v2/0`,
      `${TEAMS}/19:meeting_Abc@thread.v2/0?context=x`,
      `${TEAMS}/19:meeting_abc@thread.v2/1`,
      'https://teams.cloud.microsoft/l/meetup-join/19%3ameeting_Abc%40thread.v2',
      'https://teams.live.com/l/meetup-join/19%3ameeting_Abc@thread.v2/0/',
    ],
    [
      `${TEAMS}/19%3aabc%40thread.tacv2/1605000000000`,
      'https://teams.cloud.microsoft/l/meetup-join/19:abc@thread.tacv2/01605000000000?x=y',
    ],
    [
      'https://teams.microsoft.com/meet/387869479301?p=a',
      'https://teams.cloud.microsoft/meet/387869479301',
      'https://teams.live.com/meet/387869479301/',
    ],
    ['https://meet.google.com/abc-defg-hij', 'https://meet.google.com/ABC-DEFG-HIJ', 'https://meet.google.com/abc-defg-hij/?authuser=1'],
  ])('G05 is the same for every spelling of %s', (...spellings) => {
    const identities = spellings.map((url) => classifyJoinUrl(url, PROVIDER_IDS).identity);
    expect(new Set(identities).size).toBe(1);
    expect(spellings.map(linkIdentity)).toEqual(identities);
  });

  it('G05 differs from meeting to meeting', () => {
    const links = [
      'https://zoom.us/j/81234567890',
      'https://zoom.us/j/81234567891',
      'https://zoomgov.com/j/81234567890',
      'https://zoom.us/my/ada',
      'https://zoom.us/my/adam',
      `${TEAMS}/19%3ameeting_Abc%40thread.v2/0`,
      `${TEAMS}/19%3ameeting_Abd%40thread.v2/0`,
      `${TEAMS}/19%3aabc%40thread.tacv2/1605000000000`,
      `${TEAMS}/19%3aabc%40thread.tacv2/1605000000001`,
      'https://teams.microsoft.com/meet/387869479301',
      'https://teams.microsoft.com/meet/387869479302',
      'https://meet.google.com/abc-defg-hij',
      'https://meet.google.com/abc-defg-hik',
      // Forms that only a vendor makes, and that we do not know: all of the link counts.
      'https://teams.microsoft.com/new/form?id=1',
      'https://teams.microsoft.com/new/form?id=2',
      'https://meet.google.com/abcd-efgh-ijkl',
    ];
    expect(new Set(links.map(linkIdentity)).size).toBe(links.length);
  });

  it('G05 is found without a failure in whatever a vendor sends', () => {
    expect(linkIdentity('no url')).toBe('no url');
    expect(linkIdentity('https://example.com/%ff')).toBe('example.com/%ff');
  });
});
