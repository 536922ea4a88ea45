/** The contract of providers/provider.ts as tests: every adapter's test file calls `describeProvider` and adds only what is special to it. */
import { setupServer, type SetupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { guardContract, type ContractGuard } from '../contracts/validate.ts';
import { describeEndings } from './endings.ts';
import { describeFailures } from './failures.ts';
import { describeMeetings } from './meetings.ts';
import { describeOAuth } from './oauth.ts';
import type { ProviderConformance } from './options.ts';
import { describePlatform } from './platform.ts';
import { describeRecordings } from './recordings.ts';
import { describeSubscriptions } from './subscriptions.ts';
import { describeWebhook } from './webhook.ts';

export type { Arrival, DeliveryCase, NotApplicable, ProviderConformance, RefusalCase, Signer, VendorStandIn } from './options.ts';
export { failureOf, gate, refusalWith, textOf, webhookRequest, wrongOnPurpose } from './harness.ts';
export { meetingRequest } from './meetings.ts';

/** Runs the suite; hands back the server for the adapter's own tests in the same file. Every exchange is checked against the published shapes. */
export function describeProvider(options: ProviderConformance): SetupServer {
  const server = guardedServer(options);
  describe(`${options.id} keeps the contract of a provider`, () => {
    it('has its id', () => expect(options.create().id).toBe(options.id));
    describeMeetings(server, options);
    describeFailures(server, options);
    describeRecordings(server, options);
    describeEndings(server, options);
    describeOAuth(server, options);
    describeWebhook(server, options);
    describeSubscriptions(server, options);
    describePlatform(server, options);
  });
  return server;
}

/** An msw server for one test file that refuses unknown requests, and fails a test whose exchanges break the published shapes. */
export function guardedServer({ contract }: Pick<ProviderConformance, 'contract'>): SetupServer {
  const server = setupServer();
  let guard: ContractGuard;
  beforeAll(() => {
    server.listen({ onUnhandledRequest: 'error' });
    guard = guardContract(server, contract);
  });
  afterEach(async () => {
    await guard.settled();
    const violations = guard.violations();
    guard.clear();
    server.resetHandlers();
    expect(violations, 'exchanges that break the published shapes').toEqual([]);
  });
  afterAll(() => {
    server.close();
    expect(guard.exchanges(), 'checked exchanges').toBeGreaterThan(0);
  });
  return server;
}
