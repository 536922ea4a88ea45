/** What vendors say about an account between calls: removed apps, permissions that shrink, feeds that are suspended. */
import { describe, expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { accessTokenOf } from '../../src/connections/access-token.ts';
import { openTokens } from '../../src/connections/tokens.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { listAlarms } from '../../src/store/alarms.ts';
import { findConnection, findSubscriptionOf, type Connection } from '../../src/store/connections.ts';
import { findGrant } from '../../src/store/grants.ts';
import { scheduleJob } from '../../src/store/jobs.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  calls,
  databaseOf,
  everythingStored,
  fault,
  happen,
  must,
  otherMarketplace,
  settled,
  type MeetingJson,
} from '../support/gateway.ts';
import { connect, testWorld, USERS, type Vendor } from '../support/world.ts';
import { deliver, meetingNow, webhookWorld } from './vendors.ts';

const connectionNow = async (world: World, id: string): Promise<Connection> => (await findConnection(world.gateway.gateway.db.read, id))!;
const audited = async ({ gateway }: World, action: string) => {
  const { read } = gateway.gateway.db;
  return (await read.select().from(read.t.audit)).filter((entry) => entry.action === action);
};
const removeApp = async ({ sandbox }: World): Promise<void> => {
  const answer = await fetch(`${sandbox.url}/control/remove-app`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ vendor: 'zoom', user: USERS.zoom }),
  });
  expect(answer.status).toBe(200);
};

describeOnBothDatabases('a Zoom user who removes the app', (_open, engine) => {
  const held = async (world: World, meeting: MeetingJson): Promise<string> => {
    const consent = { decision: 'granted', locale: 'en', text_version: 'v1' };
    must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, consent), 200);
    for (const action of ['start', 'join', 'end', 'finish-recording']) await happen(world, meeting, action);
    const event = await world.receiver.waitFor(
      'recording.published',
      ({ type, data }) => type === 'recording.published' && data['meeting_id'] === meeting.id,
    );
    const recordingId = String(event.data['recording_id']);
    const { json } = must(await world.api('GET', `/v1/recordings/${recordingId}`), 200);
    return (json['links'] as { url: string }[])[0]!.url;
  };

  it('case 87: is forgotten: tokens, account, finished meetings and recordings; what is booked keeps its link until it is over', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    const past = await boughtMeeting(world, { provider: 'zoom', recording: 'on_consent' });
    const link = await held(world, past);
    const booked = await boughtMeeting(world, {
      provider: 'zoom',
      booking: { id: 'bk_2', kind: 'one_to_one', title: 'Later' },
      starts_at: new Date(world.now().getTime() + 2 * DAY).toISOString(),
    });
    const before = await connectionNow(world, id);
    const canaries = [before.accountId, before.email!, before.organisation!, (await meetingNow(world, past.id)).vendorMeetingId!];
    const clear = await everythingStored(world);
    for (const canary of canaries) expect(clear).toContain(canary);
    expect((await fetch(link)).status).toBe(200);

    await removeApp(world);
    await world.receiver.waitFor('connection.revoked', ({ type, data }) => type === 'connection.revoked' && data['connection_id'] === id);
    await vi.waitFor(async () => expect((await connectionNow(world, id)).erasedAt).not.toBeNull(), 10_000);
    await settled(world);

    expect(await connectionNow(world, id)).toMatchObject({
      status: 'revoked',
      statusReason: 'app_removed',
      email: null,
      organisation: null,
    });
    expect(await findGrant(world.gateway.gateway.db.read, before.grantId)).toMatchObject({ tokensSealed: null, scopes: [] });
    const stored = await everythingStored(world);
    for (const canary of canaries) expect(stored).not.toContain(canary);
    expect((await fetch(link)).status).toBe(410);
    expect(await meetingNow(world, past.id)).toMatchObject({ state: 'ended', vendorDetails: {}, vendorJoinUrlSealed: null });
    expect((await meetingNow(world, booked.id)).vendorJoinUrlSealed).not.toBeNull();
    expect(await audited(world, 'connection.erased')).toMatchObject([{ subjectId: id, details: { meetings: 1, reason: 'app_removed' } }]);

    // A crash repeats the job, and Zoom the delivery.
    const { db, wake } = world.gateway.gateway;
    await db.write((tx) => scheduleJob(tx, { kind: 'connection.erase', subjectId: id, dueAt: world.now() }));
    wake();
    await settled(world);
    await removeApp(world);
    await settled(world);
    expect(await audited(world, 'connection.erased')).toHaveLength(1);
    expect(world.receiver.events.filter(({ type }) => type === 'connection.revoked')).toHaveLength(1);

    world.jump(2 * DAY + 3 * HOUR);
    await settled(world);
    world.jump(2 * DAY);
    await vi.waitFor(async () => {
      world.gateway.gateway.wake();
      expect(await meetingNow(world, booked.id)).toMatchObject({ state: 'ended', vendorMeetingId: null, vendorJoinUrlSealed: null });
    }, 10_000);
  });

  it('case 87: who comes back is known again: the same connection, for every marketplace one grant', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    const other = await otherMarketplace(world);
    const second = await connect({ ...world, api: other.api }, 'zoom', { professionalId: 'pro_other' });
    const { accountId, grantId } = await connectionNow(world, id);
    await removeApp(world);
    for (const erased of [id, second]) {
      await vi.waitFor(async () => expect((await connectionNow(world, erased)).erasedAt).not.toBeNull(), 10_000);
      expect((await connectionNow(world, erased)).accountId).not.toContain(accountId);
    }

    expect(await connect(world, 'zoom')).toBe(id);
    expect(await connectionNow(world, id)).toMatchObject({ status: 'active', accountId, grantId, email: USERS.zoom, erasedAt: null });
    expect((await connectionNow(world, second)).status).toBe('revoked');
    expect(await connect({ ...world, api: other.api }, 'zoom', { professionalId: 'pro_other' })).toBe(second);
    expect(await connectionNow(world, second)).toMatchObject({ status: 'active', accountId, grantId });
  });

  it('case 87: news that comes after the account was connected again ends nothing', async () => {
    const world = await webhookWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    const connection = await connectionNow(world, id);
    const removedAt = world.now().toISOString();
    const news = Buffer.from(
      JSON.stringify({
        event: 'app_deauthorized',
        payload: {
          account_id: connection.organisation,
          user_id: connection.accountId,
          deauthorization_time: removedAt,
          event_ts: removedAt.slice(0, 19).replace('T', ' '),
        },
      }),
    );
    world.jump(3 * MINUTE);
    await connect(world, 'zoom');
    expect(await deliver(world, { vendor: 'zoom', connection }, news)).toBe(200);
    expect(await connectionNow(world, id)).toMatchObject({ status: 'active', erasedAt: null });
  });
});

/** The vendor renews the token and names other scopes than before. */
async function renewWith(
  world: World,
  { id, grantId }: Connection,
  vendor: Vendor,
  path: string,
  scopes: readonly string[],
): Promise<Connection> {
  const { gateway } = world.gateway;
  const { read } = gateway.db;
  const body = { access_token: 'renewed', refresh_token: 'renewed', token_type: 'Bearer', expires_in: 3_600, scope: scopes.join(' ') };
  fault(world, vendor, 'POST', path, { status: 200, body }, 1);
  await accessTokenOf(gateway, grantId, { rejected: openTokens(gateway, (await findGrant(read, grantId))!)!.accessToken });
  return (await findConnection(read, id))!;
}

describe('permissions that shrink', () => {
  const start = async (vendor: Vendor) => {
    const world = await webhookWorld();
    const id = await connect(world, vendor);
    await settled(world);
    return { world, connection: await connectionNow(world, id) };
  };

  it.each([
    ['zoom', '^/oauth/token', /^meeting:write:meeting$/],
    ['microsoft-teams', '^/common/oauth2/v2.0/token', /^Calendars/],
    ['google-meet', '^/token', /meetings\.space\.created|calendar/],
  ] as const)('case 81: %s: without a way to a link the account has to be connected again', async (vendor, path, lost) => {
    const { world, connection } = await start(vendor);
    const renewed = await renewWith(
      world,
      connection,
      vendor,
      path,
      connection.scopes.filter((scope) => !lost.test(scope)),
    );
    expect(renewed).toMatchObject({ status: 'reconnect_required', statusReason: 'permission_missing' });
    await world.receiver.waitFor(
      'connection.reconnect_required',
      ({ type, data }) => type === 'connection.reconnect_required' && data['reason'] === 'permission_missing',
    );
  });

  it.each([
    ['zoom', '^/oauth/token', /cloud_recording/],
    ['microsoft-teams', '^/common/oauth2/v2.0/token', /Recording/],
    ['google-meet', '^/token', /drive/],
  ] as const)('case 81: %s: without recordings the account goes on', async (vendor, path, lost) => {
    const { world, connection } = await start(vendor);
    const renewed = await renewWith(
      world,
      connection,
      vendor,
      path,
      connection.scopes.filter((scope) => !lost.test(scope)),
    );
    expect(renewed.status).toBe('active');
    const { json } = must(await world.api('GET', `/v1/connections/${connection.id}`), 200);
    expect(json['features']).toEqual(['create']);
  });

  it('case 81: Teams: the feed stops with the permission for recordings, and nobody asks Microsoft for it', async () => {
    const { world, connection } = await start('microsoft-teams');
    const { read } = world.gateway.gateway.db;
    expect(await findSubscriptionOf(read, connection.id)).toBeDefined();
    const scopes = connection.scopes.filter((scope) => !/Recording/.test(scope));
    await renewWith(world, connection, 'microsoft-teams', '^/common/oauth2/v2.0/token', scopes);
    const asked = calls(world, 'microsoft-teams', 'PATCH', /subscriptions/).length;
    world.jump(50 * MINUTE);
    await vi.waitFor(async () => expect(await findSubscriptionOf(read, connection.id)).toBeUndefined(), 10_000);
    await settled(world);
    expect(calls(world, 'microsoft-teams', 'PATCH', /subscriptions/)).toHaveLength(asked);
  });
});

describe('a feed that Google suspends', () => {
  const start = async () => {
    const world = await webhookWorld();
    const id = await connect(world, 'google-meet');
    await settled(world);
    const { read } = world.gateway.gateway.db;
    const connection = await connectionNow(world, id);
    const { vendorId, expiresAt } = (await findSubscriptionOf(read, id))!;
    const suspendedAs = (reason: string): object => ({
      done: true,
      response: { name: vendorId, expireTime: expiresAt.toISOString(), state: 'SUSPENDED', suspensionReason: reason },
    });
    const tell = (reason: string, n = 1) => {
      const source = `//workspaceevents.googleapis.com/${vendorId}`;
      const attributes = {
        'ce-id': `id-${reason}-${n}`,
        'ce-source': source,
        'ce-time': world.now().toISOString(),
        'ce-type': 'google.workspace.events.subscription.v1.suspended',
      };
      const data = Buffer.from(JSON.stringify({ subscription: { name: vendorId, suspension_reason: reason } })).toString('base64');
      return deliver(world, { vendor: 'google-meet', connection }, Buffer.from(JSON.stringify({ message: { attributes, data } })));
    };
    const alarms = async () => (await listAlarms(read)).map(({ name }) => name);
    return { world, connection, suspendedAs, tell, alarms };
  };
  const refused = { status: 403, body: { error: { code: 403, message: 'no', status: 'PERMISSION_DENIED', details: [] } } };

  it.each([
    ['USER_SCOPE_REVOKED', 'withdrawn'],
    ['USER_AUTHORIZATION_FAILURE', 'admin_blocked'],
    ['RESOURCE_DELETED', 'account_gone'],
  ])('for %s, and does not take up again, needs its professional', async (word, reason) => {
    const { world, connection, suspendedAs, tell, alarms } = await start();
    fault(world, 'google-meet', 'PATCH', '^/v1/subscriptions/', { status: 200, body: suspendedAs(word) });
    fault(world, 'google-meet', 'POST', ':reactivate', refused);
    expect(await tell(word)).toBe(204);
    await vi.waitFor(
      async () => expect(await connectionNow(world, connection.id)).toMatchObject({ status: 'reconnect_required', statusReason: reason }),
      10_000,
    );
    expect(await alarms()).toEqual([]);
  });

  it.each(['USER_SCOPE_REVOKED', 'OTHER'])('for %s, although the account is well, is taken up again', async (word) => {
    const { world, connection, suspendedAs, tell, alarms } = await start();
    fault(world, 'google-meet', 'PATCH', '^/v1/subscriptions/', { status: 200, body: suspendedAs(word) });
    expect(await tell(word)).toBe(204);
    await vi.waitFor(() => expect(calls(world, 'google-meet', 'POST', /:reactivate$/)).toHaveLength(1), 10_000);
    await settled(world);
    expect((await connectionNow(world, connection.id)).status).toBe('active');
    expect(await alarms()).toEqual([]);
  });

  it.each([
    'ENDPOINT_PERMISSION_DENIED',
    'ENDPOINT_NOT_FOUND',
    'ENDPOINT_RESOURCE_EXHAUSTED',
    'APP_SCOPE_REVOKED',
    'APP_AUTHORIZATION_FAILURE',
  ])('for %s is an alarm for the operator, and tried again until it works', async (word) => {
    const { world, connection, suspendedAs, tell, alarms } = await start();
    fault(world, 'google-meet', 'PATCH', '^/v1/subscriptions/', { status: 200, body: suspendedAs(word) });
    fault(world, 'google-meet', 'POST', ':reactivate', refused);
    expect(await tell(word)).toBe(204);
    await vi.waitFor(() => expect(calls(world, 'google-meet', 'POST', /:reactivate$/)).toHaveLength(1), 10_000);
    await settled(world);
    expect(await alarms()).toEqual(['event_feed:google-meet']);
    expect((await connectionNow(world, connection.id)).status).toBe('active');

    world.jump(HOUR + MINUTE);
    await vi.waitFor(async () => expect(await alarms()).toEqual([]), 10_000);
  });
});
