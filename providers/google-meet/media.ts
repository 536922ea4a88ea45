/** Streams one file of the professional's Drive: Range goes through, nothing is buffered, the token stays on Google's own host. */
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { readAnswer, refusal, TIMEOUT_MS } from '../call.ts';
import type { Account, Media, MediaRequest, Recordings } from '../provider.ts';
import { refusedByGoogle } from './failures.ts';
import type { GoogleMeetOptions } from './options.ts';
import { DRIVE_RECORDINGS } from './scopes.ts';

const DRIVE = 'https://www.googleapis.com';
/** Hosts that Drive is known to redirect downloads to; the documentation does not name them. */
const MEDIA_HOSTS = ['.googleapis.com', '.googleusercontent.com'];
/** Chosen; a documented download has none. */
const MAX_REDIRECTS = 3;

export function createMedia({ apiUrl, mediaOrigins, now }: Pick<GoogleMeetOptions, 'apiUrl' | 'mediaOrigins' | 'now'>): Recordings['open'] {
  const drive = apiUrl ?? DRIVE;

  const mayServeMedia = ({ origin, protocol, hostname, port, username, password }: URL): boolean =>
    username === '' &&
    password === '' &&
    (origin === new URL(drive).origin ||
      mediaOrigins.includes(origin) ||
      (protocol === 'https:' && port === '' && MEDIA_HOSTS.some((suffix) => hostname.endsWith(suffix))));

  const follow = async (start: URL, bearer: string, { range, signal }: MediaRequest): Promise<Response> => {
    let url = start;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await fetchHeaders(url, signal, {
        ...(url.origin === start.origin ? { authorization: `Bearer ${bearer}` } : {}),
        // Compressed bytes would not be the bytes that a range names; with a range, fetch asks for plain ones by itself.
        ...(range === undefined ? { 'accept-encoding': 'identity' } : { range }),
      });
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) return response;
      await response.body?.cancel();
      if (!URL.canParse(location, url)) break;
      url = new URL(location, url);
      if (!mayServeMedia(url)) break;
    }
    throw new Failure('vendor_nonsense', 'Google Drive sent the download to a place that is not known to be its own.');
  };

  const attempt = async (bearer: string, request: MediaRequest): Promise<Media> => {
    const url = new URL(`/drive/v3/files/${encodeURIComponent(request.fileId)}?alt=media`, drive);
    const response = await follow(url, bearer, request);
    if (response.status === 200 || response.status === 206 || response.status === 416) return mediaOf(response, response.status);
    const answer = await readAnswer(response);
    // Drive says the same for a deleted file and for one that was taken away from the professional.
    if (answer.status === 404 || answer.status === 410) throw new Failure('gone', 'The recording is no longer in Google Drive.');
    throw refusedByGoogle(answer, [DRIVE_RECORDINGS], now()) ?? refusal(answer, now());
  };

  return async (account: Account, request) => {
    // A Drive id and nothing that could change the path.
    if (!/^[\w-]+$/.test(request.fileId)) throw new Failure('gone', 'There is no such file in Google Drive.');
    const token = await account.accessToken();
    try {
      return await attempt(token, request);
    } catch (error) {
      if (!isFailure(error, 'reconnect_required') || error.extra['status'] !== 401) throw error;
      return attempt(await account.accessToken(token), request);
    }
  };
}

/** The answer once its headers are there. The caller's signal goes on to end the stream, the timeout does not. */
async function fetchHeaders(url: URL, signal: AbortSignal, headers: Record<string, string>): Promise<Response> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Error('no headers in time')), TIMEOUT_MS);
  try {
    return await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.any([signal, timeout.signal]) });
  } catch (error) {
    throw new Failure('vendor_unavailable', 'Google Drive did not answer.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function mediaOf(response: Response, status: Media['status']): Promise<Media> {
  const { headers } = response;
  const contentType = headers.get('content-type') ?? 'video/mp4';
  if (status !== 416 && /^\s*(?:text\/|application\/(?:json|xhtml))/i.test(contentType)) {
    await response.body?.cancel();
    throw new Failure('vendor_nonsense', 'Google Drive answered a page instead of the recording.');
  }
  const length = headers.get('content-length');
  return {
    status,
    contentType,
    contentLength: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null,
    contentRange: headers.get('content-range'),
    body: response.body ?? new ReadableStream({ start: (controller) => controller.close() }),
  };
}
