/** Listens to every HTTP request of this process, and notes each secret that passes between the gateway, the vendors and people. */
import { onTestFinished, vi } from 'vitest';

export interface Wiretap {
  /** Of the vendors and of our own configuration, by a word that says what it is: nobody else may see these. */
  readonly secrets: Map<string, string>;
  /** Our own links and cookies, and the vendors' links: for people, but not for logs and not in the database. */
  readonly links: Map<string, string>;
  /** What the gateway has answered, headers included. */
  readonly answers: { readonly request: string; readonly text: string }[];
}

/** Shorter ones would be found by chance. */
const SHORTEST = 6;

const IN_JSON =
  /"(access_token|refresh_token|id_token|download_token|download_access_token|client_secret|client_assertion|clientState)"\s*:\s*"([^"]+)"/g;
const IN_FORM = /(?:^|[?&])(code|code_verifier|client_secret|refresh_token|access_token)=([^&\s"]+)/g;
const LINKS_IN_JSON = /"(password|passcode|recording_play_passcode|encrypted_password)"\s*:\s*"([^"]+)"/g;
const LINKS_IN_URL = /[?&](pwd|p|zak)=([^&\s"#]+)/g;
/** Of a link to evidence the proof: it begins with the incident's id, which is no secret. */
const OUR_LINKS = /\/(j|g|h|r|c|s|e|connect)\/(?:inc_[0-9a-z]+\.\d+\.)?([A-Za-z0-9_-]{30,})/g;

export function tapTheWire(publicUrl: () => string, vendorsUrl: () => string): Wiretap {
  const tap: Wiretap = { secrets: new Map(), links: new Map(), answers: [] };
  const note = (into: Map<string, string>, pattern: RegExp, text: string): void => {
    for (const [, name = '', value = ''] of text.matchAll(pattern)) {
      const plain = decoded(value);
      if (plain.length >= SHORTEST && !into.has(plain)) into.set(plain, name);
    }
  };
  const noteVendors = (text: string): void => {
    for (const pattern of [IN_JSON, IN_FORM]) note(tap.secrets, pattern, text);
    for (const pattern of [LINKS_IN_JSON, LINKS_IN_URL]) note(tap.links, pattern, text);
  };
  const real = globalThis.fetch;
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { url, method } = request;
    const body = await request.clone().text();
    const response = await real(request);
    const type = response.headers.get('content-type') ?? '';
    const text = /json|text|xml|form/.test(type) ? await response.clone().text() : '';
    if (url.startsWith(vendorsUrl())) {
      for (const part of [new URL(url).search, body, text, response.headers.get('location') ?? '']) noteVendors(part);
    } else if (url.startsWith(publicUrl())) {
      const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      tap.answers.push({ request: `${method} ${new URL(url).pathname} ${response.status}`, text: `${headers}\n${text}` });
      note(tap.links, OUR_LINKS, url);
      note(tap.links, OUR_LINKS, text);
      note(tap.links, /(=)([A-Za-z0-9_-]{30,});/g, response.headers.getSetCookie().join('\n'));
      if (new URL(url).pathname.startsWith('/webhooks/')) noteVendors(body);
      else for (const pattern of [LINKS_IN_URL, LINKS_IN_JSON]) note(tap.links, pattern, text);
    }
    return response;
  });
  onTestFinished(() => spy.mockRestore());
  return tap;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
}
