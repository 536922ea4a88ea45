import { and, desc, eq, getTableColumns, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { among, prepared, slot, type Reader, type Writer } from './database.ts';

export type Recording = Tables['recordings']['$inferSelect'];
export type RecordingLink = Tables['recordingLinks']['$inferSelect'];

/** False when the same recording is known already, erased or not. */
export async function insertRecording(tx: Writer, recording: Recording): Promise<boolean> {
  const rows = await tx.insert(tx.t.recordings).values(recording).onConflictDoNothing().returning({ id: tx.t.recordings.id });
  return rows.length === 1;
}

export async function findRecording(db: Reader, id: string): Promise<Recording | undefined> {
  return (await db.select().from(db.t.recordings).where(eq(db.t.recordings.id, id)))[0];
}

export async function findOwnRecording(db: Reader, marketplaceId: string, id: string): Promise<Recording | undefined> {
  const { recordings } = db.t;
  return (
    await db
      .select()
      .from(recordings)
      .where(and(eq(recordings.id, id), eq(recordings.marketplaceId, marketplaceId)))
  )[0];
}

export async function findRecordingByFingerprint(db: Reader, fingerprint: string): Promise<Recording | undefined> {
  return (await db.select().from(db.t.recordings).where(eq(db.t.recordings.fingerprint, fingerprint)))[0];
}

/** The same, and whoever else wants to change it waits: what is merged into it rests on its newest state. */
export async function lockRecordingByFingerprint(tx: Writer, fingerprint: string): Promise<Recording | undefined> {
  const { recordings } = tx.t;
  // A write that changes nothing takes the row's lock and reads it anew, on both engines.
  return (await tx.update(recordings).set({ fingerprint }).where(eq(recordings.fingerprint, fingerprint)).returning())[0];
}

/** The same by its id. */
export async function lockRecording(tx: Writer, id: string): Promise<Recording | undefined> {
  const { recordings } = tx.t;
  return (await tx.update(recordings).set({ id }).where(eq(recordings.id, id)).returning())[0];
}

export async function listRecordings(db: Reader, meetingId: string): Promise<Recording[]> {
  return db.select().from(db.t.recordings).where(eq(db.t.recordings.meetingId, meetingId)).orderBy(desc(db.t.recordings.id));
}

/** Those in the vendor's account behind the connection that are not erased yet. */
export async function listVendorRecordingsOf(db: Reader, connectionId: string): Promise<Recording[]> {
  const { meetings, recordings } = db.t;
  return db
    .select(getTableColumns(recordings))
    .from(recordings)
    .innerJoin(meetings, eq(meetings.id, recordings.meetingId))
    .where(and(eq(meetings.connectionId, connectionId), eq(recordings.source, 'provider'), isNull(recordings.erasedAt)))
    .orderBy(recordings.id);
}

/** Published ones of the marketplace whose page at the vendor may be open. */
export async function listShared(db: Reader, { marketplaceId }: { marketplaceId: string }): Promise<Recording[]> {
  const { recordings } = db.t;
  return db
    .select()
    .from(recordings)
    .where(and(eq(recordings.marketplaceId, marketplaceId), eq(recordings.state, 'published'), isNotNull(recordings.sharedAt)));
}

/**
 * What recognizes those of which news still means something, of meetings that hosts of one organisation at the vendor hold: they are not
 * ended, or were deleted there and may come back, be it only with an open page.
 */
export async function listRecordingMarksOf(
  db: Reader,
  { provider, organisation, now }: { provider: string; organisation: string; now: Date },
): Promise<Pick<Recording, 'meetingId' | 'fingerprint'>[]> {
  const { connections, meetings, recordings } = db.t;
  return db
    .select({ meetingId: recordings.meetingId, fingerprint: recordings.fingerprint })
    .from(recordings)
    .innerJoin(meetings, eq(meetings.id, recordings.meetingId))
    .innerJoin(connections, eq(connections.id, meetings.connectionId))
    .where(
      and(
        eq(connections.provider, provider),
        eq(connections.organisation, organisation),
        or(
          inArray(recordings.state, ['processing', 'withheld', 'published']),
          and(eq(recordings.reason, 'deleted_at_vendor'), or(gt(recordings.expiresAt, now), isNotNull(recordings.sharedAt))),
        ),
      ),
    );
}

/** Changes the recording while it is in one of `from`; undefined when it is not. */
export async function updateRecording(
  tx: Writer,
  { id, from }: { id: string; from: readonly string[] },
  changes: Partial<Recording>,
): Promise<Recording | undefined> {
  const { recordings } = tx.t;
  const rows = await tx
    .update(recordings)
    .set(changes)
    .where(and(eq(recordings.id, id), inArray(recordings.state, [...from])))
    .returning();
  return rows[0];
}

/** False when this recipient has a link already. */
export async function insertRecordingLink(tx: Writer, link: RecordingLink): Promise<boolean> {
  const rows = await tx.insert(tx.t.recordingLinks).values(link).onConflictDoNothing().returning({ id: tx.t.recordingLinks.id });
  return rows.length === 1;
}

export async function listRecordingLinks(db: Reader, recordingIds: readonly string[]): Promise<RecordingLink[]> {
  if (recordingIds.length === 0) return [];
  return db
    .select()
    .from(db.t.recordingLinks)
    .where(inArray(db.t.recordingLinks.recordingId, [...recordingIds]))
    .orderBy(db.t.recordingLinks.id);
}

/** As much as opening a link takes: reading every column takes longer than finding the rows. What plays or is noted reads the rest itself. */
export type OpenedLink = Pick<RecordingLink, 'id' | 'kind' | 'customerId' | 'incidentId' | 'firstViewedAt' | 'expiresAt' | 'revokedAt'>;
export type OpenedRecording = Pick<
  Recording,
  'id' | 'meetingId' | 'source' | 'state' | 'reason' | 'linkSealed' | 'title' | 'files' | 'startedAt' | 'expiresAt' | 'erasedAt'
>;
export type OpenedMeeting = Pick<Tables['meetings']['$inferSelect'], 'provider' | 'connectionId' | 'title' | 'timeZone'>;

/** A link, its recording, and whatever else its page takes. */
export interface LinkedRecording {
  readonly link: OpenedLink;
  readonly recording: OpenedRecording;
  readonly meeting: OpenedMeeting;
  readonly marketplace: Pick<Tables['marketplaces']['$inferSelect'], 'name' | 'preset' | 'policyPatch'>;
  /** The reader's; null for the professional, for an operator, and where the marketplace told none. */
  readonly locale: string | null;
}

const recordingByLink = prepared('recording_by_link', (db: Reader) => {
  const { attendees, marketplaces, meetings, recordingLinks, recordings } = db.t;
  return db
    .select({
      link: {
        id: recordingLinks.id,
        kind: recordingLinks.kind,
        customerId: recordingLinks.customerId,
        incidentId: recordingLinks.incidentId,
        firstViewedAt: recordingLinks.firstViewedAt,
        expiresAt: recordingLinks.expiresAt,
        revokedAt: recordingLinks.revokedAt,
      },
      recording: {
        id: recordings.id,
        meetingId: recordings.meetingId,
        source: recordings.source,
        state: recordings.state,
        reason: recordings.reason,
        linkSealed: recordings.linkSealed,
        title: recordings.title,
        files: recordings.files,
        startedAt: recordings.startedAt,
        expiresAt: recordings.expiresAt,
        erasedAt: recordings.erasedAt,
      },
      meeting: {
        provider: meetings.provider,
        connectionId: meetings.connectionId,
        title: meetings.title,
        timeZone: meetings.timeZone,
      },
      marketplace: { name: marketplaces.name, preset: marketplaces.preset, policyPatch: marketplaces.policyPatch },
      locale: sql<string | null>`${attendees.locale}`,
    })
    .from(recordingLinks)
    .innerJoin(recordings, eq(recordings.id, recordingLinks.recordingId))
    .innerJoin(meetings, eq(meetings.id, recordings.meetingId))
    .innerJoin(marketplaces, eq(marketplaces.id, recordings.marketplaceId))
    .leftJoin(attendees, and(eq(attendees.meetingId, recordings.meetingId), eq(attendees.customerId, recordingLinks.customerId)))
    .where(eq(recordingLinks.tokenHash, slot('tokenHash', recordingLinks.tokenHash)));
});

/** All that the page of a link takes, in one look. */
export async function findRecordingByLink(db: Reader, tokenHash: string): Promise<LinkedRecording | undefined> {
  return (await recordingByLink(db, { tokenHash }))[0];
}

/** What the vendor knows a recording and its meeting by. */
export interface RecordingAtVendor {
  readonly recording: Pick<Recording, 'id' | 'vendorRecordingSealed'>;
  readonly meeting: Pick<Tables['meetings']['$inferSelect'], 'id' | 'vendorMeetingId' | 'vendorDetails' | 'vendorJoinUrlSealed'>;
}

const recordingAtVendor = prepared('recording_at_vendor', (db: Reader) => {
  const { meetings, recordings } = db.t;
  return db
    .select({
      recording: { id: recordings.id, vendorRecordingSealed: recordings.vendorRecordingSealed },
      meeting: {
        id: meetings.id,
        vendorMeetingId: meetings.vendorMeetingId,
        vendorDetails: meetings.vendorDetails,
        vendorJoinUrlSealed: meetings.vendorJoinUrlSealed,
      },
    })
    .from(recordings)
    .innerJoin(meetings, eq(meetings.id, recordings.meetingId))
    .where(eq(recordings.id, slot('id', recordings.id)));
});

export const findRecordingAtVendor = async (db: Reader, id: string): Promise<RecordingAtVendor | undefined> =>
  (await recordingAtVendor(db, { id }))[0];

/** Counts a view; how many there are now. */
export async function countView(tx: Writer, linkId: string, at: Date): Promise<number> {
  const { recordingLinks } = tx.t;
  const [link] = await tx
    .update(recordingLinks)
    .set({
      views: sql`${recordingLinks.views} + 1`,
      firstViewedAt: sql`coalesce(${recordingLinks.firstViewedAt}, ${sql.param(at, recordingLinks.firstViewedAt)})`,
    })
    .where(eq(recordingLinks.id, linkId))
    .returning({ views: recordingLinks.views });
  return link?.views ?? 0;
}

/**
 * Revokes the links of the recording that are still open: all of them, that of one recipient, or those that rest on an incident. That of one
 * recipient gets an end of its own, by which it is known later.
 */
export async function revokeLinks(
  tx: Writer,
  {
    recordingId,
    customerId,
    incidentId,
    at,
  }: { recordingId: string; customerId?: string | undefined; incidentId?: string | undefined; at: Date },
): Promise<RecordingLink[]> {
  const { recordingLinks } = tx.t;
  return tx
    .update(recordingLinks)
    .set({ revokedAt: at, tokenSealed: null, ...(customerId === undefined ? {} : { expiresAt: at }) })
    .where(
      and(
        eq(recordingLinks.recordingId, recordingId),
        isNull(recordingLinks.revokedAt),
        customerId === undefined ? undefined : and(eq(recordingLinks.customerId, customerId), eq(recordingLinks.kind, 'recipient')),
        incidentId === undefined ? undefined : eq(recordingLinks.incidentId, incidentId),
      ),
    )
    .returning();
}

const linkTokens = prepared('recording_links_erase', (tx: Writer) => {
  const { recordingLinks } = tx.t;
  return tx
    .update(recordingLinks)
    .set({ tokenSealed: null })
    .where(and(among(recordingLinks.recordingId, 'recordingIds'), isNotNull(recordingLinks.tokenSealed)));
});

/** Takes the readable form of the links away; the hashes stay, so that an old link is answered with 410 and not with 404. */
export async function eraseLinkTokens(tx: Writer, recordingIds: readonly string[]): Promise<void> {
  await linkTokens(tx, { recordingIds });
}

const freeRecordings = prepared('recordings_free', (tx: Writer) => {
  const { recordings } = tx.t;
  return tx.skipLocked(tx.select().from(recordings).where(among(recordings.id, 'ids')).$dynamic());
});

/** Those of them that nobody else is changing; until the end of the transaction nobody else will. */
export const lockFreeRecordings = async (tx: Writer, ids: readonly string[]): Promise<Recording[]> =>
  ids.length === 0 ? [] : freeRecordings(tx, { ids });

const ending = prepared('recordings_end', (tx: Writer) => {
  const { recordings } = tx.t;
  const given = (column: 'state' | 'reason' | 'vendorEnding' | 'erasedAt') => slot(column, recordings[column]);
  return tx
    .update(recordings)
    .set({
      state: given('state'),
      reason: given('reason'),
      vendorEnding: given('vendorEnding'),
      erasedAt: given('erasedAt'),
      linkSealed: null,
      title: null,
      files: [],
      startedAt: null,
      endedAt: null,
      // The moment of the last news of the vendor means nothing for what ends otherwise.
      vendorEndedAt: sql`case when ${given('reason')} = 'deleted_at_vendor' then ${recordings.vendorEndedAt} end`,
      vendorRecordingSealed: sql`case when ${given('vendorEnding')} = 'pending' then ${recordings.vendorRecordingSealed} end`,
    })
    .where(and(among(recordings.id, 'ids'), among(recordings.state, 'from')));
});

/**
 * Ends those of them that are in one of `from`: nothing is left by which they could be opened or recognized, but the vendor's id of what is
 * `pending` there.
 */
export async function endRecordings(
  tx: Writer,
  { ids, from }: { ids: readonly string[]; from: readonly string[] },
  end: Pick<Recording, 'state' | 'reason' | 'vendorEnding' | 'erasedAt'>,
): Promise<void> {
  await ending(tx, { ids, from, ...end });
}

/** The same change to many at once, as far as they are in one of `from`. */
export async function updateRecordings(
  tx: Writer,
  { ids, from }: { ids: readonly string[]; from: readonly string[] },
  changes: Partial<Recording>,
): Promise<void> {
  const { recordings } = tx.t;
  await tx
    .update(recordings)
    .set(changes)
    .where(and(inArray(recordings.id, [...ids]), inArray(recordings.state, [...from])));
}

/** The marketplace's, newest first, page by page. */
export async function listOwnRecordings(
  db: Reader,
  {
    marketplaceId,
    state,
    before,
    limit,
  }: { marketplaceId: string; state?: string | undefined; before?: string | undefined; limit: number },
): Promise<Recording[]> {
  const { recordings } = db.t;
  return db
    .select()
    .from(recordings)
    .where(
      and(
        eq(recordings.marketplaceId, marketplaceId),
        state === undefined ? undefined : eq(recordings.state, state),
        before === undefined ? undefined : lt(recordings.id, before),
      ),
    )
    .orderBy(desc(recordings.id))
    .limit(limit);
}
