import { getResponse, HttpResponse } from 'msw';
import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import type { MeetingRequest, VendorMeeting } from '../../providers/provider.ts';
import { DAY, MINUTE, plus } from '../../src/domain/time.ts';
import { testAccount } from '../support/account.ts';
import { applicable, failureOf, gate, refusalWith } from './harness.ts';
import type { ProviderConformance, VendorStandIn } from './options.ts';

export const meetingRequest = ({ now }: Pick<ProviderConformance, 'now'>, overrides: Partial<MeetingRequest> = {}): MeetingRequest => ({
  key: 'mtg_0123456789abcdef',
  retry: false,
  title: 'Consultation: “Zürich” & more',
  startsAt: new Date(Math.ceil(now.getTime() / MINUTE) * MINUTE + DAY),
  durationMinutes: 45,
  timeZone: 'Europe/Berlin',
  recordAutomatically: false,
  participantVideo: true,
  ...overrides,
});

export function describeMeetings(server: SetupServer, options: ProviderConformance): void {
  const start = () => {
    const vendor = options.vendor();
    server.use(...vendor.handlers);
    const provider = options.create();
    const account = testAccount(options.account);
    return { vendor, provider, account, create: (overrides = {}) => provider.createMeeting(account, meetingRequest(options, overrides)) };
  };

  describe('createMeeting', () => {
    it('makes one vendor meeting as asked, with its id and an https join link, and nothing degraded', async () => {
      const { vendor, create } = start();
      const meeting = await create();
      const asked = meetingRequest(options);
      expect(vendor.meetings()).toEqual([
        { id: meeting.id, title: asked.title, startsAt: asked.startsAt, durationMinutes: asked.durationMinutes },
      ]);
      expect(new URL(meeting.joinUrl).protocol).toBe('https:');
      expect(meeting.degraded).toEqual([]);
      for (const value of Object.values(meeting.details)) expect(value).toEqual(expect.any(String));
    });

    it('makes different meetings for different keys', async () => {
      const { vendor, create } = start();
      const one = await create({ key: 'mtg_one_one_one' });
      const other = await create({ key: 'mtg_other_other' });
      expect(one.id).not.toBe(other.id);
      expect(one.joinUrl).not.toBe(other.joinUrl);
      expect(
        vendor
          .meetings()
          .map(({ id }) => id)
          .toSorted(),
      ).toEqual([one.id, other.id].toSorted());
    });

    it('adopts the meeting of an earlier attempt whose answer arrived but was not kept', async () => {
      const { vendor, create } = start();
      const first = await create();
      const again = await create({ retry: true });
      expect({ id: again.id, joinUrl: again.joinUrl }).toEqual({ id: first.id, joinUrl: first.joinUrl });
      expect(vendor.meetings()).toHaveLength(1);
    });

    it('makes the meeting on a retry when the earlier attempt never reached the vendor', async () => {
      const { vendor, create } = start();
      const meeting = await create({ retry: true });
      expect(vendor.meetings().map(({ id }) => id)).toEqual([meeting.id]);
    });

    it('case 66: whichever answer is lost, the retry ends with exactly one vendor meeting', async () => {
      const exchanges = await countExchanges();
      expect(exchanges).toBeGreaterThan(0);
      for (let lost = 1; lost <= exchanges; lost += 1) {
        const { vendor, create } = start();
        let seen = 0;
        server.use(
          ...gate(options.api, async (request) => {
            seen += 1;
            if (seen !== lost) return undefined;
            // The vendor did the work; only its answer does not arrive.
            await getResponse([...vendor.handlers], request.clone());
            return HttpResponse.error();
          }),
        );
        const first = await create().catch(() => undefined);
        const meeting = await create({ retry: true });
        expect(vendor.meetings().map(({ id }) => id)).toEqual([meeting.id]);
        expect([undefined, meeting.id]).toContain(first?.id);
        server.resetHandlers();
      }
    });

    const countExchanges = async (): Promise<number> => {
      const { create } = start();
      let seen = 0;
      server.use(
        ...gate(options.api, () => {
          seen += 1;
          return undefined;
        }),
      );
      await create();
      server.resetHandlers();
      return seen;
    };

    applicable('a 2xx that dropped what was asked for', options.degraded, (cases) => {
      it.each(cases)('says what a 2xx silently dropped: $name', async ({ request, vendor, lists }) => {
        const standIn = vendor();
        server.use(...standIn.handlers);
        const meeting = await options.create().createMeeting(testAccount(options.account), meetingRequest(options, request));
        expect(meeting.degraded.toSorted()).toEqual(lists.toSorted());
        expect(standIn.meetings()).toHaveLength(1);
      });
    });
  });

  describe('changeMeeting, cancelMeeting, hostUrl', () => {
    const change = { title: 'Moved', startsAt: plus(meetingRequest(options).startsAt, DAY), durationMinutes: 30, timeZone: 'Asia/Tokyo' };

    it("changes title, time and duration, and keeps the vendor's meeting", async () => {
      const { vendor, provider, account, create } = start();
      const meeting = await create();
      await provider.changeMeeting(account, meeting, change);
      expect(vendor.meetings()).toEqual([
        { id: meeting.id, title: change.title, startsAt: change.startsAt, durationMinutes: change.durationMinutes },
      ]);
    });

    it('case 68: changing and cancelling succeed when the meeting is gone at the vendor', async () => {
      const { vendor, provider, account, create } = start();
      const meeting = await create();
      vendor.deleteMeetings();
      await provider.changeMeeting(account, meeting, change);
      await provider.cancelMeeting(account, meeting);
      expect(vendor.meetings()).toEqual([]);
    });

    it('case 68: cancels that meeting and no other, and may be asked twice', async () => {
      const { vendor, provider, account, create } = start();
      const kept = await create({ key: 'mtg_kept_kept' });
      const meeting = await create({ key: 'mtg_cancelled_1' });
      await provider.cancelMeeting(account, meeting);
      await provider.cancelMeeting(account, meeting);
      expect(vendor.meetings().map(({ id }) => id)).toEqual([kept.id]);
    });

    it.each([
      ['changing', (provider: Providing, meeting: VendorMeeting) => provider.changeMeeting(testAccount(options.account), meeting, change)],
      ['cancelling', (provider: Providing, meeting: VendorMeeting) => provider.cancelMeeting(testAccount(options.account), meeting)],
    ] as const)('does not take a refusal for "gone" when %s', async (_, act) => {
      const { vendor, provider, create } = start();
      const meeting = await create();
      server.use(...gate(options.api, () => refusalWith(400, options.errorBody(400))));
      await expect(act(provider, meeting)).rejects.toMatchObject({ name: 'Failure' });
      expect(vendor.meetings()).toHaveLength(1);
    });

    it('gives the host a link of the vendor', async () => {
      const { provider, account, create } = start();
      expect(await provider.hostUrl(account, await create())).toMatch(options.hostUrl);
    });
  });

  describe('recordAutomatically', () => {
    const set = async (vendor: VendorStandIn, ons: readonly boolean[], requested = false) => {
      server.use(...vendor.handlers);
      const provider = options.create();
      const account = testAccount(options.account);
      const meeting = await provider.createMeeting(account, meetingRequest(options, { recordAutomatically: requested }));
      const told: boolean[] = [];
      for (const on of ons) told.push(await provider.recordAutomatically!(account, meeting, on));
      return { told, vendor: vendor.recordsAutomatically(meeting.id) };
    };

    it('G12 switches automatic recording on and off at the vendor, and may be asked twice', async () => {
      expect(await set(options.vendor(), [true])).toEqual({ told: [true], vendor: true });
      expect(await set(options.vendor(), [true, true, false, false])).toEqual({ told: [true, true, false, false], vendor: false });
      expect(await set(options.vendor(), [false], true)).toEqual({ told: [false], vendor: false });
    });

    applicable('a setting that is dropped in silence', options.settingDropped, ({ neverOn, alwaysOn }) => {
      it('G12 tells what the vendor will do, and not what it was asked for, when it drops the setting in silence', async () => {
        expect(await set(neverOn(), [true])).toEqual({ told: [false], vendor: false });
        expect(await set(alwaysOn(), [false])).toEqual({ told: [true], vendor: true });
      });
    });

    it('says that the meeting is gone', async () => {
      const { vendor, provider, account, create } = start();
      const meeting = await create();
      vendor.deleteMeetings();
      expect((await failureOf(provider.recordAutomatically!(account, meeting, true))).code).toBe('gone');
    });

    it('does not take a refusal for an answer', async () => {
      const { provider, account, create } = start();
      const meeting = await create();
      server.use(...gate(options.api, () => refusalWith(400, options.errorBody(400))));
      expect((await failureOf(provider.recordAutomatically!(account, meeting, true))).code).not.toBe('gone');
    });
  });

  describe('endMeeting', () => {
    it('is there exactly when the vendor can do it', () => {
      expect(options.create().endMeeting !== undefined).toBe(options.endMeeting === true);
    });

    applicable('ending a running meeting', options.endMeeting, () => {
      it('ends a running meeting, and succeeds when it is not running or gone', async () => {
        const { vendor, provider, account, create } = start();
        const meeting = await create();
        vendor.start!(meeting.id);
        expect(vendor.isRunning!(meeting.id)).toBe(true);
        await provider.endMeeting!(account, meeting);
        expect(vendor.isRunning!(meeting.id)).toBe(false);
        await provider.endMeeting!(account, meeting);
        vendor.deleteMeetings();
        await provider.endMeeting!(account, meeting);
      });
    });
  });
}

type Providing = ReturnType<ProviderConformance['create']>;
