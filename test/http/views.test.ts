import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FAILURE_CODES, failureStatus, failureTitle } from '../../src/domain/failure.ts';
import { importantNotes } from '../../src/domain/important-notes.ts';
import { assetHeaders, pageHeaders } from '../../src/http/pages/headers.ts';
import { chooseLanguage, fill, LANGUAGES, textsFor } from '../../src/http/pages/texts/index.ts';
import * as views from '../../src/http/pages/views/index.ts';
import {
  account,
  connect,
  everyPage,
  host,
  join,
  JOIN_RECORDINGS,
  JOIN_STATES,
  live,
  NOW,
  recording,
  RECORDING_STATES,
  ZOOM,
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
  it('have the same keys and the same places to fill in in every language, and no empty text', () => {
    const english = flat(textsFor('en'));
    for (const language of LANGUAGES) {
      const other = flat(textsFor(language));
      expect([...other.keys()]).toEqual([...english.keys()]);
      for (const [key, value] of other) {
        expect(value.trim(), `${language} ${key}`).not.toBe('');
        expect(places(value), `${language} ${key}`).toEqual(places(english.get(key) ?? ''));
      }
    }
  });

  it('are written in the language that they are meant for', () => {
    const cyrillic = (language: 'ru' | 'bg'): string[] =>
      [...flat(textsFor(language))].filter(([, value]) => !/[а-я]/i.test(value)).map(([key]) => key);
    expect(cyrillic('ru')).toEqual([]);
    expect(cyrillic('bg')).toEqual([]);
  });

  it('put values in literally', () => {
    expect(fill('{app}: {app}, {other}', { app: '$& {other}' })).toBe('$& {other}: $& {other}, {other}');
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
        expect(page, name).toMatch(new RegExp(`<label[^>]*>\\s*${escaped(input)}\\s*<span>[^<]+</span>\\s*</label>`));
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
          apps: [
            {
              ...app,
              configured: true,
              account: { ...account, email: HOSTILE, missingPermissions: [{ name: HOSTILE, neededFor: 'links' }] },
            },
          ],
        }),
      ),
      views.joinPage(join('en', { ...base, professional: HOSTILE, live: { ...live, balance: HOSTILE } })),
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
      views.joinPage(join('en', { guideUrl: bad, reportUrl: 'data:text/html,x' })),
      views.hostPage(host('en', { guideUrl: 'not a url' })),
    ]) {
      expect(await text(html)).not.toMatch(/javascript:|data:text|not a url/);
    }
  });
});

describe('connect page', () => {
  it('shows account, plan, limit with its date, recording and what to do', async () => {
    const page = await words(views.connectPage(connect('en')));
    expect(page).toContain('ada@example.com');
    expect(page).toContain('40 minutes per meeting, as of October 2026');
    expect(page).toContain('60 minutes per meeting, as of January 2025');
    expect(page).toContain('Not possible with this account');
    expect(page).toContain('Microsoft Teams no longer accepts the connection');
    expect(page).toContain('OnlineMeetingRecording.Read.All');
    expect(page).toContain('When you are done, you go back to Expert Hour.');
  });

  it('asks for recordings again when they were wanted, and offers them when they were not', async () => {
    const one = (change: Partial<views.ConnectedAccount>): views.ConnectPage =>
      connect('en', { apps: [{ ...ZOOM, configured: true, account: { ...account, recording: 'yes', ...change } }] });
    const offered = await text(views.connectPage(one({ recordingsWanted: false })));
    expect(offered).toContain('Allow recordings to be passed on');
    expect(offered.match(/name="recordings"/g)).toHaveLength(1);
    const wanted = await text(views.connectPage(one({ recordingsWanted: true, status: 'reconnect_required' })));
    expect(wanted).not.toContain('Allow recordings to be passed on');
    expect(wanted.match(/name="recordings" value="yes"/g)).toHaveLength(2);
  });

  it('offers no button for an app that the operator has not set up', async () => {
    const page = await text(views.connectPage(connect('en', { apps: [{ ...ZOOM, configured: false, account: null }] })));
    expect(page).toContain('The operator of this service has not set up Zoom');
    expect(page).not.toContain('<form');
  });

  it('leads back to the marketplace only when there is a way back', async () => {
    expect(await text(views.connectPage(connect('en')))).toContain('href="https://market.example/back"');
    expect(await words(views.connectPage(connect('en', { returnUrl: null })))).not.toMatch(/go back to|Back to/);
  });
});

describe('join page', () => {
  it('C03 leads only to the gateway itself, the guide and the report page, in every state', async () => {
    const allowed = [
      '/j/jt_secret/join',
      '/j/jt_secret/consent',
      '#main',
      views.stylesheetPath,
      views.scriptPath,
      'https://support.google.com/meet',
      'https://market.example/report',
    ];
    for (const state of JOIN_STATES) {
      for (const rule of JOIN_RECORDINGS) {
        const page = await text(views.joinPage(join('en', { state, recording: rule, live })));
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

  it('shows the time in the zone of the meeting and names the zone', async () => {
    expect(await words(views.joinPage(join('en')))).toContain('Central European Standard Time (Europe/Berlin)');
    expect(await words(views.joinPage(join('de')))).toContain('Dienstag, 1. Dezember 2026, 11:00–11:50 Uhr');
    expect(await words(views.joinPage(join('en', { timeZone: 'UTC' })))).toContain('Coordinated Universal Time (UTC)');
  });

  it('G10 confirms the wish to keep the camera off', async () => {
    expect(await words(views.joinPage(join('en', { cameraOff: true })))).toContain('Your camera stays off');
    expect(await words(views.joinPage(join('en')))).not.toContain('Your camera stays off');
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
    expect(page).toContain('The app ends it in 28:30');
  });

  it('T11 shows session time, block and balance', async () => {
    expect(await words(views.joinPage(join('en', { live })))).toMatch(/Running for 11:30 .*Block 1 Balance 24\.50 €/);
  });

  it('R06 tells that the professional lost the connection', async () => {
    expect(await text(views.joinPage(join('en', { live })))).toMatch(/role="alert"[\s\S]*Your professional lost the connection/);
    expect(await text(views.joinPage(join('en', { live: { ...live, hostLost: false } })))).not.toContain('role="alert"');
  });

  it('G05 F10 asks not to pass on the link unless it may be shared', async () => {
    expect(await words(views.joinPage(join('en')))).toContain('This link is yours alone.');
    expect(await words(views.joinPage(join('en', { shareable: true })))).not.toContain('This link is yours alone.');
  });

  it('G20 carries the safety guidelines and the way to report a problem', async () => {
    const page = await text(views.joinPage(join('en')));
    expect(page).toMatch(/<details[^>]*>\s*<summary>Safety and good manners/);
    expect(page).toMatch(/href="https:\/\/market\.example\/report"[^>]*>\s*Report a problem/);
  });
});

describe('host page', () => {
  it('G10 G12 shows the wishes and answers of the participants', async () => {
    const page = await words(views.hostPage(host('en')));
    expect(page).toMatch(
      /Ada Camera off wished Recording: agreed Participant 2 Not purchased yet Recording: no answer yet Linus Recording: refused Margaret/,
    );
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
    expect(page).toMatch(/href="\/r\/rt_secret\/media"[^>]*>\s*Open at the provider/);
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
      'Please download the video to your own device',
    );
  });

  it('G17 G18 states the purpose, that it is not to be shared, and whose storage it is', async () => {
    const page = await words(views.recordingPage(recording('en', { state: RECORDING_STATES[0]! })));
    expect(page).toContain('only for the purpose it was made for');
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
    expect(versions.every(views.isCurrentConsentVersion)).toBe(true);
    expect(views.isCurrentConsentVersion('en-000000000000')).toBe(false);
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

describe('page headers', () => {
  it('allow nothing but the gateway itself and the named targets of forms', () => {
    const headers = pageHeaders({ secure: true, formTargets: ['https://zoom.us', 'https://*.zoom.us', 'http://127.0.0.1:4010'] });
    expect(headers).toEqual({
      'content-security-policy':
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; form-action 'self' https://zoom.us https://*.zoom.us http://127.0.0.1:4010; base-uri 'none'; frame-ancestors 'none'",
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

const places = (value: string): string[] => [...new Set(value.match(/\{\w+\}/g))].sort();
const escaped = (value: string): string => value.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const ids = (page: string): string[] => [...page.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) => id);
