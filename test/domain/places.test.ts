import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SECOND } from '../../src/domain/time.ts';
import { ALL_PLACES, createPlaces, MOST, type Places } from '../../src/events/places.ts';

const many = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${name}_${index}`);

/** As the queue chooses: by turns, until nobody gets any more. */
function choose(places: Places, endpoints: readonly string[]): string[] {
  const may = places.choose();
  const chosen: string[] = [];
  const left = new Set(endpoints);
  while (left.size > 0)
    for (const endpoint of left) {
      if (may(endpoint)) chosen.push(endpoint);
      else left.delete(endpoint);
    }
  return chosen;
}

const takeAll = (places: Places, endpoints: readonly string[]) => endpoints.map((endpoint) => places.take(endpoint));
const prove = (places: Places, endpoint: string): void => {
  const busy = places.take(endpoint);
  for (let index = 0; index < MOST; index += 1) places.take(endpoint)(true);
  busy(true);
};

describe('places for deliveries', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('case 95: three hundred slow endpoints get half of them in one choice, and no more later', () => {
    const places = createPlaces(() => {});
    const slow = many('slow', 300);
    for (const endpoint of slow) {
      const leave = places.take(endpoint);
      vi.advanceTimersByTime(SECOND);
      leave(true);
    }
    const chosen = choose(places, slow);
    expect(chosen).toHaveLength(128);
    takeAll(places, chosen);
    expect(choose(places, slow)).toEqual([]);
    vi.advanceTimersByTime(SECOND);
    expect(choose(places, slow)).toEqual([]);
    expect(choose(places, ['new'])).toEqual(['new', 'new']);
  });

  it('case 95: a thousand new endpoints that hang leave room for those that are known, and soon for others that are new', () => {
    let freed = 0;
    const places = createPlaces(() => (freed += 1));
    prove(places, 'quick');
    const hanging = many('hangs', 1_000);
    const leaving = takeAll(places, choose(places, hanging));
    expect(leaving).toHaveLength(128);
    expect(choose(places, ['new', 'quick'])).toEqual(['quick', 'quick']);
    vi.advanceTimersByTime(SECOND);
    expect(freed).toBe(128);
    expect(choose(places, ['new'])).toEqual(['new', 'new']);
    for (let second = 0; second < 5; second += 1) {
      leaving.push(...takeAll(places, choose(places, hanging)));
      vi.advanceTimersByTime(SECOND);
      expect(choose(places, ['quick'])).toHaveLength(2);
    }
    expect(leaving.length).toBeLessThan(ALL_PLACES);
    for (const leave of leaving) leave(false);
    expect(choose(places, ['new'])).toHaveLength(2);
    expect(choose(places, hanging.slice(0, 300))).toHaveLength(128);
  });

  it('are more for whoever answers quickly, few again after a rest, and one for whoever does not answer', () => {
    const places = createPlaces(() => {});
    const busy = [places.take('quick')];
    for (let index = 0; index < 2 * MOST; index += 1) places.take('quick')(true);
    expect(choose(places, ['quick'])).toHaveLength(MOST - 1);
    busy[0]!(true);
    expect(choose(places, ['quick'])).toHaveLength(2);
    places.take('quick')(false);
    expect(choose(places, ['quick'])).toHaveLength(1);
    places.take('quick')(undefined);
    expect(choose(places, ['quick'])).toHaveLength(1);
    places.take('quick')(true);
    expect(choose(places, ['quick'])).toHaveLength(2);
  });
});
