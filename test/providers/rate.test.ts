/** The gate in front of a vendor, in real time: it works by timers. */
import { describe, expect, it } from 'vitest';
import { createGate, patiently, PATIENCE_MS } from '../../providers/rate.ts';
import { Failure } from '../../src/domain/failure.ts';

/** Calls all at once; when each began, in the order of the calls, and the failures of those that did not. */
async function burst(calls: number, enter: (work: () => Promise<void>) => Promise<void>, workMs = 0) {
  const start = performance.now();
  const begun: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: calls }, () =>
      enter(async () => {
        begun.push(performance.now() - start);
        await new Promise((resolve) => setTimeout(resolve, workMs));
      }),
    ),
  );
  return { begun, refused: results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])) };
}

describe('the gate', () => {
  it('case 63: spreads a burst of 40 calls over two seconds, and refuses none', async () => {
    const gate = createGate();
    const { begun, refused } = await burst(40, (work) => gate('org', { calls: 30, per: 1_000 }, work));
    expect(refused).toEqual([]);
    expect(begun.filter((ms) => ms < 900)).toHaveLength(30);
    // In no second more than 30, wherever the second begins.
    for (const [index, ms] of begun.entries()) expect(begun[index + 30] ?? Infinity).toBeGreaterThan(ms + 950);
  });

  it('case 63: refuses at once, and with a time, what would have to wait longer than two seconds', async () => {
    const gate = createGate();
    const { begun, refused } = await burst(15, (work) => gate('org', { calls: 4, per: 1_000 }, work));
    expect(begun).toHaveLength(12);
    expect(refused).toHaveLength(3);
    for (const failure of refused) expect(failure).toMatchObject({ code: 'vendor_quota', retryAfterMs: 3_000 });
    const minutely = await burst(11, (work) => gate('user', { calls: 10, per: 60_000 }, work));
    expect(minutely.refused).toMatchObject([{ code: 'vendor_quota', retryAfterMs: 60_000 }]);
  });

  it('holds up nobody for another account', async () => {
    const gate = createGate();
    const rate = { calls: 1, per: 1_000 };
    const begun = performance.now();
    await Promise.all(['a', 'b', 'c'].map((key) => gate(key, rate, () => Promise.resolve())));
    expect(performance.now() - begun).toBeLessThan(500);
  });

  it('lets so many be under way and no more, and gives a place back after a failure, too', async () => {
    const gate = createGate();
    let running = 0;
    let most = 0;
    const call = (fail: boolean) =>
      gate('mailbox', { calls: 4, per: 'at_once' }, async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running -= 1;
        if (fail) throw new Error('on purpose');
      });
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => call(index % 2 === 0)));
    expect(most).toBe(4);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10);
  });

  it('does not wait for calls that never end', async () => {
    const gate = createGate();
    const rate = { calls: 1, per: 'at_once' } as const;
    let finish = (): void => {};
    const first = gate('mailbox', rate, () => new Promise<void>((resolve) => (finish = resolve)));
    await expect(gate('mailbox', rate, () => Promise.resolve())).rejects.toMatchObject({ code: 'vendor_quota', retryAfterMs: PATIENCE_MS });
    finish();
    await first;
    await expect(gate('mailbox', rate, () => Promise.resolve('in'))).resolves.toBe('in');
  });
});

describe('a short wait that a vendor asks for', () => {
  const refusing = (times: number, retryAfterMs: number) => {
    let calls = 0;
    const attempt = (): Promise<number> => {
      calls += 1;
      return calls <= times ? Promise.reject(new Failure('vendor_quota', 'slow down', { retryAfterMs })) : Promise.resolve(calls);
    };
    return { attempt, calls: () => calls };
  };

  it('case 63: is waited out once', async () => {
    const begun = performance.now();
    await expect(patiently(refusing(1, 300).attempt)).resolves.toBe(2);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(295);
    const again = refusing(2, 10);
    await expect(patiently(again.attempt)).rejects.toMatchObject({ code: 'vendor_quota' });
    expect(again.calls()).toBe(2);
  });

  it('case 72: is not confused with a long one, which is passed on without another call', async () => {
    const long = refusing(1, PATIENCE_MS + 1);
    await expect(patiently(long.attempt)).rejects.toMatchObject({ retryAfterMs: PATIENCE_MS + 1 });
    expect(long.calls()).toBe(1);
  });
});
