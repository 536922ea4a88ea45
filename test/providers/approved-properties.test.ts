import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkApprovedHost, classifyJoinUrl, linkIdentity, type JoinLink } from '../../providers/approved.ts';
import { PROVIDER_IDS } from '../../src/domain/apps.ts';
import { Failure } from '../../src/domain/failure.ts';

const RUNS = { numRuns: 5_000 };

/** Written down a second time on purpose, so that a slip in the list or in its matching shows. */
const HOSTS = [
  'zoom.us',
  'zoom.com',
  'zoomgov.com',
  'teams.microsoft.com',
  'teams.live.com',
  'teams.cloud.microsoft',
  'gov.teams.microsoft.us',
  'dod.teams.microsoft.us',
  'teams.microsoftonline.cn',
  'meet.google.com',
];
const ZONES = ['zoom.us', 'zoom.com', 'zoomgov.com'];

const GOOD = [
  'https://zoom.us/j/81234567890?pwd=abc.1',
  'https://us02web.zoom.us/wc/81234567890/join',
  'https://zoomgov.com/w/1612345678',
  'https://acme.zoom.com/my/jane.doe',
  'https://teams.microsoft.com/l/meetup-join/19%3ameeting_Abc%40thread.v2/0?context=%7b%22Tid%22%3a%22x%22%7d',
  'https://teams.live.com/meet/9326458712345?p=abc',
  'https://gov.teams.microsoft.us/l/meetup-join/19:gcch:meeting_Abc@thread.v2/0',
  'https://meet.google.com/abc-defg-hij',
];

/** The join link, or undefined for a refusal as the contract has it; anything else is thrown on. */
function attempt(text: string): JoinLink | undefined {
  try {
    return classifyJoinUrl(text, PROVIDER_IDS);
  } catch (error) {
    const asAgreed = error instanceof Failure && CODES.has(error.code) && typeof error.extra['reason'] === 'string';
    if (!asAgreed) throw error;
    return undefined;
  }
}
const CODES: ReadonlySet<string> = new Set(['join_url_invalid', 'app_not_approved']);

/** Character by character, without a URL parser or a regular expression over the whole. */
function naiveHostCheck(text: string): boolean {
  if (!text.startsWith('https://')) return false;
  let host = '';
  for (const character of text.slice('https://'.length)) {
    if (character === '/' || character === '?' || character === '#') break;
    host += character;
  }
  if (HOSTS.includes(host)) return true;
  const [label = '', ...rest] = host.split('.');
  return ZONES.includes(rest.join('.')) && label !== '' && !label.startsWith('xn--') && label.split('').every((one) => LABEL.includes(one));
}
const LABEL = 'abcdefghijklmnopqrstuvwxyz0123456789-';

function expectSound(text: string, link: JoinLink): void {
  const url = new URL(link.url);
  expect(url.protocol).toBe('https:');
  expect(url.host).toBe(new URL(text).host);
  expect(naiveHostCheck(link.url)).toBe(true);
  expect(naiveHostCheck(text)).toBe(true);
  // What is kept is what every parser reads, and as much as was given, but for the vendor pages' own additions.
  expect(url.href).toBe(link.url);
  expect(new URL(text).href.toLowerCase().startsWith(link.url.toLowerCase())).toBe(true);
  expect(classifyJoinUrl(link.url, PROVIDER_IDS)).toEqual(link);
  expect(linkIdentity(text)).toBe(link.identity);
}

/** What attackers and keyboards put into URLs. */
const NASTY = [
  ...Array.from({ length: 128 }, (_none, code) => String.fromCharCode(code)),
  ...Array.from(
    '\u0080\u00A0\u00AD\u034F\u061C\u115F\u180E\u200B\u200C\u200D\u200E\u202A\u202E\u2028\u2029\u2044\u2060\u2066\u2215\u29F8\u3000\u3002\u3164',
  ),
  ...Array.from('\uFE0F\uFEFF\uFF0E\uFF0F\uFF1A\uFF1F\uFF20\uFF3C\uFF61\uFFA0\uFFFD\uD800\uDC00аеорсοⅼ０１٣ßİıſKÅ'),
  '😀',
  '%00',
  '%2e',
  '%2f',
  '%5c',
  '%40',
  '%3a',
  '%252f',
  '..',
  '/../',
  '//',
  '\\\\',
  '@evil.example/',
  '.evil.example/',
  'evil.example/',
  '://',
  'https://',
  ':443',
  'xn--',
];

describe('whatever is given as a link', () => {
  const pieces = fc.constantFrom(
    ...NASTY,
    ...HOSTS,
    'https',
    '/j/',
    '81234567890',
    '/l/meetup-join/',
    '?pwd=',
    'www.',
    'acme.',
    '/my/',
    '/meet/',
  );
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
    fc.tuple(fc.array(pieces, { maxLength: 4 }), fc.constantFrom(...GOOD)).map(([all, good]) => `https://${all.join('')}${good.slice(8)}`),
    fc.tuple(fc.constantFrom(...GOOD), fc.array(pieces, { maxLength: 4 })).map(([good, all]) => `${good}${all.join('')}`),
  );

  it('G01 is refused by name, or is an https URL of a host on the list that says what the text says', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anything, (text) => {
        const link = attempt(text);
        if (link === undefined) return;
        accepted += 1;
        expectSound(text, link);
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(RUNS.numRuns / 50);
  });

  it('G01 has its host judged as a second, naive implementation judges it', () => {
    const hostPiece = fc.constantFrom(
      ...HOSTS,
      ...HOSTS,
      'acme',
      'acme-2',
      'evil',
      'xn--a',
      '.',
      '.',
      '-',
      '@',
      ':',
      ':443',
      '%2e',
      '\\',
      'Z',
      'о',
      '_',
      '[',
      'com',
      'us',
    );
    const link = fc
      .tuple(
        fc.array(hostPiece, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', '/', '/j/81234567890', '?x', '#x', '/@zoom.us', '?@zoom.us/'),
      )
      .map(([host, path]) => `https://${host.join('')}${path}`);
    const verdicts = new Set<boolean>();
    fc.assert(
      fc.property(link, (text) => {
        verdicts.add(hostPasses(text));
        expect(hostPasses(text)).toBe(naiveHostCheck(text));
      }),
      RUNS,
    );
    expect(verdicts.size).toBe(2);
  });
});

describe('a good link with something put into it', () => {
  it.each(GOOD)('G01 is refused or leads to the same place, at every position: %s', (good) => {
    const host = new URL(good).hostname;
    const zone = ZONES.find((one) => host.endsWith(`.${one}`));
    let refused = 0;
    const hosts = new Set<string>();
    for (let at = 0; at <= good.length; at += 1) {
      for (const nasty of NASTY) {
        const text = good.slice(0, at) + nasty + good.slice(at);
        const link = attempt(text);
        if (link === undefined) {
          refused += 1;
          continue;
        }
        expectSound(text, link);
        hosts.add(new URL(link.url).hostname);
      }
    }
    // One letter more in an organisation's own label is another organisation at the same vendor, never another vendor.
    expect([...hosts].filter((one) => one !== host && (zone === undefined || !one.endsWith(`.${zone}`)))).toEqual([]);
    expect(refused).toBeGreaterThan((good.length * NASTY.length) / 2);
  });

  it('G01 is refused or leads to the same vendor when characters are also taken out or exchanged', () => {
    const edit = fc.record({ at: fc.nat(90), remove: fc.nat(3), insert: fc.constantFrom('', ...NASTY) });
    fc.assert(
      fc.property(fc.constantFrom(...GOOD), fc.array(edit, { minLength: 1, maxLength: 3 }), (good, edits) => {
        const text = edits.reduce((now, { at, remove, insert }) => now.slice(0, at) + insert + now.slice(at + remove), good);
        const link = attempt(text);
        if (link !== undefined) expectSound(text, link);
      }),
      RUNS,
    );
  });
});

describe('the identity', () => {
  const number = fc.bigInt({ min: 100_000_000n, max: 99_999_999_999n }).map(String);
  const zoomHost = fc.constantFrom('zoom.us', 'us02web.zoom.us', 'acme.zoom.us', 'acme.zoom.com');
  const spelling = fc
    .tuple(
      zoomHost,
      fc.constantFrom('/j/N', '/w/N', '/wc/join/N', '/wc/N/join', '/j/N/'),
      fc.constantFrom('', '?pwd=abc', '?pwd=x.1&omn=9'),
    )
    .map(
      ([host, path, query]) =>
        (n: string) =>
          `https://${host}${path.replace('N', n)}${query}`,
    );

  it('G05 of two Zoom links is the same exactly when their numbers are', () => {
    fc.assert(
      fc.property(number, number, fc.boolean(), spelling, spelling, (one, two, same, spellOne, spellTwo) => {
        const other = same ? one : two;
        const identities = [spellOne(one), spellTwo(other)].map((url) => classifyJoinUrl(url, PROVIDER_IDS).identity);
        expect(identities[0] === identities[1]).toBe(one === other);
      }),
    );
  });

  it('G05 of two Teams threads does not depend on how their signs and letters are written', () => {
    const thread = fc.stringMatching(/^[A-Za-z0-9_-]{5,60}$/);
    const spell = fc.record({ colon: fc.constantFrom(':', '%3a', '%3A'), at: fc.constantFrom('@', '%40'), upper: fc.boolean() });
    const link = (name: string, { colon, at, upper }: { colon: string; at: string; upper: boolean }): string =>
      `https://teams.microsoft.com/l/meetup-join/19${colon}meeting_${upper ? name.toUpperCase() : name}${at}thread.v2/0`;
    fc.assert(
      fc.property(thread, thread, spell, spell, (one, two, first, second) => {
        expect(linkIdentity(link(one, first))).toBe(linkIdentity(link(one, second)));
        expect(linkIdentity(link(one, first)) === linkIdentity(link(two, second))).toBe(one.toLowerCase() === two.toLowerCase());
      }),
    );
  });

  it('G05 is found for any text without a failure', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl()), (text) => void linkIdentity(text)));
  });
});

function hostPasses(text: string): boolean {
  try {
    checkApprovedHost(text, PROVIDER_IDS);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
