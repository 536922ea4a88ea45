/** Running meetings of a free plan with their timers, written and read past everything of the gateway's. */
import { MINUTE } from '../../src/domain/time.ts';
import { connectTo, isPostgres, marketplace } from './gateway-database.ts';
import { planOf, type Statement } from './statements.ts';
import { latenessOf, type Lateness } from './statistics.ts';

export interface TimerReport {
  readonly expected: number;
  readonly missing: number;
  /** Told twice, too early, or when it was not due. */
  readonly wrong: number;
  readonly late_ms: Lateness;
  readonly burst_late_ms: Lateness;
}

export interface Filling {
  readonly meetings: number;
  /** That many more reach their limit within one second, in the middle of the window. */
  readonly burst: number;
  readonly windowMs: number;
  /** When the window opens; the meetings reach their limits evenly from then on, over the length of the limit. */
  readonly startMs: number;
}

const LIMIT_MS = 40 * MINUTE;
const WARNINGS = [10, 5, 1];

export interface TimerDatabase {
  load(filling: Filling): Promise<void>;
  planOf(statement: Statement): Promise<string>;
  report(): Promise<TimerReport>;
  close(): Promise<void>;
}

export function runningMeetings(databaseUrl: string): TimerDatabase {
  const { query, close } = connectTo(databaseUrl);
  const postgres = isPostgres(databaseUrl);
  const due = new Map<string, number>();
  const burst = new Set<string>();
  let closesAt = 0;
  return {
    load: async (filling) => {
      await query(marketplace(postgres));
      for (const statement of statements(filling, postgres)) await query(statement);
      expect(filling, due, burst);
      closesAt = filling.startMs + filling.windowMs;
    },
    planOf: (statement) => planOf(query, postgres, statement),
    report: async () => {
      const at = postgres ? 'round(extract(epoch from at) * 1000)' : 'at';
      const left = postgres ? `data->>'minutes_left'` : `data->>'$.minutes_left'`;
      const rows = await query(`select subject_id, ${at} as ms, coalesce(${left}, '0') as minutes from events`);
      const late = new Map<string, number>();
      let wrong = 0;
      for (const row of rows) {
        const key = `${row['subject_id']} ${row['minutes']}`;
        const lateMs = Number(row['ms']) - (due.get(key) ?? Infinity);
        // The worker goes on after the window while what is missing is waited for.
        if (!due.has(key) && Number(row['ms']) >= closesAt) continue;
        if (late.has(key) || lateMs < 0) wrong += 1;
        else late.set(key, lateMs);
      }
      return {
        expected: due.size,
        missing: [...due.keys()].filter((key) => !late.has(key)).length,
        wrong,
        late_ms: latenessOf([...late.values()]),
        burst_late_ms: latenessOf([...late].filter(([key]) => burst.has(key)).map(([, ms]) => ms)),
      };
    },
    close,
  };
}

/** What falls into the window. Meetings `mtg_0` and so on; those of the burst are the last. */
function expect({ meetings, burst: count, windowMs, startMs }: Filling, due: Map<string, number>, burst: Set<string>): void {
  for (let n = 0; n < meetings; n++) {
    const endMs = Math.floor((n * LIMIT_MS) / meetings);
    for (const minutes of [...WARNINGS, 0]) {
      const offset = endMs - minutes * MINUTE;
      if (offset >= 0 && offset < windowMs) due.set(`mtg_${n} ${minutes}`, startMs + offset);
    }
  }
  for (let n = 0; n < count; n++) {
    const key = `mtg_${meetings + n} 0`;
    due.set(key, startMs + Math.floor(windowMs / 2) + Math.floor((n * 1_000) / count));
    burst.add(key);
  }
}

function statements({ meetings, burst, windowMs, startMs }: Filling, postgres: boolean): string[] {
  // Whole numbers, so that both databases and the report divide alike.
  const ends = `(select n, case when n < ${meetings} then n * ${LIMIT_MS} / ${meetings}
    else ${Math.floor(windowMs / 2)} + (n - ${meetings}) * 1000 / ${burst} end as e
    from (${numbered({ from: 0, count: meetings + burst }, postgres)}) as numbers) as ends`;
  const moment = (offset: string): string => momentOf(`(${startMs} + ${offset})`, postgres);
  const since = moment(`e - ${LIMIT_MS}`);
  const no = postgres ? 'false' : '0';
  const warnings = WARNINGS.map((minutes) => `when n < ${meetings} and e >= ${minutes * MINUTE} then e - ${minutes * MINUTE}`).join(' ');
  return [
    runningMeeting({ from: ends, since, limitMinutes: '40', limitEndsAt: moment('e') }, postgres),
    `insert into meeting_facts (meeting_id, key, marketplace_id, instance_id, kind, at, side, limit_reached, source)
      select 'mtg_' || n, 'start ' || n, 'mkt_bench', 'run ' || n, 'started', ${since}, 'unknown', ${no}, 'vendor' from ${ends}`,
    `insert into jobs (id, kind, subject_id, lane, due_at, attempts)
      select 'meeting.limit:mtg_' || n, 'meeting.limit', 'mtg_' || n, 'timers', ${moment(`(case ${warnings} else e end)`)}, 0 from ${ends}`,
    // What autovacuum does a minute after such a load.
    'analyze',
  ];
}

/** Whole numbers `n`. */
export const numbered = ({ from, count }: { from: number; count: number }, postgres: boolean): string =>
  postgres
    ? `select i::bigint as n from generate_series(${from}, ${from + count - 1}) i`
    : `with recursive counter(n) as (select ${from} union all select n + 1 from counter where n < ${from + count - 1}) select n from counter`;

/** `ms`: since 1970. */
export const momentOf = (ms: string, postgres: boolean): string => (postgres ? `to_timestamp(${ms} / 1000.0)` : ms);

/** For each `n` of `from` the meeting `mtg_n` of the booking `bk_n`, which runs. The others are expressions about it. */
export function runningMeeting(
  { from, since, limitMinutes, limitEndsAt }: { from: string; since: string; limitMinutes: string; limitEndsAt: string },
  postgres: boolean,
): string {
  const bytes = postgres ? `'\\x00'::bytea` : `x'00'`;
  const no = postgres ? 'false' : '0';
  const json = postgres ? '::jsonb' : '';
  return `insert into meetings (id, marketplace_id, booking_id, booking_kind, title, professional_id, provider, state, purchase_by, starts_at,
      duration_minutes, time_zone, recording, records_automatically, link_source, vendor_meeting_id, vendor_details, degraded, host_token_hash, host_token_sealed,
      plan, plan_basis, limit_minutes, limit_exceeded, decision, running_since, limit_ends_at, vendor_key, created_at)
    select 'mtg_' || n, 'mkt_bench', 'bk_' || n, 'one_to_one', 'Bench', 'pro_1', 'zoom', 'live', ${since}, ${since},
      30, 'UTC', 'none', ${no}, 'created', '' || n, '{}'${json}, '[]'${json}, 'host ' || n, ${bytes},
      'free', 'vendor', ${limitMinutes}, ${no}, '{}'${json}, ${since}, ${limitEndsAt}, 'mtg_' || n, ${since}
    from ${from}`;
}
