import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import { testAccount } from '../support/account.ts';
import { applicable, failureOf, gate, refusalWith, textOf } from './harness.ts';
import { meetingRequest } from './meetings.ts';
import type { ProviderConformance } from './options.ts';

const CONTENT = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');

export function describeRecordings(server: SetupServer, options: ProviderConformance): void {
  const start = async (state?: 'processing' | 'ready') => {
    const vendor = options.vendor();
    server.use(...vendor.handlers);
    const provider = options.create();
    const account = testAccount(options.account);
    const meeting = await provider.createMeeting(account, meetingRequest(options));
    if (state !== undefined) vendor.record(meeting.id, { state, content: CONTENT, contentType: 'video/mp4' });
    const open = async (range?: string, signal: AbortSignal = new AbortController().signal) => {
      const [recording] = await provider.recordings.list(account, meeting);
      const file = recording?.files.find(({ kind }) => kind === 'video');
      if (recording === undefined || file === undefined) throw new Error('the recording has no video file');
      return provider.recordings.open(account, { meeting, recordingId: recording.id, fileId: file.id, range, signal });
    };
    return { vendor, provider, account, meeting, open };
  };

  describe('recordings.list', () => {
    it('is empty when nothing was recorded', async () => {
      const { provider, account, meeting } = await start();
      expect(await provider.recordings.list(account, meeting)).toEqual([]);
    });

    it('gives a ready recording with its video file, the same each time', async () => {
      const { provider, account, meeting } = await start('ready');
      const recordings = await provider.recordings.list(account, meeting);
      expect(recordings).toHaveLength(1);
      const [recording] = recordings;
      expect(recording?.state).toBe('ready');
      expect(recording?.id).toMatch(/./);
      expect(recording?.startedAt).toBeInstanceOf(Date);
      expect(recording?.files).toContainEqual(
        expect.objectContaining({ kind: 'video', contentType: 'video/mp4', id: expect.stringMatching(/./) }),
      );
      expect(await provider.recordings.list(account, meeting)).toEqual(recordings);
    });

    applicable('a recording that is not ready', options.processingIsListed, () => {
      it('G13 says that a recording is still being processed', async () => {
        const { provider, account, meeting } = await start('processing');
        expect((await provider.recordings.list(account, meeting)).map(({ state }) => state)).toEqual(['processing']);
      });
    });

    it('is empty after the vendor has deleted the recording', async () => {
      const { vendor, provider, account, meeting } = await start('ready');
      vendor.deleteRecordings();
      expect(await provider.recordings.list(account, meeting)).toEqual([]);
    });

    it('does not take a refusal for "none"', async () => {
      const { provider, account, meeting } = await start('ready');
      server.use(...gate(options.api, () => refusalWith(400, options.errorBody(400))));
      await failureOf(provider.recordings.list(account, meeting));
    });
  });

  describe('recordings.open', () => {
    it('streams the whole file', async () => {
      const { open } = await start('ready');
      const media = await open();
      expect([media.status, media.contentType, media.contentRange]).toEqual([200, 'video/mp4', null]);
      expect([null, CONTENT.length]).toContain(media.contentLength);
      expect(await textOf(media.body)).toBe(CONTENT.toString());
    });

    applicable('ranges of a file', options.ranges, () => {
      it.each([
        ['bytes=2-5', '2345', 'bytes 2-5/36'],
        ['bytes=30-', 'uvwxyz', 'bytes 30-35/36'],
        ['bytes=-3', 'xyz', 'bytes 33-35/36'],
      ])('case 114: passes the range on as it is: %s', async (range, content, contentRange) => {
        const { open } = await start('ready');
        const media = await open(range);
        expect([media.status, media.contentRange, await textOf(media.body)]).toEqual([206, contentRange, content]);
      });

      it('case 114: says when there is no such range', async () => {
        const { open } = await start('ready');
        const media = await open('bytes=99-');
        expect([media.status, media.contentRange]).toEqual([416, 'bytes */36']);
        await media.body.cancel();
      });
    });

    it('says that a deleted recording is gone', async () => {
      const { vendor, provider, account, meeting } = await start('ready');
      const [recording] = await provider.recordings.list(account, meeting);
      vendor.deleteRecordings();
      const request = {
        meeting,
        recordingId: recording!.id,
        fileId: recording!.files[0]!.id,
        range: undefined,
        signal: new AbortController().signal,
      };
      expect((await failureOf(provider.recordings.open(account, request))).code).toBe('gone');
    });

    it('says that a file which the recording never had is gone', async () => {
      const { provider, account, meeting } = await start('ready');
      const [recording] = await provider.recordings.list(account, meeting);
      const request = {
        meeting,
        recordingId: recording!.id,
        fileId: 'no-such-file',
        range: undefined,
        signal: new AbortController().signal,
      };
      expect((await failureOf(provider.recordings.open(account, request))).code).toBe('gone');
    });

    it('case 114: stops the upstream when the viewer leaves', async () => {
      const { vendor, open } = await start('ready');
      const endless = vendor.serveEndlessly();
      const leaving = new AbortController();
      const media = await open(undefined, leaving.signal);
      const reader = media.body.getReader();
      expect((await reader.read()).done).toBe(false);
      leaving.abort();
      // The intercepted fetch does not carry a late abort to its body; the real one does both.
      await reader.cancel().catch(() => {});
      await endless.cancelled;
    });

    it('does not ask for the media of a viewer who has left already', async () => {
      const { open } = await start('ready');
      await expect(open(undefined, AbortSignal.abort())).rejects.toBeInstanceOf(Error);
    });
  });
}
