/** Somebody at a page of the gateway: a browser in the tests, and here what a browser without JavaScript would do. */
import { createBrowser, location } from './clients.ts';

export interface Person {
  open(url: string): Promise<void>;
  /** Presses the button of this name, after the fields of its form were filled in: their `name`s and what goes in or is chosen. */
  press(button: string, fields?: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves once the page says so; pages learn of news by themselves. @throws Error after some seconds */
  sees(words: string): Promise<void>;
  /** The address shown. Of a place outside of the gateway nothing is loaded. */
  place(): string;
}

/** Whoever it is, in whatever language; `en-US` when left out. */
export type Invite = (locale?: string) => Promise<Person>;

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Over HTTP, with cookies; forms are sent as their pages have them. */
export function personOverHttp(gatewayUrl: string): Invite {
  return async (locale = 'en-US') => {
    const visit = createBrowser();
    const headers = { 'accept-language': locale, 'sec-fetch-site': 'same-origin' };
    let place = '';
    let page = '';

    const go = async (url: string, init: RequestInit = {}): Promise<void> => {
      place = url;
      if (!url.startsWith(`${gatewayUrl}/`)) return;
      const answer = await visit(url, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } });
      if (answer.status >= 300 && answer.status < 400) return go(new URL(location(answer), url).href);
      page = answer.text;
    };

    return {
      open: (url) => go(url),
      place: () => place,
      async press(button, fields = {}) {
        const form = formsOf(page).find(({ buttons }) => buttons.has(button));
        if (form === undefined) throw new Error(`There is no button "${button}" at ${place}: ${readable(page)}`);
        const body = new URLSearchParams({ ...form.hidden, ...form.buttons.get(button), ...fields });
        const action = new URL(form.action === '' ? place : form.action, place).href;
        await go(action, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: body.toString() });
      },
      async sees(words) {
        for (const until = Date.now() + PATIENCE_MS; ; await pause()) {
          if (readable(page).includes(words)) return;
          if (Date.now() > until) throw new Error(`"${words}" is not to be read at ${place}: ${readable(page)}`);
          await go(place);
        }
      },
    };
  };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));

interface Form {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  /** By name; what pressing it sends along. */
  readonly buttons: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const formsOf = (page: string): Form[] =>
  [...page.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)].map(([, tag = '', content = '']) => ({
    action: attribute(tag, 'action'),
    hidden: Object.fromEntries(
      [...content.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [attribute(input, 'name'), attribute(input, 'value')]),
    ),
    buttons: new Map(
      [...content.matchAll(/<button([^>]*)>(.*?)<\/button>/gs)].map(([, button = '', words = '']) => {
        const name = attribute(button, 'name');
        const label = attribute(button, 'aria-label');
        return [label === '' ? readable(words) : label, name === '' ? {} : { [name]: attribute(button, 'value') }];
      }),
    ),
  }));

const attribute = (tag: string, name: string): string => unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '');

/** The words of a page without its markup. */
const readable = (page: string): string =>
  unescaped(
    page
      .replace(/^.*<main/s, '<main')
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  );

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
const unescaped = (text: string): string => text.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity]!);
