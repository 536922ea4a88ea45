import { inboxContext } from '../../src/connections/sealed.ts';
import { setImmediate as turn } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { insertInboxEntries } from '../../src/store/inbox.ts';
import { fixture } from '../providers/zoom-vendor.ts';
import { testWorld } from '../support/world.ts';

test('case 60: a long backlog is worked off in slices, between which everybody else gets in', async () => {
  const world = await testWorld();
  const { db, vault, wake } = world.gateway.gateway;
  const { inbox } = db.read.t;
  const body = fixture('recording.completed');
  const receivedAt = world.now();
  const key = (index: number): string => `zoom:${String(index).padStart(13, '0')}`;
  const entries = Array.from({ length: 1_000 }, (_, index) => ({
    key: key(index),
    provider: 'zoom',
    bodySealed: vault.seal(body, inboxContext(key(index))),
    receivedAt,
  }));
  await db.write((tx) => insertInboxEntries(tx, entries));
  wake();
  let turns = 0;
  while ((await db.read.$count(inbox, eq(inbox.attempts, 0))) > 0) {
    await turn();
    turns += 1;
  }
  // A slice takes 32 at most, so there are 32 slices or more.
  expect(turns).toBeGreaterThanOrEqual(30);
  expect(await db.read.$count(inbox, eq(inbox.reason, 'unmatched'))).toBe(1_000);
});
