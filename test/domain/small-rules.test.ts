import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryBackoffMs, jobBackoffMs } from '../../src/domain/backoff.ts';
import { newId } from '../../src/domain/id.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { fingerprint, hashToken, newToken } from '../../src/domain/token.ts';

describe('backoff', () => {
  const SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

  it('follows the schedule of Standard Webhooks for deliveries, and then gives up', () => {
    expect(SCHEDULE.map((_wait, index) => deliveryBackoffMs(index + 1, 0.5))).toEqual(SCHEDULE);
    expect(deliveryBackoffMs(SCHEDULE.length + 1, 0.5)).toBeNull();
  });

  it('spreads every wait by no more than a fifth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempts, chance) => {
        const wait = deliveryBackoffMs(attempts, chance)!;
        expect(wait).toBeGreaterThanOrEqual(SCHEDULE[attempts - 1]! * 0.8);
        expect(wait).toBeLessThanOrEqual(SCHEDULE[attempts - 1]! * 1.2);
      }),
    );
  });

  it('doubles for jobs up to one hour', () => {
    expect([1, 2, 3, 11, 12, 15, 1_000].map((attempts) => jobBackoffMs(attempts, 0.5))).toEqual([
      2 * SECOND,
      4 * SECOND,
      8 * SECOND,
      2_048 * SECOND,
      HOUR,
      HOUR,
      HOUR,
    ]);
  });
});

describe('ids', () => {
  const idAt = (ms: number, random = randomBytes) => newId({ now: () => new Date(ms), random }, 'mtg');

  it('have a prefix and 26 characters without look-alikes', () => {
    expect(idAt(Date.UTC(2026, 11, 1))).toMatch(/^mtg_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('sort by the moment they were made, whatever the randomness', () => {
    const moment = fc.integer({ min: 0, max: Date.UTC(9999, 0, 1) });
    fc.assert(
      fc.property(
        moment,
        moment,
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        (a, b, left, right) => {
          fc.pre(a < b);
          expect(idAt(a, () => Buffer.from(left)) < idAt(b, () => Buffer.from(right))).toBe(true);
        },
      ),
    );
  });

  it('keep all 80 random bits', () => {
    const low = idAt(0, () => Buffer.alloc(10));
    expect(low).toBe('mtg_00000000000000000000000000');
    const differing = new Set(
      Array.from({ length: 80 }, (_, bit) => {
        const bytes = Buffer.alloc(10);
        bytes[bit >> 3] = 1 << (bit & 7);
        return idAt(0, () => bytes);
      }),
    );
    expect(differing.size).toBe(80);
  });

  it('are different in one millisecond', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => idAt(DAY))).size).toBe(1_000);
  });
});

describe('tokens', () => {
  it('carry 256 random bits and are kept as SHA-256', () => {
    const token = newToken(randomBytes);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(hashToken(token)).toBe(createHash('sha256').update(token).digest('base64url'));
  });

  it('give different fingerprints for parts that are split differently', () => {
    expect(fingerprint('a', 'bc')).not.toBe(fingerprint('ab', 'c'));
    expect(fingerprint('a","b')).not.toBe(fingerprint('a', 'b'));
  });
});
