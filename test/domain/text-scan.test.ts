import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APPS } from '../../providers/approved.ts';
import { scanText, type FindingKind } from '../../src/domain/text-scan.ts';

const seen = (text: string): [FindingKind, string][] => scanText(text).map(({ kind, start, end }) => [kind, text.slice(start, end)]);

describe('contact data in a text', () => {
  it.each<[text: string, kind: FindingKind, what: string]>([
    // Links of approved apps belong into the gateway.
    ['We meet at https://us02web.zoom.us/j/81234567890?pwd=abc.', 'meeting_link', 'https://us02web.zoom.us/j/81234567890?pwd=abc'],
    ['zoom.us/j/81234567890', 'meeting_link', 'zoom.us/j/81234567890'],
    ['Link: acme.zoom.us/my/jane', 'meeting_link', 'acme.zoom.us/my/jane'],
    ['(https://meet.google.com/abc-defg-hij)', 'meeting_link', 'https://meet.google.com/abc-defg-hij'],
    ['HTTPS://TEAMS.MICROSOFT.COM/meet/1234567890', 'meeting_link', 'HTTPS://TEAMS.MICROSOFT.COM/meet/1234567890'],
    ['zoommtg://zoom.us/join?confno=1', 'meeting_link', 'zoommtg://zoom.us/join?confno=1'],
    ['msteams://teams.microsoft.com/l/meetup-join/x', 'meeting_link', 'msteams://teams.microsoft.com/l/meetup-join/x'],
    ['zoom.us/j/1?uname=a@b.com', 'meeting_link', 'zoom.us/j/1?uname=a@b.com'],
    // Any other conferencing app.
    ['https://acme.webex.com/meet/jane', 'foreign_meeting_link', 'https://acme.webex.com/meet/jane'],
    ['write to wa.me/491701234567', 'foreign_meeting_link', 'wa.me/491701234567'],
    ['t.me/jane', 'foreign_meeting_link', 't.me/jane'],
    ['http://discord.gg/abc', 'foreign_meeting_link', 'http://discord.gg/abc'],
    ['meet.jit.si/OurRoom', 'foreign_meeting_link', 'meet.jit.si/OurRoom'],
    ['whereby.com/jane', 'foreign_meeting_link', 'whereby.com/jane'],
    ['https://join.skype.com/abc', 'foreign_meeting_link', 'https://join.skype.com/abc'],
    ['meet.goto.com/123456789', 'foreign_meeting_link', 'meet.goto.com/123456789'],
    ['встреча telemost.yandex.ru/j/123', 'foreign_meeting_link', 'telemost.yandex.ru/j/123'],
    ['uni.zoom-x.de/j/123', 'foreign_meeting_link', 'uni.zoom-x.de/j/123'],
    ['acme.zoom.com.cn/j/123', 'foreign_meeting_link', 'acme.zoom.com.cn/j/123'],
    ['tg://resolve?domain=jane', 'foreign_meeting_link', 'tg://resolve?domain=jane'],
    ['ｗａ．ｍｅ/49170', 'foreign_meeting_link', 'ｗａ．ｍｅ/49170'],
    // Other links; what looks like an approved app's is just one of them.
    ['see www.jane.museum for more', 'url', 'www.jane.museum'],
    ['jane-doe.de', 'url', 'jane-doe.de'],
    ['my page: jane.it/contact', 'url', 'jane.it/contact'],
    ['https://zoom.us.evil.example/j/1', 'url', 'https://zoom.us.evil.example/j/1'],
    ['https://zoom.us@evil.example/j/1', 'url', 'https://zoom.us@evil.example/j/1'],
    ['evilzoom.com/j/1', 'url', 'evilzoom.com/j/1'],
    ['hxxp://jane.example/x', 'url', 'hxxp://jane.example/x'],
    ['http://127.0.0.1:8080/x!', 'url', 'http://127.0.0.1:8080/x'],
    ['сайт пример.рф', 'url', 'пример.рф'],
    // Addresses, plain and spelled out.
    ['jane.doe+x@mail.example.com.', 'email', 'jane.doe+x@mail.example.com'],
    ['mailto:jane@example.museum', 'email', 'jane@example.museum'],
    ['jane (at) example dot com', 'email', 'jane (at) example dot com'],
    ['jane [at] example [dot] de and so on', 'email', 'jane [at] example [dot] de'],
    ['jane{at}example{dot}co{dot}uk', 'email', 'jane{at}example{dot}co{dot}uk'],
    ['jane _at_ example.com', 'email', 'jane _at_ example.com'],
    ['jane at example dot com', 'email', 'jane at example dot com'],
    ['jane @ example . com', 'email', 'jane @ example . com'],
    ['max (ät) firma punkt de', 'email', 'max (ät) firma punkt de'],
    ['max klammeraffe firma punkt de', 'email', 'max klammeraffe firma punkt de'],
    ['ivan собака mail точка ru', 'email', 'ivan собака mail точка ru'],
    ['иван (собака) пример.рф', 'email', 'иван (собака) пример.рф'],
    ['ivan (кльомба) abv.bg', 'email', 'ivan (кльомба) abv.bg'],
    ['ivan маймунско а abv точка bg', 'email', 'ivan маймунско а abv точка bg'],
    ['ＪＡＮＥ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'email', 'ＪＡＮＥ＠ｅｘａｍｐｌｅ．ｃｏｍ'],
    ['ja\u200Bne@exam\u00ADple.com', 'email', 'ja\u200Bne@exam\u00ADple.com'],
    ['me@example.com . Bye', 'email', 'me@example.com'],
    // Numbers.
    ['+49 170 1234567', 'phone', '+49 170 1234567'],
    ['+491701234567', 'phone', '+491701234567'],
    ['call +1 (555) 123-4567 now', 'phone', '+1 (555) 123-4567'],
    ['0049 (0)170 123 45 67', 'phone', '0049 (0)170 123 45 67'],
    ['+7 (495) 123-45-67', 'phone', '+7 (495) 123-45-67'],
    ['+359 88 123 4567', 'phone', '+359 88 123 4567'],
    ['＋４９ １７０ １２３４５６７', 'phone', '＋４９ １７０ １２３４５６７'],
    ['tel. 0170 1234567', 'phone', '0170 1234567'],
    ['Тел: 8 (495) 123-45-67', 'phone', '8 (495) 123-45-67'],
    ['call me at 555-123-4567', 'phone', '555-123-4567'],
    // Names at messengers.
    ['I am @jane_doe there', 'handle', '@jane_doe'],
    ['Skype: jane.doe', 'handle', 'jane.doe'],
    ['skype:live:jane?call', 'handle', 'live:jane'],
    ['telegram is jane_doe', 'handle', 'jane_doe'],
    ['Discord jane#1234', 'handle', 'jane#1234'],
    ['WeChat ID: janedoe', 'handle', 'janedoe'],
    ['Телеграм: jane_doe', 'handle', 'jane_doe'],
  ])('C03 is found in "%s": %s', (text, kind, what) => {
    expect(seen(text)).toEqual([[kind, what]]);
  });

  it('is found with its kind and place, several times in one text and in the order of the text', () => {
    const text = 'Jane: jane@example.com, +49 170 1234567, t.me/jane, or www.jane.example.';
    expect(seen(text)).toEqual([
      ['email', 'jane@example.com'],
      ['phone', '+49 170 1234567'],
      ['foreign_meeting_link', 't.me/jane'],
      ['url', 'www.jane.example'],
    ]);
    expect(Object.keys(scanText(text)[0]!).sort()).toEqual(['end', 'kind', 'start']);
  });

  it('has its place in the text as it is, also behind characters that fold to more or fewer', () => {
    expect(seen('ﬁne 𝟙𝟚 👩‍👩‍👧 \u200B jane@example.com')).toEqual([['email', 'jane@example.com']]);
  });

  it('knows every host of an approved app', () => {
    const hosts = Object.values(APPS).flatMap(({ joinHosts }) => joinHosts.map((host) => host.replace('*', 'acme')));
    expect(hosts.filter((host) => scanText(`https://${host}/x`)[0]?.kind !== 'meeting_link')).toEqual([]);
  });
});

describe('an innocent text', () => {
  it.each([
    '',
    'Consultation about the garden',
    'Meet me at 10.30 or at 11:00',
    'at 10.30. Bring 2.5 kg',
    '10:00-11:30 UTC+02:00',
    '2026-10-05T10:30:00+02:00',
    '05.10.2026, 5/10/2026, 2026-10-05',
    'GMT+0530 (IST)',
    '1.299,00 € or 1,299.00 USD',
    '+20 000 000 000 €',
    'growth of +35 000 000 USD',
    '+10 % to +15 %',
    '2 + 491701234567',
    'version v1.2.3-beta.4, Node 20.11.0',
    'IPv4 10.0.0.1',
    'Order no. 00491701234567',
    'Order #0049170123456789',
    'IBAN DE44 0049 1701 2345 6789 00',
    'BG80 BNBG 9661 1020 3456 78',
    'Invoice 2026-000123-4567890',
    'ISBN 978-3-16-148410-0',
    'ID 550e8400-e29b-41d4-a716-446655440000',
    'Bestellung 4711.0815.2026',
    'Node.js and ASP.NET, README.md, invoice.pdf',
    'e.g. this, i.e. that, z.B. dies, u.a. das, т.е. то',
    'End of sentence.It goes on.So it does.Es war gut.',
    'Look at this dot com bubble',
    'He worked at the dot com for years',
    'The point at issue, dot by dot',
    'Wir treffen uns at home',
    'Собака ждёт у дома, точка.',
    'Моята собака точка',
    '3 items @ 2.50 each',
    'lunch @ noon',
    'Java @Override and CSS @media',
    'npm i @types/node',
    'C# 2026, room #1234, PR #42',
    'Skype for Business, Telegram is a messenger',
    'WhatsApp: please do not use it',
    'Skype 10.30 or Telegram e.g. later',
    'Call me at 10.30 - 11.30',
    'Phone on 05.10.2026 at 10',
    'mobile 1234567 €',
    'and/or, 24/7, km/h, w/o',
    'Use Zoom, Teams or Google Meet',
    'Price: 0.0012345678 BTC',
    'Dr.Smith and St.Petersburg',
    'A+ 1/2/3 4.5.6',
    '👍 Danke! 🙂',
  ])('has no finding: %s', (text) => {
    expect(seen(text)).toEqual([]);
  });
});

describe('any text', () => {
  it('gives ranges that lie in it, in order and without overlaps', () => {
    const pieces = fc.constantFrom(
      'a',
      '.',
      '@',
      ' at ',
      ' dot ',
      'com',
      '+49',
      ' 170',
      '1',
      '/',
      '://',
      'zoom.us',
      '(',
      ')',
      '\u200B',
      'ﬁ',
      '😀',
      'tel ',
      'ь',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 60 }).map((all) => all.join('')),
          fc.string({ unit: 'binary', maxLength: 200 }),
        ),
        (text) => {
          let before = 0;
          for (const { start, end } of scanText(text)) {
            expect(start).toBeGreaterThanOrEqual(before);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(text.length);
            before = end;
          }
        },
      ),
    );
  });

  it('hides no address from the scan by what stands around it', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 20 }), fc.lorem({ maxCount: 20 }), (before, behind) => {
        expect(seen(`${before} jane@example.com ${behind}`)).toContainEqual(['email', 'jane@example.com']);
      }),
    );
  });

  it.each([
    'a',
    'a.',
    'a-',
    '@',
    '@a',
    'a@b.',
    'x at ',
    'a at b dot ',
    '(at)',
    '([<{',
    ' ',
    '\t@',
    '1',
    '+1 ',
    '+49 1',
    '00',
    '/',
    'a://',
    'https://',
    'zoom.us.',
    'skype ',
    'skype id is ',
    'tel 1 ',
    'tel:    ',
    'call me at on ',
    '_',
    '\u200B',
    'ａ',
    'ь.',
    '@abcd ',
    'a dot ',
    '. ',
    '[.]',
    '(0)',
    '😀',
  ])('of 100 kB is scanned in linear time: %j again and again', (piece) => {
    const timed = (length: number): number => {
      const text = piece.repeat(Math.ceil(length / piece.length));
      return Math.min(...[1, 2, 3].map(() => elapsedMs(() => scanText(text))));
    };
    const small = timed(12_500);
    // Eight times the text; quadratic time would be 64 times as long. The allowance covers timers and garbage collection.
    expect(timed(100_000)).toBeLessThan(24 * small + 100);
  });
});

function elapsedMs(work: () => void): number {
  const from = performance.now();
  work();
  return performance.now() - from;
}
