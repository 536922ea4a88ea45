/** The bytes of a recording, passed on as they come. */
import { Failure } from '../../src/domain/failure.ts';
import { readAnswer, TIMEOUT_MS } from '../call.ts';
import type { Media } from '../provider.ts';
import { graphRefusal } from './graph.ts';
import type { Caller } from './options.ts';
import { dropBody } from './middleware.ts';

export interface MediaOpening {
  readonly account: Caller;
  /** On Graph; the only origin that sees the token. */
  readonly url: URL;
  readonly mediaOrigins: readonly string[];
  readonly range: string | undefined;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** Microsoft documents none for recordings; a download of OneDrive takes one. */
const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Graph does not promise to honour Range: a 200 with the whole body is passed on as such. */
export async function openMedia(opening: MediaOpening): Promise<Media> {
  const token = await opening.account.accessToken();
  let response = await follow(opening, token);
  if (response.status === 401) {
    dropBody(response);
    response = await follow(opening, await opening.account.accessToken(token));
  }
  if (response.status === 200 || response.status === 206) return streamed(response, response.status);
  if (response.status === 416) return notSatisfiable(response);
  const answer = await readAnswer(response);
  if (answer.status === 404 || answer.status === 410) throw new Failure('gone', 'Microsoft does not have this recording any more.');
  throw graphRefusal(opening.account, answer, opening.now());
}

async function follow(opening: MediaOpening, token: string): Promise<Response> {
  let url = opening.url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await get(opening, url, url.origin === opening.url.origin ? token : undefined);
    if (!REDIRECTS.has(response.status)) return response;
    dropBody(response);
    url = redirectTarget(response.headers.get('location'), url, opening);
  }
  throw new Failure('vendor_nonsense', 'The recording is redirected again and again.');
}

async function get({ range, signal }: MediaOpening, url: URL, token: string | undefined): Promise<Response> {
  // The clock is for the headers only: a recording may stream for hours.
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), TIMEOUT_MS);
  try {
    return await fetch(url, {
      headers: {
        // Encoded bytes would fit neither the length nor the range that is passed on.
        'accept-encoding': 'identity',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(range === undefined ? {} : { range }),
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, slow.signal]),
    });
  } catch (error) {
    throw new Failure('vendor_unavailable', 'Microsoft did not answer with the recording.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function redirectTarget(location: string | null, from: URL, { url, mediaOrigins }: MediaOpening): URL {
  const target = location !== null && URL.canParse(location, from) ? new URL(location, from) : undefined;
  const allowed =
    target !== undefined &&
    target.username === '' &&
    target.password === '' &&
    (target.origin === url.origin ||
      mediaOrigins.some((origin) => new URL(origin).origin === target.origin) ||
      // OneDrive and SharePoint, where Teams keeps its recordings.
      (target.protocol === 'https:' && target.port === '' && target.hostname.endsWith('.sharepoint.com')));
  if (allowed) return target;
  throw new Failure('vendor_nonsense', 'The recording is redirected to a host that is not approved.');
}

function streamed(response: Response, status: 200 | 206): Media {
  const contentRange = response.headers.get('content-range');
  if (response.body === null || (status === 206 && contentRange === null)) {
    throw new Failure('vendor_nonsense', 'Microsoft answered without the recording.');
  }
  const encoded = response.headers.has('content-encoding');
  return {
    status,
    contentType: contentType(response),
    contentLength: encoded ? null : lengthOf(response),
    contentRange: status === 206 ? contentRange : null,
    body: response.body,
  };
}

function notSatisfiable(response: Response): Media {
  dropBody(response);
  return {
    status: 416,
    contentType: 'video/mp4',
    contentLength: 0,
    contentRange: response.headers.get('content-range'),
    body: new ReadableStream({ start: (controller) => controller.close() }),
  };
}

/** Documented as video/mp4. Anything that a browser would run or show as a page is not passed on. */
function contentType(response: Response): string {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (/^(video|audio)\/[a-z0-9.+-]+$/.test(type)) return type;
  if (type === '' || type === 'application/octet-stream') return 'video/mp4';
  throw new Failure('vendor_nonsense', 'Microsoft answered with something that is not a recording.');
}

function lengthOf(response: Response): number | null {
  const text = response.headers.get('content-length');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
