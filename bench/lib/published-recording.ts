/** Published recordings with a link each, written past the use cases; their file lies at the stand-in of `media-vendor.ts`. */
import { createHash, randomBytes } from 'node:crypto';
import {
  recordingLinkContext,
  tokensContext,
  vendorRecordingContext,
  hostTokenContext,
  joinUrlContext,
} from '../../src/connections/sealed.ts';
import { createVault } from '../../src/connections/vault.ts';
import { DAY, HOUR, plus } from '../../src/domain/time.ts';
import { hashToken, newToken } from '../../src/domain/token.ts';
import { openDatabase } from '../../src/store/database.ts';

/** The key that `startGateway` gives the gateway. */
export const BENCH_KEY = { id: 'bench', key: createHash('sha256').update('bench').digest() };

/** The tokens of the links. */
export async function addPublishedRecordings(databaseUrl: string, { count, bytes }: { count: number; bytes: number }): Promise<string[]> {
  const vault = createVault({ keys: [BENCH_KEY], random: randomBytes });
  const at = new Date();
  const tokens = Array.from({ length: count }, () => newToken(randomBytes));
  const own = { marketplaceId: 'mkt_bench', createdAt: at };
  const db = await openDatabase(databaseUrl, { onError: console.error });
  await db.write(async (tx) => {
    const { t } = tx;
    await tx
      .insert(t.marketplaces)
      .values({ id: 'mkt_bench', name: 'Bench', preset: 'guide', policyPatch: {}, returnUrls: [], createdAt: at });
    await tx.insert(t.grants).values({
      id: 'grt_1',
      provider: 'zoom',
      kind: 'user',
      accountId: 'host',
      tokensSealed: vault.seal(JSON.stringify({ accessToken: 'access', refreshToken: 'refresh' }), tokensContext('grt_1')),
      accessExpiresAt: plus(at, DAY),
      scopes: ['cloud_recording:read:list_recording_files'],
      tokenVersion: 1,
      refreshedAt: at,
      failures: 0,
    });
    await tx.insert(t.connections).values({
      ...own,
      id: 'con_1',
      professionalId: 'pro_1',
      provider: 'zoom',
      accountId: 'host',
      plan: 'paid',
      createsMeetings: true,
      cloudRecording: 'yes',
      grantId: 'grt_1',
      status: 'active',
      statusVersion: 1,
      profileReadAt: at,
      concurrentMeetings: 1,
    });
    for (const [index, token] of tokens.entries()) {
      const [meetingId, recordingId, linkId] = [`mtg_${index}`, `rec_${index}`, `rcl_${index}`];
      await tx.insert(t.meetings).values({
        ...own,
        id: meetingId,
        bookingId: `bk_${index}`,
        bookingKind: 'one_to_one',
        title: 'Bench',
        professionalId: 'pro_1',
        connectionId: 'con_1',
        provider: 'zoom',
        state: 'ended',
        purchaseBy: at,
        startsAt: plus(at, -HOUR),
        durationMinutes: 30,
        timeZone: 'UTC',
        recording: 'on_consent',
        recordsAutomatically: true,
        linkSource: 'created',
        vendorMeetingId: String(1_000_000_000 + index),
        vendorDetails: {},
        vendorJoinUrlSealed: vault.seal('https://zoom.us/j/1', joinUrlContext(meetingId)),
        degraded: [],
        hostTokenHash: `host ${index}`,
        hostTokenSealed: vault.seal('host', hostTokenContext(meetingId)),
        plan: 'paid',
        planBasis: 'vendor',
        limitExceeded: false,
        decision: {} as never,
        vendorKey: meetingId,
      });
      await tx.insert(t.attendees).values({
        ...own,
        id: `att_${index}`,
        meetingId,
        customerId: 'cus_1',
        locale: 'en',
        cameraOff: false,
        purchasedAt: at,
        recordingConsent: 'granted',
        joinTokenHash: `join ${index}`,
        joinTokenSealed: Buffer.alloc(1),
      });
      await tx.insert(t.recordings).values({
        ...own,
        id: recordingId,
        meetingId,
        source: 'provider',
        state: 'published',
        fingerprint: recordingId,
        vendorRecordingSealed: vault.seal('benchuuid==', vendorRecordingContext(recordingId)),
        files: [{ id: 'file-1', kind: 'video', contentType: 'video/mp4', bytes }],
        startedAt: plus(at, -HOUR),
        endedAt: at,
        readyAt: at,
        publishedAt: at,
        expiresAt: plus(at, 14 * DAY),
      });
      await tx.insert(t.recordingLinks).values({
        ...own,
        id: linkId,
        recordingId,
        kind: 'recipient',
        customerId: 'cus_1',
        tokenHash: hashToken(token),
        tokenSealed: vault.seal(token, recordingLinkContext(linkId)),
        views: 0,
      });
    }
  });
  await db.close();
  return tokens;
}
