/**
 * How late the blocks of running meters begin: 10,000 sessions whose first block ends within seconds, and 10,000 in the same moment.
 * `npm run bench:meters -- --only sqlite --save ''` is a short one.
 */
import { parseArgs } from 'node:util';
import { MINUTE, plus } from '../src/domain/time.ts';
import { runDueTimers } from '../src/meetings/timers.ts';
import { isSound, measureCrowd, type FilledDatabase, type Filling } from './lib/crowd.ts';
import { onEachDatabase } from './lib/databases.ts';
import { momentOf, numbered, runningMeeting } from './lib/running-meetings.ts';

const { values: options } = parseArgs({
  options: {
    meters: { type: 'string', default: '10000' },
    only: { type: 'string', multiple: true },
    save: { type: 'string', default: 'meters' },
  },
});
const METERS = Number(options.meters);
const BLOCK_MS = 15 * MINUTE;

const results = await onEachDatabase({ only: options.only, save: options.save }, { meters: METERS }, (databaseUrl) =>
  measureCrowd(
    databaseUrl,
    {
      lane: 'timers',
      event: 'meter.block_started',
      runDue: runDueTimers,
      add: fill,
      // Two blocks, the second of them told now, and used as many.
      settled: async (query) =>
        Number(
          (
            await query(
              `select count(*) as n from meters where used_blocks = 2 and
                (select count(*) from meter_blocks b where b.meeting_id = meters.meeting_id and voided_at is null and number <= 2) = 2 and
                (select count(*) from meter_blocks b where b.meeting_id = meters.meeting_id) = 2`,
            )
          )[0]!['n'],
        ),
    },
    METERS,
  ),
);
process.exit(results.every(isSound) ? 0 : 1);

/** Both sides came with the start, and the first block was told. */
async function fill({ query, postgres }: FilledDatabase, { from, count, dueAt }: Filling): Promise<string[]> {
  const meetings = `(${numbered({ from, count }, postgres)}) as numbers`;
  const since = momentOf(String(plus(dueAt, -BLOCK_MS).getTime()), postgres);
  const due = momentOf(String(dueAt.getTime()), postgres);
  const no = postgres ? 'false' : '0';
  const fact = (kind: string, participant: string, side: string, customer: string): string =>
    `insert into meeting_facts (meeting_id, key, marketplace_id, instance_id, kind, at, participant_id, side, customer_id, limit_reached, source)
      select 'mtg_' || n, '${kind} ${side} ' || n, 'mkt_bench', 'run ' || n, '${kind}', ${since}, ${participant}, '${side}', ${customer}, ${no},
        'vendor' from ${meetings}`;
  for (const statement of [
    runningMeeting({ from: meetings, since, limitMinutes: 'null', limitEndsAt: 'null' }, postgres),
    fact('started', 'null', 'unknown', 'null'),
    fact('joined', `'host ' || n`, 'host', 'null'),
    fact('joined', `'guest ' || n`, 'customer', `'cus_' || n`),
    `insert into meters (meeting_id, marketplace_id, booking_id, credit_blocks, used_blocks, block_ends_at)
      select 'mtg_' || n, 'mkt_bench', 'bk_' || n, 8, 1, ${due} from ${meetings}`,
    `insert into meter_blocks (meeting_id, marketplace_id, booking_id, instance_id, number, starts_at)
      select 'mtg_' || n, 'mkt_bench', 'bk_' || n, 'run ' || n, 1, ${since} from ${meetings}`,
    `insert into jobs (id, kind, subject_id, lane, due_at, attempts)
      select 'meter.tick:mtg_' || n, 'meter.tick', 'mtg_' || n, 'timers', ${due}, 0 from ${meetings}`,
  ])
    await query(statement);
  return Array.from({ length: count }, (_, index) => `mtg_${from + index}`);
}
