/**
 * Who can be reached now (T02, R01). The marketplace tells it again and again, as a heartbeat; what is not told again in time is `unknown`.
 * A heartbeat that changes nothing does nothing but to let the presence hold for longer: the look at its end is planned
 * once, and plans the next one by itself.
 */
import { UNKNOWN, type Presence, type PresenceStatus } from '../domain/presence.ts';
import { policyOf } from '../domain/presets/index.ts';
import { plus, SECOND } from '../domain/time.ts';
import { emitAll } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { runCrowd, settleJobs, type Alone } from '../meetings/crowd.ts';
import type { Reader, Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import {
  changePresences,
  listProfessionals,
  lockFreeProfessionals,
  professionalRow,
  renewPresence,
  saveProfessional,
  type Professional,
  type ProfessionalKey,
} from '../store/professionals.ts';

const KIND = 'presence.expire';

/** Presences of one transaction: when a marketplace falls silent, all of its professionals are unknown within a minute. */
const BATCH = 200;

export interface PresenceTold {
  readonly marketplace: Marketplace;
  readonly professionalId: string;
  readonly status: PresenceStatus;
  readonly video: boolean;
  /** Undefined: as long as the policy says. */
  readonly expiresInSeconds: number | undefined;
}

export async function setPresence(
  gateway: Gateway,
  { marketplace, professionalId, status, video, expiresInSeconds }: PresenceTold,
): Promise<Presence> {
  const { db, now, wake } = gateway;
  const key = { marketplaceId: marketplace.id, professionalId };
  const holdsMs = (expiresInSeconds ?? policyOf(marketplace).presence.heartbeat_seconds) * SECOND;
  const presence = status === 'unknown' ? UNKNOWN : { status, video, until: plus(now(), holdsMs) };
  const isNews = await db.write(async (tx) => {
    if (presence.until !== null && (await renewPresence(tx, key, { ...presence, until: presence.until }))) return false;
    const before = await professionalRow(tx, key.marketplaceId, key.professionalId);
    const job = { kind: KIND, subjectId: subjectOf(key) };
    await (presence.until === null ? cancelJob(tx, job) : scheduleJob(tx, { ...job, dueAt: presence.until }));
    if (isAs(presence, before)) {
      await saveProfessional(tx, key, { presentUntil: presence.until });
      return false;
    }
    await change(tx, gateway, [before], presence, 'told');
    return true;
  });
  if (isNews) wake();
  return presence;
}

/** By professional; one of whom nothing was told is there as `unknown`. */
export async function presenceOf(
  db: Reader,
  marketplaceId: string,
  professionalIds: readonly string[],
  now: Date,
): Promise<Map<string, Presence>> {
  const rows = new Map((await listProfessionals(db, marketplaceId, professionalIds)).map((row) => [row.professionalId, row]));
  return new Map(professionalIds.map((id) => [id, presenceAt(rows.get(id), now)]));
}

/** Lets the presences lapse that are at their end. */
export const runDueLapses = (gateway: Gateway, alone: Alone) =>
  runCrowd(gateway, { lane: 'lapses', batch: BATCH, ...alone }, async (tx, due) => {
    // Whoever is told something of at this moment is left for the next look, and nobody waits for anybody.
    const rows = await lockFreeProfessionals(
      tx,
      due.map(({ subjectId }) => keyOf(subjectId)),
    );
    const later = await lapse(tx, gateway, rows);
    const looks = new Map(later.map((row) => [subjectOf(row), row.presentUntil!]));
    await settleJobs(tx, KIND, rows.map(subjectOf), looks);
    return rows.length;
  });

/** Job `presence.expire`: one of them for itself. */
export async function expirePresence(gateway: Gateway, subjectId: string): Promise<void> {
  const { marketplaceId, professionalId } = keyOf(subjectId);
  await gateway.db.write(async (tx) => {
    const [later] = await lapse(tx, gateway, [await professionalRow(tx, marketplaceId, professionalId)]);
    if (later !== undefined) await scheduleJob(tx, { kind: KIND, subjectId, dueAt: later.presentUntil! });
  });
  gateway.wake();
}

/** Of locked rows, those that were told again in the meantime. */
async function lapse(tx: Writer, gateway: Gateway, rows: readonly Professional[]): Promise<Professional[]> {
  const at = gateway.now();
  const holds = ({ presentUntil }: Professional): boolean => presentUntil !== null && presentUntil > at;
  const lapsed = rows.filter((row) => !holds(row) && !isAs(UNKNOWN, row));
  await change(tx, gateway, lapsed, UNKNOWN, 'expired');
  return rows.filter(holds);
}

/** Gives locked rows a presence that is another one for each of them, and tells it. */
async function change(
  tx: Writer,
  gateway: Gateway,
  rows: readonly Professional[],
  { status, video, until }: Presence,
  reason: 'told' | 'expired',
): Promise<void> {
  await changePresences(tx, rows, { presence: status, video, presentUntil: until });
  await emitAll(
    tx,
    gateway,
    rows.map(({ marketplaceId, professionalId, presenceVersion }) => ({
      marketplaceId,
      type: 'professional.presence_changed',
      subjectId: professionalId,
      key: String(presenceVersion + 1),
      data: { professional_id: professionalId, status, video, reason, version: presenceVersion + 1 },
    })),
  );
}

const isAs = ({ status, video }: Presence, row: Professional): boolean => row.presence === status && row.video === video;

function presenceAt(row: Professional | undefined, now: Date): Presence {
  if (row === undefined || row.presentUntil === null || row.presentUntil <= now) return UNKNOWN;
  // The column holds what `setPresence` wrote.
  return { status: row.presence as PresenceStatus, video: row.video, until: row.presentUntil };
}

/** Ids of marketplaces are the gateway's own and have no colon. */
const subjectOf = ({ marketplaceId, professionalId }: ProfessionalKey): string => `${marketplaceId}:${professionalId}`;

function keyOf(subjectId: string): ProfessionalKey {
  const colon = subjectId.indexOf(':');
  return { marketplaceId: subjectId.slice(0, colon), professionalId: subjectId.slice(colon + 1) };
}
