/** The real gateway and the line to its PostgreSQL: silent, cut at a commit, and led through a pooler that drops what was asked for. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { MINUTE } from '../../src/domain/time.ts';
import { raw, useDatabases } from '../support/databases.ts';
import { built } from '../support/support.ts';
import { connect, meetingBody } from '../support/world.ts';
import { startLine, type Line } from './line.ts';
import { expectOutage, rows, story, tell } from './outage.ts';
import { startProgram } from './program.ts';
import { createStage, zoomMeetings, type Stage } from './stage.ts';

beforeAll(built);

describe('the line to PostgreSQL', () => {
  const { engine } = useDatabases('postgres');

  async function lined(): Promise<{ stage: Stage; line: Line; environment: { DATABASE_URL: string } }> {
    const stage = await createStage(await engine.createUrl());
    const line = await startLine(stage.databaseUrl);
    return { stage, line, environment: { DATABASE_URL: line.url } };
  }

  it('case 28: falls silent without being cut: 503 in time, and it goes on over new connections', { timeout: 90_000 }, async () => {
    const { stage, line, environment } = await lined();
    await expectOutage(
      stage,
      async () => {
        const back = line.silence();
        return async () => back();
      },
      { start: () => stage.start({ environment }) },
    );
  });

  it('case 28: breaks before the answer to the commit of a webhook: 503, and the repeat finds it stored', { timeout: 60_000 }, async () => {
    const { stage, line, environment } = await lined();
    await stage.start({ environment });
    expect((await tell(stage, story[0]!)).status).toBe(200);
    const answers: number[] = [];
    for (const told of story.slice(1)) {
      const { lost } = line.loseAnswerTo(1, 'inbox_insert');
      answers.push((await tell(stage, told)).status);
      await vi.waitFor(() => expect(lost()).toBe(true), { timeout: 5_000 });
    }
    line.loseAnswerTo(0);
    expect(answers).toEqual(answers.map(() => 503));
    expect(await rows(stage)).toBe(story.length);
    for (const told of story) expect((await tell(stage, told)).status).toBe(200);
    expect(await rows(stage)).toBe(story.length);
  });

  it(
    'case 28: breaks before the answer to any commit of a booking: asked again, it is one meeting, here and there',
    { timeout: 120_000 },
    async () => {
      const { stage, line, environment } = await lined();
      const connected = await stage.serve({ environment });
      await connect(stage, 'zoom', { recordings: false });
      const body = (booking: string) =>
        meetingBody(
          { now: () => new Date(0) },
          { booking: { id: booking, kind: 'one_to_one', title: 'Tax' }, provider: 'zoom', starts_at: STARTS_AT },
        );
      const ask = (booking: string) =>
        stage.api('POST', '/v1/meetings', body(booking), { 'idempotency-key': booking }).catch(() => undefined);
      const { commits } = line.loseAnswerTo(0);
      expect((await ask('bk_0'))?.status).toBe(201);
      const perBooking = commits();
      expect(perBooking).toBeGreaterThan(2);

      const answers: (number | undefined)[] = [];
      for (let nth = 1; nth <= perBooking; nth++) {
        line.loseAnswerTo(nth);
        answers.push((await ask(`bk_${nth}`))?.status);
      }
      line.loseAnswerTo(0);
      // At least the first one, of the key, could not be answered.
      expect(answers).toContain(503);
      await connected.close();

      // Whoever was to give a key back may have died: then it is free when its time is over.
      await stage.serve({ aheadMs: 3 * MINUTE, environment });
      const bookings = Array.from({ length: perBooking + 1 }, (_, nth) => `bk_${nth}`);
      for (const booking of bookings) {
        const patience = { timeout: 20_000, interval: 500 };
        const answer = await vi.waitFor(async () => {
          const again = await ask(booking);
          expect(again).toMatchObject({ status: 201 });
          return again!;
        }, patience);
        // One whose link was still to be repaired is answered as it was then, however often the key comes.
        const path = `/v1/meetings/${String(answer.json['id'])}`;
        await vi.waitFor(async () => expect((await stage.api('GET', path)).json['state']).toBe('awaiting_purchase'), patience);
      }
      // One that failed on the way was taken back: it does not count, and in the end the vendor has nothing of it.
      const made = await raw(
        stage.databaseUrl,
        `select booking_id, vendor_meeting_id from meetings where state <> 'cancelled' order by booking_id`,
      );
      expect(made.map(({ booking_id: booking }) => booking)).toEqual(bookings.toSorted());
      const numbers = made.map(({ vendor_meeting_id: id }) => String(id)).toSorted();
      await vi.waitFor(async () => expect((await zoomMeetings(stage)).toSorted()).toEqual(numbers), { timeout: 20_000, interval: 200 });
    },
  );

  it(
    'case 29: leads through a pooler that drops synchronous_commit=on: refused at the start in one line',
    { timeout: 30_000 },
    async () => {
      const { stage, line, environment } = await lined();
      await raw(stage.databaseUrl, `alter database ${new URL(stage.databaseUrl).pathname.slice(1)} set synchronous_commit = off`);
      line.rewrite = (packet) => packet.replace('synchronous_commit=on', 'geqo_seed=0.500000000');
      const program = startProgram({ ...stage.environment, ...environment });
      expect(await program.exit).toEqual({ code: 1, signal: null });
      expect(program.stderr().trimEnd().split('\n')).toEqual([expect.stringContaining('runs with synchronous_commit=off')]);
    },
  );
});

const STARTS_AT = new Date(Date.now() + 10 * MINUTE).toISOString();
