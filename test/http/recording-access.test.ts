import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { Provider, RecordingShares } from '../../providers/provider.ts';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { Failure } from '../../src/domain/failure.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  databaseOf,
  DAY,
  everythingStored,
  happen,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
  VENDORS,
  type MeetingJson,
} from '../support/gateway.ts';
import { connect, testWorld, type Vendor } from '../support/world.ts';

interface RecordingJson {
  readonly id: string;
  readonly state: string;
  readonly links: readonly { customer_id: string; url: string | null; views: number; revoked_at: string | null }[];
}

const waitFor = (world: World, type: string) => world.receiver.waitFor(type, (event) => event.type === type);
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type);
const recordingOf = async ({ api }: World, id: string): Promise<RecordingJson> =>
  must(await api('GET', `/v1/recordings/${id}`), 200).json as unknown as RecordingJson;
const auditOf = async ({ gateway }: World, subjectId: string) => {
  const { db } = gateway.gateway;
  return (await db.read.select().from(db.read.t.audit)).filter((entry) => entry.subjectId === subjectId);
};

async function held(world: World, vendor: Vendor, { consent = true, changes = {} } = {}) {
  await connect(world, vendor);
  await settled(world);
  const meeting = await boughtMeeting(world, { provider: vendor, recording: 'on_consent', ...changes });
  const decision = { decision: 'granted', locale: 'en', text_version: 'v1' };
  if (consent)
    for (const { customer_id } of meeting.attendees)
      must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/${customer_id}/recording-consent`, decision), 200);
  for (const action of ['start', 'end', 'finish-recording']) await happen(world, meeting, action);
  const event = await waitFor(world, consent ? 'recording.published' : 'recording.withheld');
  const recording = await recordingOf(world, String(event.data['recording_id']));
  return { meeting, recording, link: recording.links[0]?.url ?? '' };
}

/** Reported by the customer on the join page; the incident's id. */
async function report(world: World, meeting: MeetingJson): Promise<string> {
  const body = new FormData();
  body.append('text', 'He shouted.');
  expect((await visit(`${meeting.attendees[0]!.join_url}/report`, { method: 'POST', body })).status).toBe(303);
  const event = await world.receiver.waitFor(
    'incident.reported',
    ({ type, data }) => type === 'incident.reported' && data['meeting_id'] === meeting.id,
  );
  return String(event.data['incident_id']);
}

const access = ({ api }: Pick<World, 'api'>, recordingId: string, incidentId: string) =>
  api('POST', `/v1/recordings/${recordingId}/access`, { incident_id: incidentId, reason: 'The customer says that he shouted' });
const moveIncident = async ({ api }: World, id: string, state: string) => must(await api('PATCH', `/v1/incidents/${id}`, { state }), 200);

describeOnBothDatabases("the operator's look into a recording", (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it('F08 needs an open incident of this meeting; the link, and every view, is in the audit log', async () => {
    const world = await start();
    const { meeting, recording } = await held(world, 'zoom');
    expect(await access(world, recording.id, 'inc_none')).toMatchObject({ status: 403, json: { code: 'incident_required' } });
    const other = await boughtMeeting(world, { provider: 'zoom', booking: { id: 'bk_2', kind: 'one_to_one', title: 'Other' } });
    const foreign = await report(world, other);
    expect(await access(world, recording.id, foreign)).toMatchObject({ status: 403, json: { code: 'incident_required' } });
    const incident = await report(world, meeting);
    expect(await access(await otherMarketplace(world), recording.id, incident)).toMatchObject({ status: 404 });

    const granted = must(await access(world, recording.id, incident), 201).json as { url: string };
    expect(granted).toEqual({
      url: expect.stringContaining('/r/'),
      expires_at: new Date(world.now().getTime() + 30 * MINUTE).toISOString(),
      incident_id: incident,
    });
    // It is shown once, and is no link of a recipient.
    expect((await recordingOf(world, recording.id)).links).toMatchObject([{ customer_id: 'cus_1' }]);
    expect(await everythingStored(world)).not.toContain(granted.url.split('/').at(-1)!);

    const page = must(await visit(granted.url), 200);
    expect(page.text).toContain('You look into a reported meeting');
    expect(page.text).toContain(incident);
    for (const later of [0, 0, 5 * MINUTE]) {
      world.jump(later);
      expect((await fetch(`${granted.url}/media`).then((it) => it.arrayBuffer())).byteLength).toBeGreaterThan(100);
    }
    await settled(world);
    expect(told(world, 'recording.viewed').map(({ data }) => data)).toMatchObject([
      { operator: true, incident_id: incident, recording_id: recording.id },
      { operator: true, incident_id: incident, recording_id: recording.id },
    ]);
    expect(told(world, 'recording.viewed').every(({ data }) => !('customer_id' in data))).toBe(true);
    const audit = await auditOf(world, recording.id);
    expect(audit.filter(({ action }) => action === 'recording.viewed_by_operator')).toHaveLength(2);
    expect(audit.find(({ action }) => action === 'recording.access_granted')).toMatchObject({
      details: { incident_id: incident, reason: 'The customer says that he shouted', by: expect.stringMatching(/^key_/) },
    });
    expect((await recordingOf(world, recording.id)).links).toMatchObject([{ views: 0 }]);
  });

  it('F08 case 111: the link dies with the incident at once, and after half an hour', async () => {
    const world = await start();
    const { meeting, recording } = await held(world, 'zoom');
    const incident = await report(world, meeting);
    const grant = async () => String(must(await access(world, recording.id, incident), 201).json['url']);
    const url = await grant();
    await moveIncident(world, incident, 'investigating');
    expect((await visit(url)).status).toBe(200);
    await moveIncident(world, incident, 'resolved');
    for (const path of ['', '/media']) expect((await visit(url + path)).status).toBe(410);
    expect(await access(world, recording.id, incident)).toMatchObject({ status: 403, json: { code: 'incident_required' } });
    await moveIncident(world, incident, 'open');
    expect((await visit(url)).status).toBe(200);
    world.jump(30 * MINUTE - 1);
    expect((await visit(url)).status).toBe(200);
    world.jump(1);
    for (const path of ['', '/media']) expect((await visit(url + path)).status).toBe(410);
    // One that nobody needs any more is taken back, and the recipient keeps theirs.
    const second = await grant();
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`, { incident_id: incident }), 200);
    expect((await visit(second)).status).toBe(410);
    expect((await visit(recording.links[0]!.url!)).status).toBe(200);
    expect(told(world, 'recording.viewed')).toEqual([]);
  });

  it('F08 shows a withheld recording, too, and none whose time is over or that was taken back', async () => {
    const world = await start();
    const { meeting, recording } = await held(world, 'zoom', { consent: false });
    expect(recording).toMatchObject({ state: 'withheld', links: [] });
    const incident = await report(world, meeting);
    const url = String(must(await access(world, recording.id, incident), 201).json['url']);
    expect((await visit(url)).status).toBe(200);
    expect((await visit(`${url}/media`)).status).toBe(200);
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`), 200);
    expect((await visit(url)).status).toBe(410);
    expect(await access(world, recording.id, incident)).toMatchObject({ status: 410, json: { code: 'gone' } });
  });

  it('F08 case 109: ends with the recording when that comes first', async () => {
    const world = await start();
    const { meeting, recording } = await held(world, 'zoom');
    const incident = await report(world, meeting);
    world.jump(14 * DAY - 10 * MINUTE);
    const granted = must(await access(world, recording.id, incident), 201).json;
    expect(granted['expires_at']).toBe((recording as unknown as { expires_at: string }).expires_at);
    world.jump(10 * MINUTE);
    expect((await visit(String(granted['url']))).status).toBe(410);
    expect(await access(world, recording.id, incident)).toMatchObject({ status: 410 });
  });
});

describeOnBothDatabases('the page of a recording', (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it.each(VENDORS)('G17 G18 of %s says what it is for by the policy, whose storage it is, and until when', async (vendor) => {
    const world = await start();
    const { link } = await held(world, vendor);
    const said = async (language: string) => (await visit(link, { headers: { 'accept-language': language } })).text;
    const page = await said('en');
    for (const words of [
      'so that those who took part can watch it again',
      'to improve the service',
      'stored by another company',
      'Available until',
      'Every viewing is logged',
    ])
      expect(page).toContain(words);
    expect(page).not.toContain('to settle disputes');
    await setPolicy(world, { recording: { uses: ['disputes'] } });
    expect(await said('en')).toContain('to settle disputes about the meeting');
  });

  it('G12 case 111: says why it is held back, and why it is gone', async () => {
    const world = await start();
    const { recording, link } = await held(world, 'zoom');
    const { db } = world.gateway.gateway;
    const withhold = (reason: string) =>
      db.write((tx) => tx.update(tx.t.recordings).set({ state: 'withheld', reason }).where(eq(tx.t.recordings.id, recording.id)));
    for (const [reason, words] of [
      ['consent_missing', 'consent is missing'],
      ['consent_withdrawn', 'Somebody has withdrawn the consent'],
      ['not_requested', 'No recording was agreed'],
      ['recovered', 'was restored there'],
    ] as const) {
      await withhold(reason);
      const page = await visit(link);
      expect([page.status, (await visit(`${link}/media`)).status]).toEqual([410, 410]);
      expect(page.text).toContain(words);
    }
  });

  it("G17 the professional's link is taken back alone, as any other", async () => {
    const world = await start();
    await setPolicy(world, { recording: { recipients: 'everyone' } });
    const { recording } = await held(world, 'zoom');
    const url = (customer: string) => recording.links.find(({ customer_id }) => customer_id === customer)!.url!;
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`, { customer_id: 'pro_1' }), 200);
    expect([(await visit(url('pro_1'))).status, (await visit(url('cus_1'))).status]).toEqual([410, 200]);
    expect(await world.api('POST', `/v1/recordings/${recording.id}/revoke`, { customer_id: 'cus_1', incident_id: 'inc_1' })).toMatchObject({
      status: 422,
    });
  });

  it('cases 112, 113: unknown links look alike, and nothing of a page is kept or passed on', async () => {
    const world = await start();
    const { link } = await held(world, 'zoom');
    for (const url of [`${world.publicUrl}/r/x`, `${world.publicUrl}/r/${'A'.repeat(43)}`, link.slice(0, -1)]) {
      const answers = await Promise.all([visit(url), visit(`${url}/media`)]);
      expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    }
    for (const url of [link, `${link}/media`]) {
      const { headers } = await visit(url);
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-robots-tag')).toBe('noindex');
    }
  });
});

/** The vendor's own page of a recording, as an adapter opens it. */
function shareable(world: World, scopes: readonly string[] = []) {
  const calls: string[] = [];
  const answer: { failure: Failure | null; during: () => Promise<unknown> } = { failure: null, during: () => Promise.resolve() };
  const shares: RecordingShares = {
    scopes,
    open: async () => {
      calls.push('open');
      await answer.during();
      if (answer.failure !== null) throw answer.failure;
      return { url: 'https://us02web.zoom.us/rec/share/CanaryOfShare', passcode: 'sh4re-pass' };
    },
    close: async () => void calls.push('close'),
    isOpen: async () => false,
  };
  const providers = world.gateway.gateway.providers as Map<string, Provider>;
  const zoom = providers.get('zoom')!;
  providers.set('zoom', { ...zoom, recordings: { ...zoom.recordings, shares } });
  return { calls, answer };
}

describeOnBothDatabases("the vendor's own page", (_open, engine) => {
  const start = async (redirect = true) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    if (redirect) await setPolicy(world, { recording: { delivery: 'redirect' } });
    return world;
  };
  const row = async ({ gateway }: World, id: string) => {
    const { db } = gateway.gateway;
    return (await db.read.select().from(db.read.t.recordings).where(eq(db.read.t.recordings.id, id)))[0]!;
  };

  it('G18 is where recipients are sent by the policy: the passcode is on the page, the address is not, the view counts first', async () => {
    const world = await start();
    const { calls } = shareable(world);
    const { recording, link } = await held(world, 'zoom');
    expect((await visit(link, { method: 'HEAD' })).status).toBe(200);
    expect((await visit(`${link}/media`, { method: 'HEAD' })).headers.get('location')).toBeNull();
    expect([calls, (await row(world, recording.id)).sharedAt]).toEqual([[], null]);
    // Whoever previews the link opens nothing; the click does, and comes back for the passcode.
    const button = (text: string): string => /href="([^"]*\/media[^"]*)"/.exec(text)![1]!.replaceAll('&amp;', '&');
    const before = must(await visit(link), 200).text;
    expect((await visit(`${link}/media`, { headers: { 'sec-purpose': 'prefetch' } })).status).toBe(204);
    expect([calls, (await row(world, recording.id)).sharedAt]).toEqual([[], null]);
    const click = await visit(`${world.publicUrl}${button(before)}`);
    expect([click.status, click.headers.get('location')]).toEqual([303, new URL(link).pathname]);
    expect((await row(world, recording.id)).sharedAt).toEqual(world.now());
    const page = must(await visit(link), 200);
    expect(page.text).toContain('sh4re-pass');
    expect(page.text).toContain('copy it, then open');
    expect(page.text).not.toMatch(/CanaryOfShare|<video/);
    // From a page that was opened before somebody else clicked.
    expect((await visit(`${world.publicUrl}${button(before)}`)).headers.get('location')).toBe(new URL(link).pathname);
    expect((await recordingOf(world, recording.id)).links).toMatchObject([{ views: 0 }]);
    const answer = await visit(`${world.publicUrl}${button(page.text)}`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, 'https://us02web.zoom.us/rec/share/CanaryOfShare']);
    await waitFor(world, 'recording.viewed');
    expect((await recordingOf(world, recording.id)).links).toMatchObject([{ views: 1 }]);
    expect(await everythingStored(world)).not.toMatch(/CanaryOfShare|sh4re-pass/);
  });

  it('G17 is opened only where the policy, the adapter and the permissions say so, and never for an operator', async () => {
    const world = await start(false);
    const { calls } = shareable(world, []);
    const { meeting, recording, link } = await held(world, 'zoom');
    const streams = async (url: string) => {
      expect((await visit(url)).text).toContain('<video');
      expect((await visit(`${url}/media`)).status).toBe(200);
    };
    await streams(link);
    await setPolicy(world, { recording: { delivery: 'redirect' } });
    const operator = String(must(await access(world, recording.id, await report(world, meeting)), 201).json['url']);
    await streams(operator);
    const second = shareable(world, ['a:scope:nobody:gave']);
    await streams(link);
    expect([calls, second.calls]).toEqual([[], []]);
  });

  it('G18 is passed over where the account forbids it, and waited for while the vendor is down', async () => {
    const world = await start();
    const { answer } = shareable(world);
    const { link, recording } = await held(world, 'zoom');
    answer.failure = new Failure('not_capable', 'The account does not share.');
    const click = await visit(`${link}/media`, { headers: { 'sec-fetch-dest': 'document' } });
    expect([click.status, click.headers.get('location')]).toEqual([303, `${new URL(link).pathname}?here=1`]);
    expect((await row(world, recording.id)).sharedAt).toBeNull();
    expect((await visit(`${link}?here=1`)).text).toContain('<video');
    expect((await visit(`${link}/media`)).status).toBe(200);
    answer.failure = new Failure('vendor_unavailable', 'Down.');
    expect(must(await visit(link), 200).text).toContain('Open at the provider');
    expect((await visit(`${link}/media`)).status).toBe(503);
    answer.failure = null;
    expect((await visit(`${link}/media`)).status).toBe(303);
  });

  it('G15 is closed again when the recording ended while it was being opened', async () => {
    const world = await start();
    const { answer, calls } = shareable(world);
    const { recording, link } = await held(world, 'zoom');
    answer.during = async () => void must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`), 200);
    expect((await visit(`${link}/media`)).status).toBe(410);
    // The end of the recording closes it as well, before or after; whoever opened it last closes it in any case.
    await settled(world);
    expect([...calls.slice(0, 1), new Set(calls.slice(1))]).toEqual(['open', new Set(['close'])]);
    expect(await row(world, recording.id)).toMatchObject({ linkSealed: null, vendorEnding: 'pending' });
    world.jump(3 * MINUTE);
    world.gateway.gateway.wake();
    await settled(world);
    expect(await row(world, recording.id)).toMatchObject({ linkSealed: null, vendorEnding: 'confirmed' });
  });
});
