/** The operator's command line as a process of its own, against the sandbox. */
import { beforeAll, expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import { freePort } from '../../demo/world.ts';
import { judgeClock } from '../../src/connections/reach.ts';
import { noteProcessing } from '../../src/recordings/ready.ts';
import { findMeeting } from '../../src/store/meetings.ts';
import { signZoom } from '../providers/zoom-vendor.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { built } from '../support/support.ts';
import { must, type MeetingJson } from '../support/gateway.ts';
import { connect, HOST, meetingBody } from '../support/world.ts';
import { startCommand } from './command.ts';
import { createStage, ZOOM_SECRET, type Stage } from './stage.ts';

type Row = Record<string, unknown>;

beforeAll(built);

/** The rows that a command prints. */
async function rowsOf(environment: Stage['environment'], ...words: string[]): Promise<Row[]> {
  const { code, stdout, stderr } = await startCommand(environment, ...words, '--json').exit;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const answer = JSON.parse(stdout) as Row | Row[];
  return Array.isArray(answer) ? answer : [answer];
}

const PLATFORM = { ZOOM_ACCOUNT_ID: 'sandbox-account' };

describeOnBothDatabases('the command line', (_open, engine) => {
  it('F04 adds hosts of the platform, lists them, and removes them', { timeout: 60_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const environment = { ...stage.environment, ...PLATFORM };
    const inPool = ['--marketplace', stage.marketplaceId];
    const [host] = await rowsOf(environment, 'connections', 'add-platform', 'zoom', ...inPool, '--host', HOST);
    expect(host).toEqual({
      id: expect.stringMatching(/^con_/) as string,
      provider: 'zoom',
      email: HOST,
      account_id: 'hostPoolUser1234567890',
      plan: 'paid',
      concurrent_meetings: 1,
      status: 'active',
    });
    const listed = { id: host!['id'], professional_id: null, provider: 'zoom', email: HOST, plan: 'paid' };
    expect(await rowsOf(environment, 'connections', 'list', ...inPool)).toEqual([{ ...listed, status: 'active', status_reason: null }]);
    expect(await rowsOf(environment, 'connections', 'remove', ...inPool, '--connection', String(host!['id']))).toEqual([
      { id: host!['id'], removed: true },
    ]);
    expect(await rowsOf(environment, 'connections', 'list', ...inPool)).toMatchObject([
      { id: host!['id'], status: 'revoked', status_reason: 'disconnected' },
    ]);

    const unknown = await startCommand(environment, 'connections', 'add-platform', 'zoom', ...inPool, '--host', 'x@zoom.sandbox.example')
      .exit;
    expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('has no user') as string });
    const nowhere = await startCommand(stage.environment, 'connections', 'add-platform', 'zoom', ...inPool, '--host', HOST).exit;
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('is not set up') as string });
  });

  it('F08 opens a recording for who looks into a reported meeting, and for nobody else', { timeout: 60_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const running = await stage.serve();
    await connect(stage, 'zoom');
    const meeting = must(await stage.api('POST', '/v1/meetings', meetingBody({ now: () => new Date() })), 201)
      .json as unknown as MeetingJson;
    must(await stage.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    const link = { url: 'https://vimeo.com/1', title: 'Exercises' };
    const recording = must(await stage.api('POST', `/v1/meetings/${meeting.id}/recordings`, link), 201).json['id'] as string;
    const report = new FormData();
    report.append('text', 'He shouted.');
    must(await visit(`${meeting.attendees[0]!.join_url}/report`, { method: 'POST', body: report }), 303);
    const { read } = running.gateway.db;
    const [incident] = await read.select().from(read.t.incidents);

    const open = ['recordings', 'open', '--marketplace', stage.marketplaceId, '--recording', recording, '--reason', 'He shouted'];
    const [access] = await rowsOf(stage.environment, ...open, '--incident', incident!.id);
    expect(access).toMatchObject({ incident_id: incident!.id, url: expect.stringContaining(`${stage.publicUrl}/r/`) as string });
    expect((await visit(String(access!['url']))).text).toContain('You look into a reported meeting');
    const audit = (await read.select().from(read.t.audit)).find(({ action }) => action === 'recording.access_granted');
    expect(audit).toMatchObject({ subjectId: recording, details: { by: 'command line', reason: 'He shouted', incident_id: incident!.id } });
    const own = ['--marketplace', stage.marketplaceId];
    const [reported] = await rowsOf(stage.environment, 'incidents', 'list', ...own, '--meeting', meeting.id);
    expect(reported).toMatchObject({ id: incident!.id, state: 'open', text: 'He shouted.' });
    const move = ['incidents', 'set-state', ...own, '--incident', incident!.id, '--reason', 'He apologised', '--state'];
    expect(await rowsOf(stage.environment, ...move, 'resolved')).toMatchObject([{ id: incident!.id, state: 'resolved' }]);
    expect((await visit(String(access!['url']))).status).toBe(410);
    expect(await rowsOf(stage.environment, 'incidents', 'list', ...own, '--state', 'open')).toEqual([]);
    const unknown = await startCommand(stage.environment, ...move, 'closed').exit;
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('--state has to be one of open') as string });
    const refused = await startCommand(stage.environment, ...open, '--incident', 'inc_none').exit;
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no open incident') as string });
    const asked = await startCommand(stage.environment, ...open).exit;
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('--incident is missing') as string });
  });

  it('G15 lists recordings, ends one, and verifies the audit log', { timeout: 60_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const { environment } = stage;
    const own = ['--marketplace', stage.marketplaceId];
    const running = await stage.serve();
    const { db } = running.gateway;
    await connect(stage, 'zoom');
    const body = { ...meetingBody({ now: () => new Date() }), provider: 'zoom' };
    const { id } = must(await stage.api('POST', '/v1/meetings', body), 201).json as { id: string };
    await db.write(async (tx) => noteProcessing(tx, running.gateway, (await findMeeting(tx, id))!, 'uuid-of-the-vendor'));
    const [listed] = await rowsOf(environment, 'recordings', 'list', ...own);
    expect(listed).toMatchObject({ meeting_id: id, source: 'provider', state: 'processing', erased_at: null });
    expect(await rowsOf(environment, 'recordings', 'list', ...own, '--state', 'published')).toEqual([]);
    const [ended] = await rowsOf(environment, 'recordings', 'erase', ...own, '--recording', String(listed!['id']));
    expect(ended).toMatchObject({ id: listed!['id'], state: 'revoked', reason: 'marketplace', erased_at: expect.any(String) as string });
    const foreign = await startCommand(
      environment,
      'recordings',
      'erase',
      '--marketplace',
      'mkt_other',
      '--recording',
      String(listed!['id']),
    ).exit;
    expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining('no such resource') as string });

    const [sound] = await rowsOf(environment, 'audit', 'verify');
    expect(sound).toEqual({ marketplace: stage.marketplaceId, result: 'ok', sound_entries: 1, entries_before_the_chain: 0 });
    await db.write((tx) => tx.update(tx.t.audit).set({ subjectId: 'rec_other' }));
    const broken = await startCommand(environment, 'audit', 'verify', ...own, '--json').exit;
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject([{ result: 'changed', broken_at: 1, entry: expect.stringMatching(/^aud_/) as string }]);
  });

  it('shows parked deliveries, runs them again while their body is there, and drops them', { timeout: 60_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const { environment } = stage;
    const running = await stage.serve();
    const { db } = running.gateway;
    const bytes = Buffer.from('{"event":"meeting.started","secret":"https://zoom.us/j/1?pwd=secret"');
    const sent = await fetch(`${stage.publicUrl}/webhooks/zoom`, {
      method: 'POST',
      headers: signZoom(ZOOM_SECRET, bytes, new Date()),
      body: new Uint8Array(bytes),
    });
    expect(sent.status).toBe(200);
    await expect.poll(() => rowsOf(environment, 'inbox', 'list'), { timeout: 10_000 }).toHaveLength(1);
    const [parked] = await rowsOf(environment, 'inbox', 'list', '--provider', 'zoom');
    const key = String(parked!['key']);
    expect(parked).toMatchObject({ provider: 'zoom', state: 'parked', body: 'kept', attempts: 1 });
    expect(await rowsOf(environment, 'inbox', 'list', '--provider', 'google-meet')).toEqual([]);
    expect(await rowsOf(environment, 'inbox', 'list', '--state', 'pending')).toEqual([]);
    const shown = (await rowsOf(environment, 'inbox', 'show', '--key', key))[0]!;
    expect(shown).toMatchObject({ reason: expect.stringMatching(/^malformed: /) as string, bytes: bytes.length });
    expect(shown['about']).toEqual([expect.stringContaining('cannot be read') as string]);
    expect(JSON.stringify(shown)).not.toMatch(/https|secret/);
    expect((await rowsOf(environment, 'doctor')).filter(({ check }) => check === 'alarm')).toMatchObject([{ result: 'inbox_parked:zoom' }]);

    expect(await rowsOf(environment, 'inbox', 'rerun', '--key', key)).toEqual([{ rerun: 1, without_body: 0 }]);
    await expect.poll(() => rowsOf(environment, 'inbox', 'list'), { timeout: 10_000 }).toHaveLength(1);
    await db.write((tx) => tx.update(tx.t.inbox).set({ bodySealed: null }));
    const erased = await startCommand(environment, 'inbox', 'rerun', '--key', key).exit;
    expect(erased).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`The body of ${key} was erased`) as string });
    expect(await rowsOf(environment, 'inbox', 'rerun', '--all')).toEqual([{ rerun: 0, without_body: 1 }]);
    expect(await rowsOf(environment, 'inbox', 'drop', '--key', key)).toEqual([{ dropped: 1 }]);
    expect(await rowsOf(environment, 'inbox', 'list', '--state', 'dropped')).toMatchObject([{ key, state: 'dropped', body: 'erased' }]);
    expect((await rowsOf(environment, 'doctor')).filter(({ check }) => check === 'alarm')).toEqual([]);
    for (const words of [
      ['rerun'],
      ['rerun', '--all', '--key', key],
      ['drop', '--all', '--provider', 'webex'],
      ['list', '--state', 'lost'],
    ]) {
      const refused = await startCommand(environment, 'inbox', ...words).exit;
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain('--');
    }
  });

  it('leaves a gap in the numbers of events after a restore', { timeout: 60_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const { gateway } = await stage.serve();
    await connect(stage, 'zoom');
    const made = must(await stage.api('POST', '/v1/meetings', meetingBody({ now: () => new Date() }, { provider: 'zoom' })), 201);
    expect(await rowsOf(stage.environment, 'events', 'after-restore')).toEqual([{ meetings: 1 }]);
    const { eventSequences } = gateway.db.read.t;
    expect(await gateway.db.read.select().from(eventSequences)).toEqual([{ meetingId: made.json['id'], last: 1_001 }]);
  });

  it('doctor tells of keys, clock, vendors, connections and subscriptions', { timeout: 60_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const running = await stage.serve();
    await connect(stage, 'microsoft-teams');
    await expect.poll(async () => (await running.gateway.db.read.select().from(running.gateway.db.read.t.subscriptions)).length).toBe(1);
    await running.close();

    const rows = await rowsOf({ ...stage.environment, ...PLATFORM }, 'doctor');
    const of = (check: string) => rows.filter((row) => row['check'] === check);
    expect(of('configuration')).toMatchObject([{ result: 'ok', public_url: stage.publicUrl }]);
    expect(of('database')).toMatchObject([{ result: 'ok', engine: engine.dialect }]);
    expect(of('encryption key')).toMatchObject([{ result: 'newest', id: 'test' }]);
    expect(of('clock')).toMatchObject([{ result: 'ok' }]);
    for (const vendor of ['zoom', 'microsoft-teams', 'google-meet']) {
      expect(of(vendor)).toMatchObject([{ result: 'configured' }]);
      expect(of(`${vendor} reachability`)).toEqual([{ check: `${vendor} reachability`, result: 'ok', origin: stage.sandbox.url }]);
    }
    expect(of('zoom platform')).toMatchObject([{ result: 'configured, without hosts' }]);
    expect(of('connections')).toMatchObject([{ active: 1, reconnect_required: 0, revoked: 0 }]);
    expect(of('subscriptions')).toMatchObject([{ result: 'ok', count: 1, overdue: 0, to_replace: 0 }]);
    expect(Date.parse(String(of('subscriptions')[0]!['next_expiry']))).toBeGreaterThan(Date.now());

    const nobody = `http://127.0.0.1:${await freePort()}`;
    const offline = await rowsOf({ ...stage.environment, ZOOM_OAUTH_URL: nobody, ZOOM_API_URL: `${nobody}/v2` }, 'doctor');
    expect(offline.filter(({ check }) => check === 'zoom reachability')).toEqual([
      { check: 'zoom reachability', result: 'offline: ECONNREFUSED', origin: nobody },
    ]);
  });
});

it('a clock is judged by the vendor in the middle', () => {
  const said = (...offsets: (number | undefined)[]) =>
    judgeClock(
      offsets.map((aheadMs) => ({ provider: 'zoom', origin: 'https://zoom.us', result: 'ok', ...(aheadMs !== undefined && { aheadMs }) })),
    );
  expect(said()).toBe('unknown');
  expect(said(undefined)).toBe('unknown');
  expect(said(400, 4_000, 90_000)).toBe('ok');
  expect(said(90_000, 91_000, 0)).toBe('90 s ahead of the vendors');
  expect(said(-45_000)).toBe('45 s behind the vendors');
});
