/** Published recordings that all end in the same second, written and read past everything of the gateway's. */
import { connectTo, isPostgres, marketplace } from './gateway-database.ts';

export interface ExpiryReport {
  /** Recordings that are not ended, or of which something is left: an id, a link, a file, a job. */
  readonly left: number;
  /** Not told, or told twice. */
  readonly wrong: number;
  /** Without an entry in the audit log. */
  readonly unaudited: number;
}

export interface PublicationDatabase {
  load(publications: number, dueMs: number): Promise<void>;
  /** Those whose time is not over yet for the gateway. */
  isWaiting(): Promise<boolean>;
  /**
   * What PostgreSQL does by itself within minutes: sees how long its tables have become, and has files ready for its log, each of which
   * would otherwise be made while somebody waits.
   */
  settle(): Promise<void>;
  /** How the database finds what is due. */
  planOfLook(nowMs: number): Promise<string>;
  report(publications: number): Promise<ExpiryReport>;
  close(): Promise<void>;
}

/** As long as the vault's ciphertexts of a vendor's id, a token and the links of an event are. */
const SEALED_BYTES = { vendorId: 60, token: 85, links: 350 };
const LINKS = 2;

export function duePublications(databaseUrl: string): PublicationDatabase {
  const { query, close } = connectTo(databaseUrl);
  const postgres = isPostgres(databaseUrl);
  const count = async (from: string): Promise<number> => Number((await query(`select count(*) as n from ${from}`))[0]!['n']);
  return {
    load: async (publications, dueMs) => {
      await query(marketplace(postgres));
      for (const statement of statements(publications, dueMs, postgres)) await query(statement);
    },
    settle: async () => {
      if (!postgres) return;
      await query('analyze');
      await query('checkpoint');
    },
    // One row tells as much as a count, which would look through all of them ten times a second.
    isWaiting: async () => (await query(`select id from jobs where lane = 'expiries' and dead_at is null limit 1`)).length > 0,
    planOfLook: async (nowMs) => {
      const now = postgres ? `to_timestamp(${nowMs / 1_000})` : String(nowMs);
      const rows = await query(
        `explain ${postgres ? '' : 'query plan '}select * from jobs where lane = 'expiries' and dead_at is null and due_at <= ${now}
          and (leased_until is null or leased_until < ${now}) order by due_at limit 16`,
      );
      return rows.map((row) => String(row[postgres ? 'QUERY PLAN' : 'detail']).trim()).join('; ');
    },
    report: async (publications) => {
      const told = await query(`select count(*) as n, count(distinct subject_id) as ids from events where type = 'recording.expired'`);
      const files = postgres ? `files::text` : 'files';
      return {
        // Each by itself: planners know too little of a crowd that has just ended to put all of it together in time.
        left:
          Math.abs(publications - (await count('recordings'))) +
          (await count(
            `recordings where state <> 'expired' or erased_at is null or vendor_recording_sealed is not null or ${files} <> '[]'`,
          )) +
          (await count('recording_links where token_sealed is not null')) +
          Math.abs(publications * LINKS - (await count('recording_links'))) +
          (await count('events where links_sealed is not null')) +
          (await count(`jobs where kind = 'recording.expire'`)),
        wrong: Math.abs(publications - Number(told[0]!['n'])) + Math.abs(publications - Number(told[0]!['ids'])),
        unaudited:
          publications -
          Number(
            (await query(`select count(distinct subject_id) as n from audit where action = 'recording.expired' and hash is not null`))[0]![
              'n'
            ],
          ),
      };
    },
    close,
  };
}

/** One text for both databases; only moments, bytes and rows are written differently. */
function statements(publications: number, dueMs: number, postgres: boolean): string[] {
  const numbers = postgres
    ? `select i as n from generate_series(0, ${publications - 1}) i`
    : `with recursive counter(n) as (select 0 union all select n + 1 from counter where n < ${publications - 1}) select n from counter`;
  const moment = (ms: number): string => (postgres ? `to_timestamp(${ms / 1_000})` : String(ms));
  const bytes = (length: number): string => (postgres ? `decode(repeat('a7', ${length}), 'hex')` : `randomblob(${length})`);
  const due = moment(dueMs);
  const before = moment(dueMs - 14 * 24 * 3_600_000);
  const no = postgres ? 'false' : '0';
  const json = postgres ? '::jsonb' : '';
  const file = `'[{"id":"6b4f6a1e","kind":"video","contentType":"video/mp4","bytes":1024}]'${json}`;
  return [
    `insert into meetings (id, marketplace_id, booking_id, booking_kind, title, professional_id, provider, state, purchase_by, starts_at,
        duration_minutes, time_zone, recording, records_automatically, link_source, vendor_meeting_id, vendor_details, degraded,
        host_token_hash, host_token_sealed, plan, plan_basis, limit_exceeded, decision, vendor_key, created_at)
      select 'mtg_' || n, 'mkt_bench', 'bk_' || n, 'one_to_one', 'Bench', 'pro_1', 'zoom', 'ended', ${before}, ${before},
        30, 'UTC', 'on_consent', ${no}, 'created', 'due ' || n, '{}'${json}, '[]'${json},
        'host ' || n, ${bytes(85)}, 'paid', 'vendor', ${no}, '{}'${json}, 'mtg_' || n, ${before} from (${numbers}) as numbers`,
    `insert into recordings (id, marketplace_id, meeting_id, source, state, fingerprint, vendor_recording_sealed, files, ready_at,
        published_at, expires_at, created_at)
      select 'rec_' || n, 'mkt_bench', 'mtg_' || n, 'provider', 'published', 'mark ' || n, ${bytes(SEALED_BYTES.vendorId)}, ${file}, ${before},
        ${before}, ${due}, ${before} from (${numbers}) as numbers`,
    ...Array.from(
      { length: LINKS },
      (_, link) =>
        `insert into recording_links (id, marketplace_id, recording_id, kind, customer_id, token_hash, token_sealed, views, created_at)
          select 'rcl_' || n || '_${link}', 'mkt_bench', 'rec_' || n, 'recipient', 'cus_${link}', 'link ' || n || ' ${link}',
            ${bytes(SEALED_BYTES.token)}, 0, ${before} from (${numbers}) as numbers`,
    ),
    ...['recording.processing', 'recording.published'].map(
      (type) =>
        `insert into events (id, marketplace_id, type, subject_id, at, position, data, links_sealed)
          select 'evt_${type} ' || n, 'mkt_bench', '${type}', 'rec_' || n, ${before}, 'evt_${type} ' || n, '{}'${json},
            ${bytes(SEALED_BYTES.links)} from (${numbers}) as numbers`,
    ),
    `insert into jobs (id, kind, subject_id, lane, due_at, attempts)
      select 'recording.expire:rec_' || n, 'recording.expire', 'rec_' || n, 'expiries', ${due}, 0 from (${numbers}) as numbers`,
    // What autovacuum does a minute after such a load.
    'analyze',
  ];
}
