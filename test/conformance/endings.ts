/** What a vendor can do with a recording beyond showing it to its owner: share it, stop sharing it, delete it. */
import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import { testAccount } from '../support/account.ts';
import { applicable, failureOf, gate, refusalWith } from './harness.ts';
import { meetingRequest } from './meetings.ts';
import { isNotApplicable, type ProviderConformance, type VendorStandIn } from './options.ts';

export function describeEndings(server: SetupServer, options: ProviderConformance): void {
  const start = async (vendor: VendorStandIn = options.vendor()) => {
    server.use(...vendor.handlers);
    const { recordings, ...provider } = options.create();
    const account = testAccount(options.account);
    const meeting = await provider.createMeeting(account, meetingRequest(options));
    vendor.record(meeting.id, { state: 'ready', content: Buffer.from('film'), contentType: 'video/mp4' });
    const [recorded] = await recordings.list(account, meeting);
    return { vendor, account, recordings, recording: { meeting, recordingId: recorded!.id } };
  };

  describe('recordings.shares', () => {
    it('are there exactly when the vendor can show a recording to strangers', () => {
      expect(options.create().recordings.shares !== undefined).toBe(!isNotApplicable(options.shares));
    });

    applicable('sharing at the vendor', options.shares, ({ neverOpen, page, passcode }) => {
      it('G17 opens the page, tells that it is open, and closes it, each of them also twice', async () => {
        const { vendor, account, recordings, recording } = await start();
        const shares = recordings.shares!;
        const opened = await shares.open(account, recording);
        expect(opened).toEqual({ url: expect.stringMatching(page), passcode });
        expect(await shares.open(account, recording)).toEqual(opened);
        expect([await shares.isOpen(account, recording), vendor.shared!()]).toEqual([true, [recording.recordingId]]);
        await shares.close(account, recording);
        await shares.close(account, recording);
        expect([await shares.isOpen(account, recording), vendor.shared!()]).toEqual([false, []]);
      });

      it('G17 says that the account may not share when the vendor drops the setting in silence', async () => {
        const { account, recordings, recording } = await start(neverOpen());
        expect((await failureOf(recordings.shares!.open(account, recording))).code).toBe('not_capable');
        expect(await recordings.shares!.isOpen(account, recording)).toBe(false);
      });

      it('G15 closing succeeds, and nothing is open, when the recording is gone', async () => {
        const { vendor, account, recordings, recording } = await start();
        const shares = recordings.shares!;
        await shares.open(account, recording);
        vendor.deleteRecordings();
        await shares.close(account, recording);
        expect(await shares.isOpen(account, recording)).toBe(false);
        expect((await failureOf(shares.open(account, recording))).code).toBe('gone');
      });

      it('G15 does not take a refusal for "closed"', async () => {
        const { account, recordings, recording } = await start();
        await recordings.shares!.open(account, recording);
        server.use(...gate(options.api, () => refusalWith(400, options.errorBody(400))));
        await failureOf(recordings.shares!.close(account, recording));
        await failureOf(recordings.shares!.isOpen(account, recording));
      });
    });
  });

  describe('recordings.removal', () => {
    it('is there exactly when the vendor lets an app delete recordings', () => {
      expect(options.create().recordings.removal !== undefined).toBe(!isNotApplicable(options.removal));
    });

    applicable('deleting at the vendor', options.removal, ({ refusals }) => {
      it('G15 deletes the recording for good, tells that it is gone, and may be asked twice', async () => {
        const { vendor, account, recordings, recording } = await start();
        const removal = recordings.removal!;
        expect(await removal.isGone(account, recording)).toBe(false);
        await removal.remove(account, recording);
        expect([await removal.isGone(account, recording), vendor.remaining!()]).toEqual([true, []]);
        await removal.remove(account, recording);
        expect(await removal.isGone(account, recording)).toBe(true);
      });

      it('G15 does not call gone what lies in a trash and can be brought back', async () => {
        const { vendor, account, recordings, recording } = await start();
        vendor.trash!();
        expect(await recordings.removal!.isGone(account, recording)).toBe(false);
      });

      it('G15 does not take a refusal for "gone"', async () => {
        const { vendor, account, recordings, recording } = await start();
        server.use(...gate(options.api, () => refusalWith(400, options.errorBody(400))));
        await failureOf(recordings.removal!.remove(account, recording));
        await failureOf(recordings.removal!.isGone(account, recording));
        expect(vendor.remaining!()).toEqual([recording.recordingId]);
      });

      it.each(refusals)('G15 names why it could not be deleted: $name', async ({ status, headers, body, code, vendorCode }) => {
        const { account, recordings, recording } = await start();
        server.use(...gate(options.api, ({ method }) => (method === 'DELETE' ? refusalWith(status, body, headers) : undefined)));
        const failure = await failureOf(recordings.removal!.remove(account, recording));
        expect([failure.code, failure.extra['vendor_code']]).toEqual([code, vendorCode]);
      });
    });
  });
}
