import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plus } from '../../src/domain/time.ts';
import { guardedServer, webhookRequest } from '../conformance/provider.ts';
import { altered, CONTRACT, createTestZoom, fixture, NOW, SECRET, signZoom, startZoom, zoomVendor } from './zoom-vendor.ts';

const server = guardedServer({ contract: CONTRACT });

describe('Zoom: many recordings at once', () => {
  const batch = (event: string, object: unknown, ms = 1_795_168_800_000) =>
    Buffer.from(
      JSON.stringify({ event, event_ts: ms, payload: { account_id: 'account', operator: 'admin@example.com', operator_id: 'a', object } }),
    );
  const uuids = ['/a//b==', 'c==', '/a//b=='];
  const meetings = uuids.map((uuid) => ({ meeting_uuid: uuid, recording_file_ids: ['file'] }));
  const moved = { organisation: 'account', recordingIds: ['/a//b==', 'c=='], at: new Date(1_795_168_800_000) };

  it.each([
    ['recording.batch_trashed', { meeting_uuids: uuids }, 'recordings.removed'],
    ['recording.batch_deleted', { meetings }, 'recordings.removed'],
    ['recording.batch_recovered', { meeting_uuids: uuids }, 'recordings.recovered'],
    ['recording.batch_recovered', { meetings }, 'recordings.recovered'],
  ])('G13 %s names instances and no meetings', (event, object, type) => {
    expect(createTestZoom().webhook.read(batch(event, object))).toEqual([{ type, ...moved }]);
  });

  it('case 56: a batch without any list is refused by its name', () => {
    for (const object of [{}, { meeting_uuids: [''] }, { meetings: [{}] }, null])
      expect(() => createTestZoom().webhook.read(batch('recording.batch_deleted', object))).toThrow(
        expect.objectContaining({ code: 'malformed' }),
      );
  });

  it('two batches of one millisecond are two happenings, and a batch that comes again is one', () => {
    const keyOf = (bytes: Buffer) => {
      const opened = createTestZoom().webhook.open(webhookRequest({ bytes, headers: signZoom(SECRET, bytes, NOW) }, NOW));
      return 'deliveries' in opened ? opened.deliveries[0]!.key : undefined;
    };
    for (const object of [
      (uuid: string) => ({ meeting_uuids: [uuid] }),
      (uuid: string) => ({ meetings: [{ meeting_uuid: uuid, recording_file_ids: [] }] }),
    ]) {
      const [one, other] = [object('a=='), object('b==')].map((named) => keyOf(batch('recording.batch_deleted', named)));
      expect(one).not.toBe(other);
      expect(keyOf(batch('recording.batch_deleted', object('a==')))).toBe(one);
    }
  });
});

describe('Zoom webhooks', () => {
  const open = (bytes: Buffer, headers: Record<string, string>, webhookSecrets = [SECRET], now = NOW) =>
    createTestZoom({ webhookSecrets }).webhook.open(webhookRequest({ bytes, headers }, now));
  const refused = expect.objectContaining({ code: 'webhook_unauthenticated' });
  const started = fixture('meeting.started');

  it('case 61: are accepted with the old and the new secret while one is being replaced, then with the new one only', () => {
    for (const secret of ['old', 'new'])
      expect(open(started, signZoom(secret, started, NOW), ['new', 'old'])).toMatchObject({ kind: 'deliveries', status: 200 });
    expect(() => open(started, signZoom('old', started, NOW), ['new'])).toThrow(refused);
  });

  it('case 61: answer a handshake with the secret that it was signed with', () => {
    const bytes = fixture('endpoint.url_validation');
    expect(open(bytes, signZoom('old', bytes, NOW), ['new', 'old'])).toMatchObject({
      body: expect.stringContaining(createHmac('sha256', 'old').update('qgg8vlvZRS6UYooatFL8Aw').digest('hex')),
    });
  });

  it.each([
    '1795168800.5',
    '-1795168800',
    '0x6b000000',
    '1795168800abc',
    '1e9',
    ' 1795168800',
    '1795168800, 1795168800',
    '',
    '1795168800000000',
    '١٧٩٥١٦٨٨٠٠',
  ])('case 42: are refused with the timestamp "%s", although it was signed', (timestamp) => {
    expect(() => open(started, signZoom(SECRET, started, NOW, timestamp))).toThrow(refused);
  });

  it('case 42: are accepted up to the last millisecond of the tolerance', () => {
    const headers = signZoom(SECRET, started, NOW, '1795168800');
    const signedAt = new Date(1_795_168_800_000);
    for (const ms of [-300_000, 300_000])
      expect(open(started, headers, [SECRET], plus(signedAt, ms))).toMatchObject({ kind: 'deliveries' });
    for (const ms of [-300_001, 300_001]) expect(() => open(started, headers, [SECRET], plus(signedAt, ms))).toThrow(refused);
  });

  it('case 40: are refused when a signature header came twice, genuine or not', () => {
    const headers = signZoom(SECRET, started, NOW);
    const genuine = headers['x-zm-signature']!;
    for (const value of [
      `${genuine}, ${genuine}`,
      `v0=${'0'.repeat(64)}, ${genuine}`,
      genuine.slice(0, -1),
      `${genuine}0`,
      `${genuine} `,
      genuine.replace('v0=', 'v0=é'),
    ]) {
      expect(() => open(started, { ...headers, 'x-zm-signature': value })).toThrow(refused);
    }
  });

  it('accept genuine bodies that change when they are parsed and written again', () => {
    for (const text of [
      '{"event":"a", "x":1}\n',
      '{"event":"\\u00f3\\/"}',
      '{"event":"a","n":12345678901234567890}',
      '\ufeff{"event":"a"}',
      'not JSON at all',
      '{"event":"a"',
    ]) {
      const bytes = Buffer.from(text);
      expect(open(bytes, signZoom(SECRET, bytes, NOW))).toMatchObject({ kind: 'deliveries', deliveries: [{ bytes }] });
    }
  });

  it.each([
    ['looks like a signed body', 'v0:1795168800:{"event":"meeting.started"}'],
    ['has a colon', 'a:b'],
    ['has markup', '<script>'],
    ['is empty', ''],
    ['is too long', 'a'.repeat(201)],
    ['is a megabyte', 'a'.repeat(1_000_000)],
    ['is a number', 7],
    ['is an object', { toString: 'a' }],
    ['is missing', undefined],
    ['has a line break', 'a\n'],
  ])('case 44: answer no handshake whose token %s, signed or not', (_, plainToken) => {
    const bytes = Buffer.from(JSON.stringify({ event: 'endpoint.url_validation', event_ts: 1_654_503_849_680, payload: { plainToken } }));
    expect(() => open(bytes, signZoom(SECRET, bytes, NOW))).toThrow(refused);
    expect(() => open(bytes, {})).toThrow(refused);
  });

  it('case 44: refuse a handshake whose signature is wrong', () => {
    const bytes = fixture('endpoint.url_validation');
    expect(() => open(bytes, signZoom('guessed', bytes, NOW))).toThrow(refused);
  });

  const read = (bytes: Buffer) => createTestZoom().webhook.read(bytes);

  it('G14 say that the free limit was reached, in both spellings of the reason', () => {
    for (const reason of [
      'Jill Chill left the meeting.<br>Reason: Exceeded free meeting minutes limit.',
      'Exceeded free meeting minutes limit.',
    ]) {
      const bytes = altered('meeting.participant_left', (document) => void (document.payload.object.participant['leave_reason'] = reason));
      expect(read(bytes)).toEqual([expect.objectContaining({ type: 'participant.left', limitReached: true })]);
    }
  });

  it('read a guest as observed: empty strings for "none", times of join and leave', () => {
    const bytes = Buffer.from(
      '{"payload":{"account_id":"A","object":{"uuid":"U==","participant":{"leave_time":"2026-10-05T13:44:55Z","user_id":"16778240","user_name":"","registrant_id":"","participant_user_id":"","id":"","leave_reason":"left the meeting. Reason : left the meeting","email":"","participant_uuid":""},"id":"1234567890","type":4,"topic":"T","host_id":"H","duration":0}},"event_ts":1791207896354,"event":"meeting.participant_left"}',
    );
    expect(read(bytes)).toEqual([
      {
        type: 'participant.left',
        meetingId: '1234567890',
        instanceId: 'U==',
        participantId: '16778240',
        name: null,
        userId: null,
        limitReached: false,
        at: new Date('2026-10-05T13:44:55Z'),
      },
    ]);
  });

  it('G13 call a recording processing while one of its videos is', () => {
    const bytes = altered('recording.completed', (document) => {
      document.payload.object.recording_files[1]!['status'] = 'processing';
    });
    expect(read(bytes)).toEqual([
      { type: 'recording.processing', meetingId: '1234567890', recordingId: '4444AAAiAAAAAiAiAiiAii==', at: new Date(1_626_230_691_572) },
    ]);
  });

  it('keep no token and no address of a recording', () => {
    expect(JSON.stringify(read(fixture('recording.completed')))).not.toMatch(/example\.com|eyJ|132456|yNYIS408/);
  });

  it('give the same recording as the list does', async () => {
    const vendor = zoomVendor();
    const { provider, account, meeting } = await startZoom(server, { vendor });
    vendor.record(meeting.id, { state: 'ready', content: Buffer.from('x'), contentType: 'video/mp4' });
    const { meetingId, uuid, startTime, files } = vendor.recorded[0]!;
    const body = {
      event: 'recording.completed',
      event_ts: 1_795_168_800_000,
      payload: { account_id: 'A', object: { id: meetingId, uuid, start_time: startTime, recording_files: files } },
    };
    const [event] = read(Buffer.from(JSON.stringify(body)));
    expect(event).toMatchObject({ type: 'recording.ready', recording: (await provider.recordings.list(account, meeting))[0] });
  });

  it('take the moment of a deauthorization in all documented places', () => {
    const at = (change: Parameters<typeof altered>[1]) => (read(altered('app_deauthorized', change))[0] as { at: Date }).at.toISOString();
    expect(at((document) => void (document['event_ts'] = 1_725_811_120_000))).toBe('2024-09-08T15:58:40.000Z');
    expect(at((document) => void delete document.payload['event_ts'])).toBe('2020-06-17T13:52:28.632Z');
  });

  it('case 57: open refuses by one name or gives one well-formed key, whatever the bytes, the headers and the signed JSON', () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.constant('v0=00'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), text, text, (body, timestamp, signature) => {
        expect(() => open(Buffer.from(body), { 'x-zm-request-timestamp': timestamp, 'x-zm-signature': signature })).toThrow(refused);
      }),
    );
    const member = fc.constantFrom(
      'event',
      'event_ts',
      'payload',
      'object',
      'account_id',
      'recording_files',
      'participant',
      '__proto__',
      'toString',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.dictionary(member, tie('tree')), fc.array(tie('tree'), { maxLength: 3 })),
    }));
    fc.assert(
      fc.property(
        fc.oneof(
          tree.map((value) => Buffer.from(JSON.stringify(value))),
          fc.uint8Array().map((body) => Buffer.from(body)),
        ),
        (bytes) => {
          const opened = open(bytes, signZoom(SECRET, bytes, NOW));
          expect(opened).toMatchObject({ deliveries: [{ key: expect.stringMatching(/^\d{13}\.[A-Za-z0-9_-]{43}$/), bytes }] });
        },
      ),
      { numRuns: 500 },
    );
  });
});
