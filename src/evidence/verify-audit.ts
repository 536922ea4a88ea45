/** Walks the audit chains and names the first entry of each that is not as it was written. */
import { chainHash, NO_HASH } from '../domain/audit-chain.ts';
import { notFound } from '../domain/failure.ts';
import type { Database } from '../store/database.ts';
import { countUnchained, findAuditHead, listAudited, pageOfChain } from '../store/audit.ts';
import { listMarketplaces } from '../store/marketplaces.ts';

/** Chosen: entries read at once, a few hundred bytes each. */
const PAGE = 1_000;

export interface Break {
  /**
   * `changed`: the entry, or its place in the order, is not the one that its hash was made over. `missing`: there is no entry at this
   * place. `head`: the chain ends elsewhere, or with another hash, than its head says.
   */
  readonly problem: 'changed' | 'missing' | 'head';
  readonly seq: number;
  /** Null where none is. */
  readonly entryId: string | null;
}

export interface ChainReport {
  readonly marketplaceId: string;
  /** Entries that are as they were written, from the first one on. */
  readonly sound: number;
  /** Entries from before there was a chain: nothing vouches for these. */
  readonly unchained: number;
  /** Null when everything fits. */
  readonly broken: Break | null;
}

/**
 * One report per marketplace, or of the one that is named. Gateways may go on writing meanwhile. One without any entry is reported as that:
 * its log may have been taken away with its head.
 * @throws Failure `not_found`
 */
export async function verifyAudit({ read }: Pick<Database, 'read'>, marketplaceId?: string): Promise<ChainReport[]> {
  const known = [...new Set([...(await listAudited(read)), ...(await listMarketplaces(read)).map(({ id }) => id)])].toSorted();
  if (marketplaceId !== undefined && !known.includes(marketplaceId)) throw notFound();
  const reports: ChainReport[] = [];
  for (const id of marketplaceId === undefined ? known : [marketplaceId]) {
    reports.push({ marketplaceId: id, unchained: await countUnchained(read, id), ...(await walk(read, id)) });
  }
  return reports;
}

async function walk(read: Database['read'], marketplaceId: string): Promise<Pick<ChainReport, 'sound' | 'broken'>> {
  // Read before the entries: what comes after it was written while this runs.
  const head = (await findAuditHead(read, marketplaceId)) ?? { seq: 0, hash: NO_HASH };
  let seq = 0;
  let hash = NO_HASH;
  const brokenAt = (problem: Break['problem'], entryId: string | null) => ({
    sound: seq,
    broken: { problem, seq: seq + 1, entryId },
  });
  while (seq < head.seq) {
    const page = await pageOfChain(read, { marketplaceId, after: seq, upTo: head.seq, limit: PAGE });
    for (const entry of page) {
      if (entry.seq !== seq + 1) return brokenAt('missing', null);
      if (entry.hash !== chainHash(entry, { seq: entry.seq, previous: hash })) return brokenAt('changed', entry.id);
      seq = entry.seq;
      hash = entry.hash;
    }
    if (page.length === 0) return brokenAt('missing', null);
  }
  if (hash !== head.hash) return { sound: seq, broken: { problem: 'head', seq, entryId: null } };
  const [further] = await pageOfChain(read, { marketplaceId, after: seq, limit: 1 });
  const now = further && ((await findAuditHead(read, marketplaceId))?.seq ?? 0);
  return further !== undefined && further.seq! > now! ? brokenAt('head', further.id) : { sound: seq, broken: null };
}
