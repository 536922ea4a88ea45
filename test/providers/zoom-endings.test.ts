/** What is special to Zoom where a recording is shared, closed and deleted. */
import { http } from 'msw';
import { describe, expect, it } from 'vitest';
import { createTestZoom, API, CONTRACT, MEDIA, startZoom, videoFile, zoomError } from './zoom-vendor.ts';
import { failureOf, guardedServer, refusalWith, wrongOnPurpose } from '../conformance/provider.ts';
import { testAccount } from '../support/account.ts';

const server = guardedServer({ contract: CONTRACT });

const ESCAPED = '/meetings/%252Fa%252F%252Fb%253D%253D/recordings';

async function startRecorded(uuid = '/a//b==') {
  const started = await startZoom(server);
  started.vendor.recorded.push({
    meetingId: Number(started.meeting.id),
    uuid,
    startTime: '2026-11-20T09:00:00Z',
    files: [videoFile('slashed')],
  });
  const recording = { meeting: started.meeting, recordingId: uuid };
  return { ...started, ...started.provider.recordings, recording, since: () => started.vendor.log.slice(1) };
}

describe('Zoom: automatic recording', () => {
  it('G12 costs a change of the host only when there is something to change', async () => {
    const { vendor, provider, meeting } = await startZoom(server);
    const spent: string[] = [];
    const account = { ...testAccount(), spend: async (call: string) => void spent.push(call) };
    for (const on of [false, true, true, false]) await provider.recordAutomatically!(account, meeting, on);
    expect(spent).toEqual(['change', 'change']);
    expect(vendor.stored[0]!.settings).toMatchObject({ auto_recording: 'none', waiting_room: false, use_pmi: false });
  });

  it('G12 is not even asked for where the plan has no cloud recording', async () => {
    const { vendor, provider, meeting } = await startZoom(server);
    expect(await provider.recordAutomatically!(testAccount({ cloudRecording: 'no' }), meeting, true)).toBe(false);
    expect(vendor.log.filter((line) => line.startsWith('PATCH'))).toEqual([]);
  });

  it('G12 on the own computer of the host is none when it was asked for, and one when it was not', async () => {
    const { vendor, provider, account, meeting } = await startZoom(server);
    const enforced = () =>
      wrongOnPurpose(JSON.stringify({ id: 1, join_url: 'https://zoom.us/j/1', settings: { auto_recording: 'local' } }));
    server.use(http.get(`${API}/meetings/:id`, enforced));
    expect(await provider.recordAutomatically!(account, meeting, true)).toBe(false);
    expect(await provider.recordAutomatically!(account, meeting, false)).toBe(true);
    expect(vendor.stored).toHaveLength(1);
  });
});

describe('Zoom: shares', () => {
  it('G17 names every setting of the page, and is addressed by a uuid that is escaped twice', async () => {
    const { vendor, account, shares, recording, since } = await startRecorded();
    const { url } = await shares!.open(account, recording);
    expect(vendor.recorded[0]!.sharing).toEqual({
      share_recording: 'publicly',
      viewer_download: false,
      recording_authentication: false,
      on_demand: false,
    });
    // The address of the page is documented for the list only.
    expect(url).toBe(`${MEDIA}/rec/share/%2Fa%2F%2Fb%3D%3D`);
    await shares!.close(account, recording);
    expect(since()).toEqual([
      `GET ${ESCAPED}/settings`,
      `PATCH ${ESCAPED}/settings`,
      `GET ${ESCAPED}/settings`,
      `GET ${ESCAPED}`,
      'GET /users/me/recordings?from=2026-11-19&to=2026-11-21&page_size=300',
      `PATCH ${ESCAPED}/settings`,
    ]);
  });

  it.each([
    ['sign-in', { share_recording: 'publicly', viewer_download: false, recording_authentication: true }],
    ['registration', { share_recording: 'publicly', viewer_download: false, on_demand: true }],
    ['the file to be had', { share_recording: 'publicly', viewer_download: true }],
    ['nothing to be told', {}],
  ])('G17 an account that enforces %s cannot share', async (_, settings) => {
    const { account, shares, recording } = await startRecorded();
    server.use(http.get(`${API}/meetings/:id/recordings/settings`, () => wrongOnPurpose(JSON.stringify(settings))));
    expect((await failureOf(shares!.open(account, recording))).code).toBe('not_capable');
  });

  it('G15 silence of Zoom is no proof that a page is closed', async () => {
    const { account, shares, recording } = await startRecorded();
    server.use(http.get(`${API}/meetings/:id/recordings/settings`, () => wrongOnPurpose('{}')));
    expect(await shares!.isOpen(account, recording)).toBe(true);
  });
});

describe('Zoom: deletion', () => {
  it('G15 is for good, not to the trash, of the one recording that the uuid names', async () => {
    const { vendor, account, removal, recording, since } = await startRecorded();
    vendor.recorded.push({ ...vendor.recorded[0]!, uuid: 'other==' });
    await removal!.remove(account, recording);
    expect(await removal!.isGone(account, recording)).toBe(true);
    expect(vendor.recorded.map(({ uuid }) => uuid)).toEqual(['other==']);
    expect(since()).toEqual([
      `DELETE ${ESCAPED}?action=delete`,
      `GET ${ESCAPED}`,
      'GET /users/me/recordings?trash=true&trash_type=meeting_recordings&page_size=300',
    ]);
  });

  it.each([
    ['a 200 in place of the 204', () => wrongOnPurpose(JSON.stringify(zoomError(200, 'You do not have the right permissions')))],
    ['a 403', () => refusalWith(403, zoomError(2306, 'The host may not delete cloud recordings.'))],
  ])('G15 is not within the power of the account: %s', async (_, answer) => {
    const { vendor, account, removal, recording } = await startRecorded();
    server.use(http.delete(`${API}/meetings/:id/recordings`, () => answer() as never));
    expect((await failureOf(removal!.remove(account, recording))).code).toBe('not_capable');
    expect(vendor.recorded).toHaveLength(1);
  });

  it('G15 is tried again in a quarter of an hour, and not at once, while Zoom is busy with the recording', async () => {
    const { account, removal, recording } = await startRecorded();
    let asked = 0;
    const busy = () => {
      asked += 1;
      return refusalWith(400, zoomError(3310)) as never;
    };
    server.use(http.delete(`${API}/meetings/:id/recordings`, busy));
    expect(await failureOf(removal!.remove(account, recording))).toMatchObject({ code: 'vendor_unavailable', retryAfterMs: 900_000 });
    expect(asked).toBe(1);
  });

  it('G15 "no such meeting" is no proof that the recording is gone', async () => {
    const { account, removal, recording } = await startRecorded();
    server.use(http.get(`${API}/meetings/:id/recordings`, () => refusalWith(404, zoomError(3001)) as never));
    expect(await failureOf(removal!.isGone(account, recording))).toMatchObject({ code: 'vendor_refused', extra: { vendor_code: '3001' } });
  });
});

describe('Zoom: what a connection has to have', () => {
  it('F07 permissions for sharing and deleting are named by their capability, and no connection lacks anything without them', () => {
    const { oauth, recordings } = createTestZoom();
    const needed = new Set([...oauth.scopes.links, ...oauth.scopes.recordings]);
    for (const { scopes } of [recordings.shares!, recordings.removal!]) {
      expect(scopes.length).toBeGreaterThan(0);
      for (const scope of scopes) expect(needed).not.toContain(scope);
    }
  });
});
