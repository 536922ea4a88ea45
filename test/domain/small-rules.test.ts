import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobBackoffMs } from '../../src/domain/backoff.ts';
import { newId } from '../../src/domain/id.ts';
import { DAY, HOUR, SECOND } from '../../src/domain/time.ts';
import { fingerprint, hashToken, newToken } from '../../src/domain/token.ts';

describe('backoff', () => {
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
