import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostNews, type Watched } from '../../src/domain/absence.ts';
import { sessionsOf, type Fact } from '../../src/domain/session.ts';
import { plus, SECOND } from '../../src/domain/time.ts';

const START = new Date('2026-12-01T12:00:00Z');
const after = (seconds: number): Date => plus(START, seconds * SECOND);
const fact = (kind: Fact['kind'], seconds: number, participantId: string | null = null, side: Fact['side'] = 'unknown'): Fact => ({
  instanceId: 'run',
  kind,
  at: after(seconds),
  participantId,
  side,
  customerId: null,
  limitReached: false,
  source: 'vendor',
});
const host = (kind: 'joined' | 'left', seconds: number, device = 'laptop'): Fact => fact(kind, seconds, device, 'host');
const NOTHING: Watched = { away: null, lost: false };
const news = (facts: readonly Fact[], watched: Watched = NOTHING) => hostNews(sessionsOf([fact('started', 0), ...facts])[0]!, watched);
const lostSince = (seconds: number): Watched => ({ away: after(seconds), lost: true });

describe('a host that is away', () => {
  it('R06 is not lost before it ever came', () => {
    expect(news([fact('joined', 5, 'guest')])).toEqual({ away: null, lost: false, back: null });
  });

  it('R06 is away since the last device left', () => {
    const facts = [host('joined', 1), host('joined', 2, 'phone'), host('left', 10), host('left', 12, 'phone')];
    expect(news(facts.slice(0, 3))).toEqual({ away: null, lost: false, back: null });
    expect(news(facts)).toEqual({ away: after(12), lost: false, back: null });
  });

  it('R06 is back after as long as the facts say', () => {
    const facts = [host('joined', 1), host('left', 10)];
    expect(news(facts, lostSince(10))).toEqual({ away: after(10), lost: true, back: null });
    expect(news([...facts, host('joined', 70)], lostSince(10))).toEqual({
      away: null,
      lost: false,
      back: { since: after(10), awayMs: 60 * SECOND },
    });
  });

  it('R06 that was back and is away again has two absences', () => {
    const facts = [host('joined', 1), host('left', 10), host('joined', 40), host('left', 50)];
    expect(news(facts, lostSince(10))).toEqual({ away: after(50), lost: false, back: { since: after(10), awayMs: 30 * SECOND } });
  });

  it('R06 that was there with a second device a little longer has one absence', () => {
    const facts = [host('joined', 1), host('joined', 2, 'phone'), host('left', 10), host('left', 12, 'phone')];
    expect(news(facts, lostSince(10))).toEqual({ away: after(12), lost: true, back: null });
  });

  it('R06 that turns out to have been there all the time is back after nothing', () => {
    const facts = [host('joined', 1), host('joined', 2, 'phone'), host('left', 10)];
    expect(news(facts, lostSince(10))).toEqual({ away: null, lost: false, back: { since: after(10), awayMs: 0 } });
  });

  it('R06 is not away from a run that is over', () => {
    expect(news([host('joined', 1), host('left', 10), fact('ended', 11)], lostSince(10))).toEqual({ away: null, lost: false, back: null });
  });

  it('R06 whatever the order in which the facts came, the end is the same', () => {
    const facts = [host('joined', 1), host('left', 10), host('joined', 40), host('left', 50), host('joined', 90), host('left', 95)];
    const order = fc.shuffledSubarray(facts, { minLength: facts.length });
    fc.assert(
      fc.property(order, (shuffled) => {
        let watched = NOTHING;
        for (let count = 1; count <= shuffled.length; count++) {
          const { away } = news(shuffled.slice(0, count), watched);
          // As if every absence were told at once: the hardest case.
          watched = { away, lost: away !== null };
        }
        expect(watched).toEqual(lostSince(95));
      }),
    );
  });
});
