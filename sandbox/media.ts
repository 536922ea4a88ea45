/** Media answers: whole or one byte range (RFC 9110, 14). */
import { sampleVideo } from './video.ts';

export interface MediaFile {
  readonly contentType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export const VIDEO: () => MediaFile = () => ({ contentType: 'video/mp4', bytes: sampleVideo() });

/** Deterministic bytes under an audio type; not playable. */
export const AUDIO: () => MediaFile = () => ({
  contentType: 'audio/mp4',
  bytes: Uint8Array.from({ length: 40_000 }, (_, index) => (index * 31) % 251),
});

export const TRANSCRIPT: () => MediaFile = () => ({
  contentType: 'text/vtt',
  bytes: new TextEncoder().encode('WEBVTT\n\n00:00:00.000 --> 00:00:12.000\nThis is a recording made by the sandbox.\n'),
});

export function wholeFile({ bytes, contentType }: MediaFile): Response {
  return new Response(bytes, { headers: { 'content-type': contentType, 'content-length': String(bytes.length) } });
}

export function fileOrRange({ bytes, contentType }: MediaFile, range: string | undefined): Response {
  const asked = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  if (!asked || (asked[1] === '' && asked[2] === '')) {
    return new Response(bytes, {
      headers: { 'content-type': contentType, 'content-length': String(bytes.length), 'accept-ranges': 'bytes' },
    });
  }
  const [, first = '', last = ''] = asked;
  const start = first === '' ? Math.max(bytes.length - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? bytes.length - 1 : Math.min(Number(last), bytes.length - 1);
  if (start > end) return new Response(null, { status: 416, headers: { 'content-range': `bytes */${bytes.length}` } });
  return new Response(bytes.slice(start, end + 1), {
    status: 206,
    headers: {
      'content-type': contentType,
      'content-length': String(end - start + 1),
      'content-range': `bytes ${start}-${end}/${bytes.length}`,
      'accept-ranges': 'bytes',
    },
  });
}
