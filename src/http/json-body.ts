/** What a JSON body has to be before any schema looks at it. */
import type { Context, MiddlewareHandler } from 'hono';
import { Failure } from '../domain/failure.ts';

/** Our largest request (a private group of 100) is about 20 kB. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_DEPTH = 32;
/** RFC 7396, for changes. */
const MERGE_PATCH = 'application/merge-patch+json';

export const jsonBody: MiddlewareHandler = async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'DELETE' || c.req.method === 'HEAD') return next();
  const bytes = await readLimited(c);
  if (bytes.length > 0) {
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/json' && !(c.req.method === 'PATCH' && type === MERGE_PATCH))
      throw new Failure('unsupported_media_type', 'Send the body as application/json.');
    checkJson(bytes);
  } else {
    // Many clients announce JSON and send nothing: that is a request without members, not one that is malformed.
    c.req.bodyCache.text = Promise.resolve('{}') as unknown as string;
  }
  return next();
};

/** The body, counted while it arrives; left where the later readers of the request look for it. */
async function readLimited(c: Context): Promise<Buffer> {
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  // The cache holds promises, whatever its type says.
  c.req.bodyCache.arrayBuffer = Promise.resolve(new Uint8Array(bytes).buffer) as unknown as ArrayBuffer;
  return bytes;
}

function checkJson(bytes: Buffer): void {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Failure('malformed', 'The body is not UTF-8.', { cause: error });
  }
  if (depthOf(text) > MAX_DEPTH) throw new Failure('malformed', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  let value: unknown;
  try {
    value = JSON.parse(text, (key, part: unknown) => {
      // PostgreSQL cannot store NUL; lone surrogates are no text anywhere.
      if ([key, part].some((one) => typeof one === 'string' && (one.includes('\0') || !one.isWellFormed()))) throw new NotText();
      return part;
    });
  } catch (error) {
    throw new Failure('malformed', error instanceof NotText ? 'The body has characters that are not text.' : 'The body is not JSON.', {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Failure('malformed', 'The body has to be a JSON object.');
}

class NotText extends Error {}

/** Nesting of brackets outside of strings, found without recursion and before anything is built. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (inString) {
      if (character === 0x5c) index += 1;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) inString = true;
    else if (character === 0x7b || character === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (character === 0x7d || character === 0x5d) depth -= 1;
  }
  return deepest;
}

const tooLarge = (): Failure => new Failure('too_large', `A body may have ${MAX_BODY_BYTES} bytes.`);
