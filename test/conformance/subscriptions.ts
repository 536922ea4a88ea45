import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import { testAccount } from '../support/account.ts';
import { applicable, failureOf } from './harness.ts';
import { isNotApplicable, type ProviderConformance } from './options.ts';

export function describeSubscriptions(server: SetupServer, options: ProviderConformance): void {
  describe('subscriptions', () => {
    it("are there exactly when the vendor's event feed expires", () => {
      expect(options.create().subscriptions !== undefined).toBe(!isNotApplicable(options.subscriptions));
    });

    applicable('subscriptions', options.subscriptions, ({ notificationUrl, lifecycleUrl, account: facts }) => {
      const start = () => {
        const vendor = options.vendor();
        server.use(...vendor.handlers);
        const account = testAccount({ ...options.account, ...facts });
        const subscriptions = options.create().subscriptions!;
        return { vendor, account, subscriptions, create: () => subscriptions.create(account, { notificationUrl, lifecycleUrl }) };
      };

      it('makes one, and adopts it when asked again', async () => {
        const { vendor, create } = start();
        const first = await create();
        expect(first.expiresAt.getTime()).toBeGreaterThan(options.now.getTime());
        expect((await create()).id).toBe(first.id);
        expect(vendor.subscriptions!()).toEqual([first.id]);
      });

      it('renews it under the same id', async () => {
        const { account, subscriptions, create } = start();
        const first = await create();
        const renewed = await subscriptions.renew(account, first.id);
        expect(renewed.id).toBe(first.id);
        expect(renewed.expiresAt.getTime()).toBeGreaterThanOrEqual(first.expiresAt.getTime());
      });

      it('case 47: says that one that does not exist any more is gone, so that a new one is made', async () => {
        const { vendor, account, subscriptions, create } = start();
        const { id } = await create();
        vendor.deleteSubscriptions!();
        expect((await failureOf(subscriptions.renew(account, id))).code).toBe('gone');
      });

      it('removes it, and may be asked twice', async () => {
        const { vendor, account, subscriptions, create } = start();
        const { id } = await create();
        await subscriptions.remove(account, id);
        expect(vendor.subscriptions!()).toEqual([]);
        await subscriptions.remove(account, id);
      });
    });
  });
}
