import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CONNECTION_REASONS } from '../../src/domain/connection.ts';
import { FAILURE_CODES, failureStatus, failureTitle } from '../../src/domain/failure.ts';
import { importantNotes } from '../../src/domain/important-notes.ts';
import { invitation } from '../../src/domain/invitation.ts';
import { assetHeaders, pageHeaders } from '../../src/http/pages/headers.ts';
import { chooseLanguage, LANGUAGES, TEXTS, translator } from '../../src/http/pages/texts/index.ts';
import * as views from '../../src/http/pages/views/index.ts';
import {
  account,
  adminLink,
  connect,
  everyPage,
  guests,
  host,
  join,
  JOIN_RECORDINGS,
  JOIN_STATES,
  live,
  NOW,
  recording,
  RECORDING_STATES,
  severalAccounts,
  meetWith,
  ZOOM,
  zoomWith,
} from '../support/pages.ts';

const text = async (html: views.Html): Promise<string> => String(await html);
/** What a person reads, on one line. */
const words = async (html: views.Html): Promise<string> =>
  (await text(html))
    .replace(/^.*<body>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
const HOSTILE = `"><script>alert('x')</script>`;

describe('texts', () => {
  it('have the same keys in every language, no empty text, and of every text that counts just the plural forms of the language', () => {
    const keys = [...counted(flat(TEXTS.en)).keys()];
    for (const language of LANGUAGES) {
      const texts = flat(TEXTS[language]);
      expect([...counted(texts).keys()].sort(), language).toEqual(keys.toSorted());
      for (const [key, value] of texts) expect(value.trim(), `${language} ${key}`).not.toBe('');
      const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      for (const [key, found] of counted(texts)) {
        expect(found, `${language} ${key}`).toEqual(new Set(found.size === 0 ? [] : forms));
      }
    }
  });

  it('have every place of the English text to fill in, and no other', () => {
    const english = flat(TEXTS.en);
    for (const language of LANGUAGES) {
      for (const [key, value] of flat(TEXTS[language])) {
        const original = english.get(key) ?? english.get(key.replace(PLURAL, '_other')) ?? '';
        expect(places(value), `${language} ${key}`).toEqual(places(original));
      }
    }
    expect(places(english.get('join.joinButton')!)).toEqual(['{{app}}']);
  });

  it('are found by the key that the pages use, in every language', () => {
    for (const language of LANGUAGES) {
      const t = translator(language) as unknown as (key: string, values: Record<string, unknown>) => string;
      for (const key of counted(flat(TEXTS[language])).keys()) {
        const found = t(key, { count: 3, ...Object.fromEntries(PLACES.map((place) => [place, `<${place}>`])) });
        expect(found, `${language} ${key}`).not.toBe(key);
        expect(found, `${language} ${key}`).not.toMatch(/[{}]/);
      }
    }
  });

  it.each([
    ['ru', 1, 'Придёт 1 человек'],
    ['ru', 3, 'Придут 3 человека'],
    ['ru', 11, 'Придут 11 человек'],
    ['ru', 22, 'Придут 22 человека'],
    ['bg', 1, 'Идва 1 човек'],
    ['bg', 21, 'Идват 21 души'],
    ['de', 1, '1 Person kommt'],
    ['de', 0, '0 Personen kommen'],
    ['en', 2, '2 people are coming'],
  ] as const)('count in %s: %i', (language, count, expected) => {
    expect(translator(language)('host.coming', { count })).toBe(expected);
  });

  it('are written in the language that they are meant for', () => {
    const cyrillic = (language: 'ru' | 'bg'): string[] =>
      [...flat(TEXTS[language])].filter(([, value]) => !/[а-я]/i.test(value)).map(([key]) => key);
    expect(cyrillic('ru')).toEqual([]);
    expect(cyrillic('bg')).toEqual([]);
  });

  it('take values literally, whatever these look like', () => {
    const hostile = '$& $1 {{time}} $t(join.openTitle) &amp; <b>';
    expect(translator('en')('join.openText', { app: hostile })).toBe(`The button takes you to ${hostile}.`);
    expect(translator('en')('connect.limitValue', { duration: '{{date}}', date: '$t(join.openTitle)' })).toBe(
      '{{date}} per meeting, as of $t(join.openTitle)',
    );
  });
});

describe('chooseLanguage', () => {
  it.each([
    ['de-AT', 'ru', 'de'],
    ['RU_ru', undefined, 'ru'],
    ['fr', 'bg;q=0.4, de;q=0.7', 'de'],
    [undefined, 'fr-FR, fr;q=0.9, bg;q=0.8', 'bg'],
    [undefined, 'ru;q=0, en;q=0.1', 'en'],
    [undefined, 'de;q=nonsense, bg', 'bg'],
    ['', '', 'en'],
    [undefined, undefined, 'en'],
  ])('answers locale %s and Accept-Language %s with %s', (locale, header, language) => {
    expect(chooseLanguage(locale, header)).toBe(language);
  });
});

describe.each(LANGUAGES)('every page in %s', (language) => {
  it('names its language, has one heading of the first level, labelled inputs and nothing left to fill in', async () => {
    for (const [name, html] of everyPage(language)) {
      const page = await text(html);
      expect(page, name).toContain(`<html lang="${language}"`);
      expect(page.match(/<h1[ >]/g), name).toHaveLength(1);
      expect(page.match(/<main /g), name).toHaveLength(1);
      expect(page, name).toMatch(/<title>[^<]+<\/title>/);
      // The script fills in the time of the device.
      expect(page.replace(/data-text="[^"]*"/g, ''), name).not.toMatch(/\{\w+\}|undefined|null|\[object|Invalid Date|NaN/);
      expect(page, name).not.toMatch(/ on\w+=|javascript:|<style|style=/);
      const visible = [...page.matchAll(/<input[^>]*>/g)].map(([input]) => input).filter((input) => !input.includes('type="hidden"'));
      for (const input of visible) {
        const id = / id="([^"]+)"/.exec(input)?.[1];
        const around = `<label[^>]*>\\s*${escaped(input)}\\s*<span>[^<]+</span>\\s*</label>`;
        expect(page, name).toMatch(new RegExp(id === undefined ? around : `<label for="${id}">[^<]+</label>`));
      }
      for (const [, label] of page.matchAll(/<button[^>]*>([^<]*)</g)) expect(label?.trim(), name).not.toBe('');
      expect(ids(page), name).toHaveLength(new Set(ids(page)).size);
    }
  });
});

describe('escaping', () => {
  it('shows hostile titles, names, apps and addresses as text', async () => {
    const app = { id: 'zoom', name: HOSTILE };
    const base = { title: HOSTILE, marketplace: HOSTILE, app, token: HOSTILE };
    const pages = [
      views.connectPage(
        connect('en', {
          marketplace: HOSTILE,
          token: HOSTILE,
          notice: { kind: 'access_denied', app: HOSTILE },
          apps: [{ ...zoomWith({ ...account, email: HOSTILE, missingPermissions: [{ name: HOSTILE, neededFor: 'links' }] }), ...app }],
        }),
      ),
      views.adminLinkPage(adminLink('en', { marketplace: HOSTILE, token: HOSTILE, app: HOSTILE, url: HOSTILE })),
      views.joinPage(
        join('en', {
          ...base,
          professional: HOSTILE,
          live: { ...live, meter: { ...live.meter!, balance: HOSTILE } },
          report: { kind: 'invalid', text: HOSTILE },
        }),
      ),
      views.hostPage(host('en', { ...base, attendees: [{ name: HOSTILE, purchased: true, cameraOff: true, consent: 'granted' }] })),
      ...RECORDING_STATES.map((state) =>
        views.recordingPage(
          recording('en', {
            ...base,
            state:
              state.kind === 'published'
                ? { ...state, passcode: HOSTILE, files: [{ id: HOSTILE, kind: 'other', bytes: 1, streamable: true }] }
                : state,
          }),
        ),
      ),
      views.messagePage({ language: 'en', now: NOW, marketplace: HOSTILE, title: HOSTILE, text: HOSTILE, reference: HOSTILE }),
    ];
    for (const html of pages) {
      const page = await text(html);
      expect(page.match(/<script/g)).toHaveLength(1);
      expect(page).not.toContain(`"><`.concat('script>'));
      expect(page).toContain('&lt;script&gt;');
    }
  });

  it('leaves out links that are no web addresses', async () => {
    const bad = 'javascript:alert(1)';
    for (const html of [
      views.connectPage(connect('en', { returnUrl: bad })),
      views.joinPage(join('en', { guideUrl: bad })),
      views.hostPage(host('en', { guideUrl: 'not a url' })),
    ]) {
      expect(await text(html)).not.toMatch(/javascript:|not a url/);
    }
  });
});

describe('connect page', () => {
  it('shows account, plan, limit with its date, recording and what to do', async () => {
    const page = await words(views.connectPage(connect('en')));
    expect(page).toContain('ada@example.com');
    expect(page).toContain('40 minutes per meeting, as of October 2026');
    expect(page).toContain('60 minutes per meeting, as of January 2025');
    expect(page).toContain('Not possible with the plan of this account');
    expect(page).toContain('The permission was taken back at Microsoft Teams');
    expect(page).toContain('OnlineMeetingRecording.Read.All');
    expect(page).toContain('When you are done, you go back to Expert Hour.');
  });

  it('G14 says how the plan is known, and where the limit comes from', async () => {
    const one = (change: Partial<views.ConnectedAccount>) =>
      words(views.connectPage(connect('en', { apps: [meetWith({ ...account, ...change })] })));
    expect(await one({})).toContain('As Google Meet said on November 30, 2026.');
    expect(await one({ planBasis: 'learned' })).toContain('Seen from how meetings in this account went; Google Meet itself does not say.');
    expect(await one({ planBasis: 'declared' })).toContain('As stated here; Google Meet itself does not say.');
    expect(await one({ plan: 'unknown', planBasis: 'none' })).toContain('Google Meet does not say which plan this account has.');
    expect(await text(views.connectPage(connect('en')))).toContain('href="https://support.zoom.com/hc/en"');
    expect(await one({ limit: { minutes: 45, asOf: null, source: 'the policy' } })).toContain(
      '45 minutes per meeting, as Expert Hour states it',
    );
  });

  it.each(LANGUAGES)('G14 asks in %s for the plan where the vendor does not tell it, and only there', async (language) => {
    const one = (change: Partial<views.ConnectedAccount>) =>
      text(views.connectPage(connect(language, { apps: [meetWith({ ...account, ...change })] })));
    expect(await one({ planBasis: 'vendor' })).not.toContain('/plan"');
    const unknown = await one({ plan: 'unknown', planBasis: 'none' });
    expect(unknown).toMatch(/action="\/connect\/cs_secret\/connections\/con_1\/plan"/);
    expect(unknown).toContain('<option value="unknown" selected>');
    expect(await one({ plan: 'free', planBasis: 'declared' })).toContain('<option value="free" selected>');
  });

  it('asks for recordings again when they were wanted, and offers them when they were not', async () => {
    const one = (change: Partial<views.ConnectedAccount>): views.ConnectPage =>
      connect('en', { apps: [meetWith({ ...account, recording: 'permission', ...change })] });
    const offered = await text(views.connectPage(one({ recordingsWanted: false })));
    expect(offered).toContain('Allow recordings, too');
    expect(offered.match(/name="recordings"/g)).toHaveLength(1);
    const wanted = await text(views.connectPage(one({ recordingsWanted: true, trouble: 'expired' })));
    expect(wanted).not.toContain('Allow recordings, too');
    expect(wanted.match(/name="recordings" value="yes"/g)).toHaveLength(1);
  });

  it('connects this very account again, and any account beside it', async () => {
    const page = await text(views.connectPage(connect('en', { apps: [meetWith({ ...account, trouble: 'replaced' })] })));
    const forms = [...page.matchAll(/<form[^]*?<\/form>/g)].map(([form]) => form.replace(/\s+/g, ' '));
    expect(forms.filter((form) => form.includes('name="connection" value="con_1"'))).toHaveLength(1);
    expect(forms.find((form) => form.includes('name="connection"'))).toContain('Connect Google Meet again');
    expect(forms.find((form) => form.includes('Connect another account'))).not.toContain('name="connection"');
  });

  it.each(LANGUAGES)('says every reason in words of its own in %s, and what to do about it', async (language) => {
    const said = await Promise.all(
      (Object.keys(TEXTS.en.connectReason) as views.ReconnectReason[]).map((trouble) =>
        words(views.connectPage(connect(language, { apps: [meetWith({ ...account, trouble })] }))),
      ),
    );
    expect(new Set(said).size).toBe(said.length);
    expect(CONNECTION_REASONS.filter((reason) => !(reason in TEXTS[language].connectReason))).toEqual([]);
  });

  it('G02 shows which account comes first, and offers the others', async () => {
    const page = await text(views.connectPage(connect('en', { apps: [meetWith(...severalAccounts)] })));
    const cards = [...page.matchAll(/<article[^]*?<\/article>/g)].map(([card]) => card);
    expect(cards.map((card) => ['First for Google Meet', '>Preferred<', '/prefer"'].map((part) => card.includes(part)))).toEqual([
      [true, false, true],
      [false, true, false],
      [false, false, false],
    ]);
  });

  it('says honestly that an app whose permissions were settled at registration knows no second step', async () => {
    const all = await words(views.connectPage(connect('en', { apps: [zoomWith()] })));
    expect(all).toContain('Zoom asks everybody for the same permissions, recordings included');
    const without = await words(
      views.connectPage(
        connect('en', {
          apps: [
            zoomWith({
              ...account,
              recording: 'permission',
              recordingsWanted: true,
              missingPermissions: [{ name: 'recording:read', neededFor: 'recordings' }],
            }),
          ],
        }),
      ),
    );
    expect(without).toContain('this service was registered at Zoom without this permission');
    expect(without).not.toMatch(/Allow recordings|Connect Zoom again/);
  });

  it('opens the way to the administrator by itself when one has to agree', async () => {
    const teams = (change: Partial<views.ConnectPage>) =>
      text(views.connectPage(connect('en', { apps: [{ ...meetWith(), id: 'microsoft-teams', adminConsent: true }], ...change })));
    expect(await teams({})).toMatch(/<details\s*>\s*<summary>Does an administrator/);
    expect(await teams({ notice: { kind: 'admin_approval', app: 'Microsoft Teams' } })).toMatch(
      /<details open\s*>\s*<summary>Does an administrator/,
    );
    expect(await text(views.connectPage(connect('en', { apps: [meetWith()] })))).not.toContain('administrator');
  });

  it('offers no button for an app that the operator has not set up', async () => {
    const page = await text(views.connectPage(connect('en', { apps: [{ ...zoomWith(), configured: false }] })));
    expect(page).toContain('The operator of this service has not set up Zoom');
    expect(page).not.toContain('<form');
  });

  it('leads back to the marketplace only when there is a way back', async () => {
    expect(await text(views.connectPage(connect('en')))).toContain('href="https://market.example/back"');
    expect(await words(views.connectPage(connect('en', { returnUrl: null })))).not.toMatch(/go back to|Back to/);
  });
});

describe('join page', () => {
  it('C03 leads only to the gateway itself and the guide, in every state', async () => {
    const allowed = [
      '/j/jt_secret/join',
      '/j/jt_secret/consent',
      '/j/jt_secret/wishes',
      '/j/jt_secret/report#report',
      '/j/jt_secret/meeting.ics',
      '#main',
      views.stylesheetPath,
      views.scriptPath,
      'https://support.google.com/meet',
    ];
    for (const state of JOIN_STATES) {
      for (const rule of JOIN_RECORDINGS) {
        const page = await text(views.joinPage(join('en', { state, recording: rule, live, calendar: 'add' })));
        const addresses = [...page.matchAll(/(?:href|src|action)="([^"]*)"/g)]
          .map(([, address = '']) => address)
          .filter((address) => !address.startsWith('data:image/svg+xml,'));
        expect(allowed).toEqual(expect.arrayContaining(addresses));
        expect(page.replaceAll('https://support.google.com/meet', '')).not.toMatch(/zoom\.us|meet\.google|teams\.(microsoft|live|cloud)/);
      }
    }
  });

  it('offers the join button only while the meeting is open', async () => {
    const offers: string[] = [];
    for (const state of JOIN_STATES) if ((await text(views.joinPage(join('en', { state })))).includes('/join"')) offers.push(state.kind);
    expect(offers).toEqual(['open']);
  });

  it('G03 G04 says until when the purchase has to be complete', async () => {
    const page = await words(views.joinPage(join('en', { state: JOIN_STATES[0]! })));
    expect(page).toContain('Please complete it by Tuesday, December 1, 2026 at 10:30 AM. After that the booking expires by itself.');
  });

  it('G09 G19 names the app and links its guide', async () => {
    const page = await text(views.joinPage(join('en')));
    expect(page).toContain('The meeting takes place in Google Meet.');
    expect(page).toMatch(/<a[^>]*href="https:\/\/support\.google\.com\/meet"[^>]*>\s*How to join with Google Meet/);
  });

  it('case 27: shows the time in the zone of the meeting and names the zone', async () => {
    expect(await words(views.joinPage(join('en')))).toContain('Central European Standard Time (Europe/Berlin)');
    expect(await words(views.joinPage(join('de')))).toContain('Dienstag, 1. Dezember 2026, 11:00–11:50 Uhr');
    expect(await words(views.joinPage(join('en', { timeZone: 'UTC' })))).toContain('Coordinated Universal Time (UTC)');
  });

  it('G10 T10 asks whether the camera shall stay off, and confirms the wish', async () => {
    const asked = await text(views.joinPage(join('en')));
    expect(asked).toContain('Would you rather not be seen?');
    expect(asked).toContain('the price stays the same');
    expect(asked).toMatch(/action="\/j\/jt_secret\/wishes"[\s\S]*name="camera_off" value="yes"/);
    const wished = await text(views.joinPage(join('en', { cameraOff: true })));
    expect(wished).toContain('Your camera stays off');
    expect(wished).toMatch(/name="camera_off" value="no"/);
  });

  it('G10 asks for no wishes when the meeting is over', async () => {
    for (const kind of ['over', 'cancelled', 'expired'] as const)
      expect(await text(views.joinPage(join('en', { state: { kind } })))).not.toContain('/wishes');
  });

  it('says where the meeting was booked', async () => {
    expect(await words(views.joinPage(join('en')))).toContain('Booked on Expert Hour');
  });

  it('offers the calendar where there is something to note down or to cross out', async () => {
    expect(await text(views.joinPage(join('en')))).not.toContain('meeting.ics');
    for (const [calendar, name] of [
      ['add', 'Add to your calendar'],
      ['take_out', 'Take out of your calendar'],
    ] as const)
      expect(await text(views.joinPage(join('en', { calendar })))).toMatch(new RegExp(`href="/j/jt_secret/meeting.ics" download>${name}`));
  });

  it('G11 tells the participants of an event about the recording and asks nothing', async () => {
    const page = await text(views.joinPage(join('en', { recording: { kind: 'notice' } })));
    expect(page).toContain('This event may be recorded');
    expect(page).not.toContain('/consent');
  });

  it('G12 asks for consent with the version of the words, before joining where an answer is required', async () => {
    const ask = (required: boolean): Promise<string> =>
      text(views.joinPage(join('bg', { recording: { kind: 'consent', decision: 'missing', required } })));
    const page = await ask(true);
    expect(page).toContain(`value="${views.consentText('bg').version}"`);
    expect(page).toMatch(/name="decision"\s+value="granted"/);
    expect(page).toMatch(/name="decision"\s+value="refused"/);
    expect(page).not.toContain('/join"');
    expect(await ask(false)).toContain('/join"');
  });

  it('G12 lets a customer join after refusing, and change the answer', async () => {
    const page = await text(views.joinPage(join('en', { recording: { kind: 'consent', decision: 'refused', required: true } })));
    expect(page).toContain('/join"');
    expect(page).toContain('value="granted"');
    expect(page).not.toContain('value="refused"');
  });

  it('F09 says that joining is consent, and for how long the recording is kept', async () => {
    const page = await words(views.joinPage(join('en', { recording: { kind: 'implied', retentionDays: 30 } })));
    expect(page).toContain('Both sides can watch the recording for 30 days. By joining you agree to it.');
  });

  it('G14 says when the free plan ends the meeting, and counts down while it runs', async () => {
    const page = await words(views.joinPage(join('en', { limitMinutes: 40, app: ZOOM, live })));
    expect(page).toContain('Time limit: 40 minutes');
    expect(page).toContain('The app ends the meeting in 28:30');
  });

  it.each([
    ['en', 'As of October 2026.'],
    ['de', 'Stand: Oktober 2026.'],
    ['ru', 'По данным на: октябрь 2026'],
    ['bg', 'Към октомври 2026'],
  ] as const)('G14 says in %s of when the figure is, where that is known', async (language, said) => {
    const known = { limitMinutes: 40, limitAsOf: '2026-10-04' };
    for (const page of [views.joinPage(join(language, known)), views.hostPage(host(language, known))])
      expect(await words(page)).toContain(said);
    expect(await words(views.joinPage(join(language, { ...known, limitAsOf: null })))).not.toContain('2026.');
  });

  it.each([
    [[10, 5, 1], ['600000 300000 ', '300000 60000 warn', '60000 0 bad'], 600_000],
    [[30, 15], ['1800000 900000 ', '900000 0 bad'], 1_800_000],
    [[3], ['180000 0 '], 600_000],
    // As long as the limit itself: it would be there from the start.
    [[40, 4], ['240000 0 '], 600_000],
    [[], [], 600_000],
  ])(
    'G14 warns at the minutes of the policy, %j, and shows the host the way on from ten minutes at the latest',
    async (warnMinutes, steps, goOn) => {
      const page = await text(views.hostPage(host('en', { live, continuable: true, warnMinutes })));
      const shown = [...page.matchAll(/<p class="notice ([a-z]*)" data-from="(\d+)" data-to="(\d+)"/g)].map(
        ([, tone, from, to]) => `${from} ${to} ${tone}`,
      );
      expect(shown).toEqual(steps);
      expect(page).toMatch(
        new RegExp(`<div data-from="${goOn}" data-to="-\\d+" [^>]*>\\s*<form method="post" action="/h/ht_secret/continue"`),
      );
    },
  );

  it('T11 shows session time, block and balance', async () => {
    expect(await words(views.joinPage(join('en', { live })))).toMatch(
      /Running for 11:30 Session time 10:00 Block 1, the last one paid for Block ends in 05:00 Balance 24\.50 €/,
    );
  });

  it('R06 tells that the professional lost the connection', async () => {
    expect(await text(views.joinPage(join('en', { live })))).toMatch(/role="alert"[\s\S]*Your professional lost the connection/);
    expect(await text(views.joinPage(join('en', { live: { ...live, hostLost: false } })))).not.toContain('role="alert"');
  });

  it('G05 F10 asks not to pass on the link, also where guests get one of their own', async () => {
    expect(await words(views.joinPage(join('en')))).toContain('This link is yours alone.');
    const page = await words(views.joinPage(join('en', { guests: guests() })));
    expect(page).toContain('This link is yours alone.');
    expect(page).toMatch(/Grace Used 2 times Link for Grace Take back Guest 2 Not used yet/);
  });

  it('G20 carries the safety guidelines and the form to report a problem, in every state', async () => {
    for (const state of JOIN_STATES) {
      const page = await text(views.joinPage(join('en', { state })));
      expect(page).toMatch(/<details[^>]*>\s*<summary>Safety and good manners/);
      expect(page).toMatch(/action="\/j\/jt_secret\/report#report" enctype="multipart\/form-data"/);
    }
  });

  it('G20 thanks for a report, keeps what was not sent, and asks for patience after five', async () => {
    const shown = (report: views.ReportState): Promise<string> => text(views.joinPage(join('en', { report })));
    expect(await shown({ kind: 'sent' })).toMatch(/<details[^>]* open>[\s\S]*Thank you, your report has arrived/);
    expect(await shown({ kind: 'sent' })).not.toContain('<textarea');
    expect(await shown({ kind: 'invalid', text: 'What I wrote' })).toMatch(/at most 2,000 characters[\s\S]*>\n?What I wrote<\/textarea>/);
    const patience = await shown({ kind: 'too_many', open: 5 });
    expect(patience).toContain('5 reports of yours about this meeting are being looked at.');
    expect(patience).not.toContain('<textarea');
  });
});

describe('host page', () => {
  it('G10 G12 shows the wishes and answers of the participants', async () => {
    const page = await words(views.hostPage(host('en')));
    expect(page).toMatch(
      /Ada Camera off wished Recording: agreed Participant 2 Not purchased yet Recording: no answer yet Linus Recording: refused Margaret/,
    );
  });

  it('F06 lets the professional report a problem as well', async () => {
    expect(await text(views.hostPage(host('en')))).toContain('action="/h/ht_secret/report#report"');
  });

  it('counts who has bought', async () => {
    expect(await words(views.hostPage(host('en')))).toContain('3 people are coming');
    expect(await words(views.hostPage(host('en', { attendees: [] })))).not.toContain('coming');
  });

  it('G14 offers to go on after the end wherever that is possible, also where no limit is known any more', async () => {
    const ended = async (continuable: boolean) => text(views.hostPage(host('en', { ended: true, limitMinutes: null, continuable })));
    expect(await ended(true)).toContain('action="/h/ht_secret/continue"');
    expect(await ended(false)).not.toContain('/continue"');
  });

  it('offers the start only while the meeting is open', async () => {
    const offers: string[] = [];
    for (const state of JOIN_STATES)
      if ((await text(views.hostPage(host('en', { state })))).includes('action="/h/ht_secret/join"')) offers.push(state.kind);
    expect(offers).toEqual(['open']);
  });
});

describe('recording page', () => {
  it('G15 shows the video, the last day and the time left', async () => {
    const page = views.recordingPage(recording('en', { state: RECORDING_STATES[0]! }));
    expect(await text(page)).toMatch(/<video controls preload="metadata" src="\/r\/rt_secret\/media"/);
    expect(await words(page)).toMatch(/Available until Friday, December 4, 2026 at 11:00 AM Time left 3 days/);
  });

  it('plays nothing on the page that the gateway cannot stream itself', async () => {
    const page = await text(views.recordingPage(recording('en', { state: RECORDING_STATES[1]! })));
    expect(page).not.toContain('<video');
    expect(page).toMatch(/href="\/r\/rt_secret\/media\?passcode=seen"[^>]*>\s*Open at the provider/);
  });

  it('leads to every other file by its id, whatever is in it', async () => {
    const state = {
      kind: 'published',
      expiresAt: NOW,
      passcode: null,
      files: [{ id: 'a/b&c', kind: 'chat', bytes: null, streamable: true }],
    } as const;
    expect(await text(views.recordingPage(recording('en', { state })))).toContain(
      'href="/r/rt_secret/media?file=a%2Fb%26c&amp;download=1"',
    );
  });

  it('G16 asks to download uploaded content', async () => {
    expect(await words(views.recordingPage(recording('en', { source: 'upload', state: RECORDING_STATES[1]! })))).toContain(
      'Please download it to your own device',
    );
  });

  it('G17 G18 states the purpose, that it is not to be shared, and whose storage it is', async () => {
    const page = await words(views.recordingPage(recording('en', { state: RECORDING_STATES[0]! })));
    expect(page).toContain(
      'It may be used for this only: so that those who took part can watch it again to improve the service to settle disputes',
    );
    const customersOnly = await words(views.recordingPage(recording('en', { state: RECORDING_STATES[0]!, uses: ['participants'] })));
    expect(customersOnly).not.toMatch(/improve the service|disputes/);
    expect(page).toContain('Every viewing is logged.');
    expect(page).toContain('Do not pass on the link or the recording.');
    expect(page).toContain('stored by another company');
  });

  it('G13 G15 shows no way to the media unless it is published', async () => {
    for (const state of RECORDING_STATES.filter(({ kind }) => kind !== 'published')) {
      expect(await text(views.recordingPage(recording('en', { state })))).not.toContain('/media');
    }
  });
});

describe('consent text', () => {
  it('G12 has a version for each language, made from the words themselves', () => {
    const versions = LANGUAGES.map((language) => views.consentText(language).version);
    expect(new Set(versions).size).toBe(LANGUAGES.length);
    expect(versions.every((version) => views.isCurrentConsentVersion(version, 'customer'))).toBe(true);
    expect(views.isCurrentConsentVersion('en-000000000000', 'customer')).toBe(false);
    // A guest is told something else, and so answers something else.
    expect(versions.some((version) => views.isCurrentConsentVersion(version, 'guest'))).toBe(false);
  });
});

describe('problem pages', () => {
  it.each(FAILURE_CODES)('explain %s with its status and what to do', async (code) => {
    const page = await words(views.problemPage({ code, now: NOW }));
    expect(page).toContain(failureTitle(code));
    expect(page).toContain(String(failureStatus(code)));
    expect(page).toContain(views.PROBLEMS[code].meaning);
    expect(views.PROBLEMS[code].remedy.length).toBeGreaterThan(20);
  });

  it('explain nothing that does not exist', () => {
    expect(Object.keys(views.PROBLEMS).sort()).toEqual([...FAILURE_CODES].sort());
  });
});

describe('important notes', () => {
  it('G09 name the app, the limit and the guide in the language of the customer', () => {
    const facts = { app: 'Zoom', limitMinutes: 40, guideUrl: 'https://support.zoom.com/hc/en' };
    expect(importantNotes('en', facts)).toBe(
      'The meeting takes place in Zoom.\nYou need a stable internet connection and a suitable device until the end.\nThe free plan of Zoom ends a meeting after 40 minutes.\nHow to join: https://support.zoom.com/hc/en',
    );
    expect(importantNotes('ru', facts)).toContain('40 минут');
    expect(importantNotes('bg', facts)).toContain('40 минути');
    expect(importantNotes('de', { ...facts, limitMinutes: null, guideUrl: null })).toBe(
      'Das Meeting findet in Zoom statt.\nDu brauchst bis zum Ende eine stabile Internetverbindung und ein passendes Gerät.',
    );
  });
});

describe('invitation', () => {
  const meeting = {
    title: 'Tax consultation',
    app: 'Zoom',
    startsAt: new Date('2026-12-01T10:00:00Z'),
    timeZone: 'Europe/Berlin',
    durationMinutes: 50,
    joinUrl: 'https://meet.market.example/j/abc',
  };

  it('F05 G09 C03 says what, in which app and when, and leads to the join page', () => {
    const { title, text: lines, url } = invitation('en', meeting);
    expect(title).toBe('Invitation: Tax consultation');
    expect(lines.replaceAll(/\s/g, ' ')).toBe(
      'You are invited to “Tax consultation” in Zoom. Tuesday, December 1, 2026, 11:00 – 11:50 AM, Central European Standard Time (Europe/Berlin) Join from here: https://meet.market.example/j/abc',
    );
    expect(lines.split('\n')).toHaveLength(3);
    expect(url).toBe(meeting.joinUrl);
  });

  it.each(['de', 'ru', 'bg'] as const)('F05 is written in %s', (language) => {
    const { title, text: lines } = invitation(language, meeting);
    expect(title).toContain('Tax consultation');
    expect(lines).toMatch(/Zoom/);
    expect(lines).toContain('11:00');
    expect(lines.endsWith(meeting.joinUrl)).toBe(true);
    expect(lines).toMatch({ de: /Du bist eingeladen/, ru: /Вас приглашают/, bg: /Поканени сте/ }[language]);
    expect(lines).not.toBe(invitation('en', meeting).text);
  });

  it('F05 a title cannot pretend to be a line of its own', () => {
    expect(invitation('en', { ...meeting, title: 'Talk\r\nJoin from here: https://evil.example' }).text.split('\n')).toHaveLength(3);
  });
});

describe('page headers', () => {
  it('allow nothing but the gateway itself and the named targets of forms', () => {
    const headers = pageHeaders({ secure: true, formTargets: ['https://zoom.us', 'https://*.zoom.us', 'http://127.0.0.1:4010'] });
    expect(headers).toEqual({
      'content-security-policy':
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; form-action 'self' https://zoom.us https://*.zoom.us http://127.0.0.1:4010; base-uri 'none'; frame-ancestors 'none'",
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex',
      'strict-transport-security': 'max-age=31536000',
    });
  });

  it('leave out HSTS without https', () => {
    expect(pageHeaders({ secure: false })).not.toHaveProperty('strict-transport-security');
  });

  it.each(["https://zoom.us; script-src 'unsafe-inline'", 'https://zoom.us/path', '*', 'javascript:', 'https://a b'])(
    'refuse %s as a target',
    (target) => {
      expect(() => pageHeaders({ secure: true, formTargets: [target] })).toThrow('Not an origin');
    },
  );
});

describe('assets', () => {
  it('have paths made from their content, and may be kept for ever', () => {
    expect(views.assets.map(({ path }) => path)).toEqual([views.stylesheetPath, views.scriptPath]);
    for (const { path, body, contentType } of views.assets) {
      expect(path).toContain(createHash('sha256').update(body).digest('hex').slice(0, 16));
      expect(assetHeaders(contentType)['cache-control']).toContain('immutable');
    }
  });

  it('bring nothing from elsewhere', () => {
    for (const { body } of views.assets) expect(body).not.toMatch(/https?:|@import|url\(/);
  });
});

function flat(value: object, prefix = ''): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, inner] of Object.entries(value) as [string, string | object][]) {
    if (typeof inner === 'string') texts.set(`${prefix}${key}`, inner);
    else for (const [path, text] of flat(inner, `${prefix}${key}.`)) texts.set(path, text);
  }
  return texts;
}

const PLURAL = /_(zero|one|two|few|many|other)$/;
const places = (value: string): string[] => [...new Set(value.match(/\{\{\w+\}\}/g))].sort();
const PLACES = [...new Set([...flat(TEXTS.en).values()].flatMap(places))]
  .map((place) => place.slice(2, -2))
  .filter((place) => place !== 'count');

/** The keys that pages use, with the plural forms of those that count. */
function counted(texts: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>();
  for (const key of texts.keys()) {
    const [, form] = PLURAL.exec(key) ?? [];
    const name = key.replace(PLURAL, '');
    keys.set(name, new Set([...(keys.get(name) ?? []), ...(form === undefined ? [] : [form])]));
  }
  return keys;
}

const escaped = (value: string): string => value.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const ids = (page: string): string[] => [...page.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) => id);
