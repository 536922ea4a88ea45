/**
 * Bytes that were passed on are garbage of 64 KB a piece outside of V8's heap, and V8 looks for garbage when its own young space is full:
 * after some forty megabytes of them. A look after every four keeps the process small, and takes a fraction of a millisecond
 * (docs/decisions/0016-media-through-fetch.md).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY_BYTES = 4 * 1_024 * 1_024;

type Collect = (options: { type: 'minor' }) => void;
let collect: Collect | undefined;
let passed = 0;

/** `bytes` have been passed on. */
export function sweep(bytes: number): void {
  passed += bytes;
  if (passed < EVERY_BYTES) return;
  passed = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

/** V8's own, without an option on the command line; exposed to one context that nothing else runs in. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return found;
}
