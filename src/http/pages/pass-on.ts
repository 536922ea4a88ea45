/**
 * A body goes from the vendor to the viewer as fast as the viewer takes it. Written to the connection itself: the server's own way from a
 * web stream ends a broken body with the error's text in it, and logs every viewer who leaves.
 */
import type { ServerResponse } from 'node:http';
import { sweep } from '../sweep.ts';

/**
 * Returns once everything is handed over, or nobody is there any more. A body that breaks off, or is not as long as `length` says, breaks
 * the connection, so that nobody takes a part for the whole.
 */
export async function passOn(body: ReadableStream<Uint8Array>, length: number | null, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  let left = false;
  let onward = (): void => {};
  outgoing.on('drain', () => onward());
  outgoing.on('close', () => {
    left = true;
    onward();
    // Lets go of the vendor's connection; a body that has ended is not hurt by it.
    void reader.cancel().catch(() => {});
  });
  outgoing.on('error', () => outgoing.destroy());
  let bytes = 0;
  try {
    while (!outgoing.destroyed) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      sweep(value.byteLength);
      if (!outgoing.write(value) && !left) await new Promise<void>((resolve) => (onward = resolve));
    }
  } catch {
    outgoing.destroy();
    return;
  }
  if (length === null || bytes === length) outgoing.end();
  else outgoing.destroy();
}
