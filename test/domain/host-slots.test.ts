import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasRoom, nextRoom, type Span } from '../../src/domain/host-slots.ts';

const span = (startsAt: number, endsAt: number): Span => ({ startsAt: new Date(startsAt), endsAt: new Date(endsAt) });
const spans = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 15 }))
  .map(([startsAt, length]) => span(startsAt, startsAt + length));
/** How many of them run in each of the moments. */
const running = (taken: readonly Span[], { startsAt, endsAt }: Span): number[] =>
  Array.from({ length: endsAt.getTime() - startsAt.getTime() }, (_, offset) => startsAt.getTime() + offset).map(
    (moment) => taken.filter((one) => one.startsAt.getTime() <= moment && moment < one.endsAt.getTime()).length,
  );

describe("F04 a host's time", () => {
  it('has room where at every moment fewer meetings run than the host may have', () => {
    fc.assert(
      fc.property(fc.array(spans, { maxLength: 8 }), spans, fc.integer({ min: 1, max: 3 }), (taken, asked, capacity) => {
        expect(hasRoom(taken, asked, capacity)).toBe(running(taken, asked).every((count) => count < capacity));
      }),
    );
  });

  it('has room next at the first moment of all that have it', () => {
    fc.assert(
      fc.property(fc.array(spans, { maxLength: 8 }), spans, fc.integer({ min: 1, max: 2 }), (taken, asked, capacity) => {
        const length = asked.endsAt.getTime() - asked.startsAt.getTime();
        const first = Array.from({ length: 60 }, (_, offset) => asked.startsAt.getTime() + offset).find((startsAt) =>
          hasRoom(taken, span(startsAt, startsAt + length), capacity),
        );
        expect(nextRoom(taken, asked, capacity, new Date(200))?.getTime()).toBe(first);
        expect(nextRoom(taken, asked, capacity, new Date(first!))).toBeUndefined();
      }),
    );
  });

  it('does not count what only touches', () => {
    expect(hasRoom([span(0, 10), span(20, 30)], span(10, 20), 1)).toBe(true);
  });
});
