/** One file of a recording as a stream. Nothing is buffered, and the token goes to nobody but the host that it was made for. */
import { refusal } from '../call.ts';
import type { Media } from '../provider.ts';
import { Failure } from '../../src/domain/failure.ts';
import { SECOND } from '../../src/domain/time.ts';

interface MediaSource {
  readonly url: string;
  readonly token: string;
  readonly contentType: string;
  readonly range: string | undefined;
  readonly signal: AbortSignal;
  readonly mediaOrigins: readonly string[];
  readonly now: () => Date;
}

const MAX_REDIRECTS = 5;
/** Until the headers are there; the body may take as long as the viewer watches. */
const HEADERS_TIMEOUT_MS = 15 * SECOND;

export async function openMedia(source: MediaSource): Promise<Media> {
  const { contentType, now } = source;
  const response = await follow(source);
  const { status, headers } = response;
  const bodyOrNothing = response.body ?? new Blob([]).stream();
  if (status === 200 || status === 206 || status === 416) {
    if (status !== 416 && headers.get('content-type')?.startsWith('text/html') === true) {
      discard(response);
      throw new Failure('vendor_nonsense', 'Zoom answered with a page where a file was asked for.');
    }
    const length = headers.get('content-length');
    return {
      status,
      contentType,
      contentLength: length !== null && /^\d{1,15}$/.test(length) && !headers.has('content-encoding') ? Number(length) : null,
      contentRange: headers.get('content-range'),
      body: bodyOrNothing,
    };
  }
  discard(response);
  if (status === 404 || status === 410) throw new Failure('gone', 'Zoom has deleted the file.');
  if (status === 401 || status === 403) {
    throw new Failure('vendor_refused', 'Zoom does not give out the file.', { extra: { vendor_code: String(status) } });
  }
  throw refusal({ status, headers, text: '' }, now());
}

async function follow({ url, token, range, signal, mediaOrigins }: MediaSource): Promise<Response> {
  let target = allowed(url, mediaOrigins);
  const { host } = target;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await send(
      target,
      {
        ...(range === undefined ? {} : { range }),
        ...(target.host === host ? { authorization: `Bearer ${token}` } : {}),
      },
      signal,
    );
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || response.status === 304 || location === null) return response;
    discard(response);
    target = allowed(URL.canParse(location, target) ? new URL(location, target).href : '', mediaOrigins);
  }
  throw new Failure('vendor_nonsense', 'The redirects of Zoom do not end.');
}

async function send(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
  signal.throwIfAborted();
  const upstream = new AbortController();
  signal.addEventListener('abort', () => upstream.abort(signal.reason), { once: true });
  const alarm = setTimeout(() => upstream.abort(new Error('no answer in time')), HEADERS_TIMEOUT_MS);
  try {
    // The global is looked up per call, so that a test can intercept it. Compression would make lengths and ranges lie.
    return await fetch(url, { headers: { 'accept-encoding': 'identity', ...headers }, redirect: 'manual', signal: upstream.signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('vendor_unavailable', 'Zoom did not answer.', { cause: error });
  } finally {
    clearTimeout(alarm);
  }
}

/** https on zoom.us and below it, and what the operator added. */
function allowed(text: string, mediaOrigins: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isZoom = url?.protocol === 'https:' && url.port === '' && (url.hostname === 'zoom.us' || url.hostname.endsWith('.zoom.us'));
  if (url === null || url.username !== '' || url.password !== '' || !(isZoom || mediaOrigins.includes(url.origin))) {
    throw new Failure('vendor_nonsense', 'The address of the file does not belong to Zoom.');
  }
  return url;
}

/** Lets go of a body that nobody will read. */
const discard = (response: Response): void => void response.body?.cancel().catch(() => {});
