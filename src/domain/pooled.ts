import type { RandomBytes } from './time.ts';

/** Of one call to the source. */
const POOL_BYTES = 4_096;

/**
 * Random bytes from a stock: asking the system takes several microseconds however few they are, and every answer and every row has an id.
 * Each byte is handed out once and wiped here. More than the stock has comes from the source itself.
 */
export function pooled(random: RandomBytes): RandomBytes {
  let pool = Buffer.alloc(0);
  let used = 0;
  return (size) => {
    if (size > POOL_BYTES / 4) return random(size);
    if (used + size > pool.length) [pool, used] = [Buffer.from(random(POOL_BYTES)), 0];
    const own = Buffer.from(pool.subarray(used, used + size));
    pool.fill(0, used, used + size);
    used += size;
    return own;
  };
}
