import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { eq } from 'drizzle-orm';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import type { Meeting } from '../../src/store/meetings.ts';
import { MINUTE, SECOND } from '../../src/domain/time.ts';
import { boughtMeeting, createMeeting, type MeetingJson } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';
import { overflowing, SMALLEST, unexpected, useBrowser } from './support.ts';

const visit = useBrowser();
const joinOf = ({ attendees }: MeetingJson): string => attendees[0]!.join_url;
const change = ({ gateway }: World, { id }: { id: string }, changes: Partial<Meeting>) =>
  gateway.gateway.db.write((tx) => tx.update(tx.t.meetings).set(changes).where(eq(tx.t.meetings.id, id)));
/** A run that ends by the plan's limit in `restMs`. */
const running = (world: World, restMs: number): Partial<Meeting> => {
  const limitEndsAt = new Date(world.now().getTime() + restMs);
  return { state: 'live', runningSince: new Date(limitEndsAt.getTime() - 40 * MINUTE), limitEndsAt };
};

async function openMeeting(clock: 'running' | 'standing' = 'running') {
  const world = await testWorld({ clock });
  await connect(world, 'zoom');
  return { world, meeting: await boughtMeeting(world, { duration_minutes: 60 }) };
}

const rest = async (page: Page): Promise<number> => {
  const [minutes, seconds] = (await page.locator('#live [data-until]').innerText()).split(':').map(Number);
  return minutes! * 60 + seconds!;
};

describe('the live pages of a meeting', { timeout: 90_000 }, () => {
  it('G14 count down to the limit as soon as the meeting runs, without being loaded again, and say when it comes near', async () => {
    const { world, meeting } = await openMeeting();
    const { page, complaints } = await visit(SMALLEST);
    await page.goto(joinOf(meeting));
    await page.evaluate(() => document.body.setAttribute('data-same-document', ''));
    await change(world, meeting, running(world, 10 * MINUTE + 2 * SECOND));
    await page.locator('[data-limit]').waitFor();
    const first = await rest(page);
    expect(first).toBeLessThanOrEqual(602);
    expect(first).toBeGreaterThan(590);
    await vi.waitFor(async () => expect(await rest(page)).toBeLessThan(first), { timeout: 5_000 });
    await page.getByText('Less than 10 minutes left, then the free plan at Zoom ends this meeting.').waitFor();
    expect(await page.getByText('1 minute left').isVisible()).toBe(false);

    await change(world, meeting, running(world, 61 * SECOND));
    await page.getByText('5 minutes left').waitFor();
    await page.getByText('Less than 1 minute left, then the free plan at Zoom ends this meeting.').waitFor();
    await change(world, meeting, running(world, SECOND));
    await page.getByText('The limit of the free plan is reached').waitFor();
    expect(await rest(page)).toBe(0);
    expect(await page.evaluate(() => document.body.hasAttribute('data-same-document'))).toBe(true);
    expect(await page.evaluate(overflowing)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('R06 tell with an alert that the host is lost, and take it back', async () => {
    const { world, meeting } = await openMeeting();
    await change(world, meeting, running(world, 30 * MINUTE));
    const [{ page: customer }, { page: host }] = [await visit(), await visit()];
    await customer.goto(joinOf(meeting));
    await host.goto(meeting.host_url);
    await customer.locator('[data-limit]').waitFor();
    expect(await customer.getByRole('alert').count()).toBe(0);
    await change(world, meeting, { hostLostAt: world.now() });
    await customer.getByRole('alert').getByText('Your professional lost the connection').waitFor();
    await host.getByRole('alert').getByText('You have left the call').waitFor();
    await change(world, meeting, { hostLostAt: null });
    for (const page of [customer, host]) await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('survive a lost connection: they come back without being loaded again, and no clock goes back', async () => {
    const { world, meeting } = await openMeeting();
    await change(world, meeting, running(world, 30 * MINUTE));
    const line = await startLine(world.publicUrl);
    const { page, complaints } = await visit();
    await page.goto(joinOf(meeting).replace(world.publicUrl, line.url));
    await page.locator('[data-limit]').waitFor();
    await page.evaluate(() => document.body.setAttribute('data-same-document', ''));
    await vi.waitFor(() => expect(line.streams()).toBe(1));
    const before = await rest(page);

    line.cut();
    await change(world, meeting, { hostLostAt: world.now() });
    line.mend();
    await page.getByRole('alert').getByText('Your professional lost the connection').waitFor({ timeout: 20_000 });
    expect(line.streams()).toBeGreaterThan(1);
    expect(await rest(page)).toBeLessThan(before);
    expect(await page.evaluate(() => document.body.hasAttribute('data-same-document'))).toBe(true);
    expect(unexpected(complaints).filter((complaint) => !complaint.includes('net::ERR_'))).toEqual([]);
  });

  it('lead both sides to the meeting that continues this one, by themselves', async () => {
    const { world, meeting } = await openMeeting();
    await change(world, meeting, running(world, 20 * SECOND));
    const next = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax consultation, continued' } });
    const [customer, host] = [await visit(SMALLEST), await visit(SMALLEST)];
    await customer.page.goto(joinOf(meeting));
    await host.page.goto(meeting.host_url);
    await host.page.getByRole('button', { name: 'Continue in a new meeting' }).waitFor();
    expect(await customer.page.getByText('Continue in a new meeting').count()).toBe(0);

    await change(world, meeting, { continuedBy: next.id });
    for (const { page } of [customer, host]) {
      await page.getByRole('alert').getByText('It goes on in a new meeting').waitFor();
      await page.getByText('You are taken there in 10 seconds.').waitFor();
      expect(await page.evaluate(overflowing)).toEqual([]);
    }
    expect(await host.page.getByRole('button', { name: 'Continue in a new meeting' }).count()).toBe(0);
    await customer.page.waitForURL(joinOf(next), { timeout: 20_000 });
    await host.page.waitForURL(next.host_url, { timeout: 20_000 });
    await customer.page.getByRole('heading', { level: 1, name: 'Tax consultation, continued' }).waitFor();
    for (const { complaints } of [customer, host]) expect(unexpected(complaints)).toEqual([]);
  });

  it('stay where somebody wants to stay, by the keyboard alone, or is writing', async () => {
    const { world, meeting } = await openMeeting();
    const next = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Continued' } });
    const { page } = await visit();
    await page.clock.install();
    await page.goto(joinOf(meeting));
    await change(world, meeting, { continuedBy: next.id });
    await page.clock.runFor(SECOND);
    const stay = page.getByRole('button', { name: 'Stay here' });
    await page.getByText('It goes on in a new meeting').waitFor();
    await page.clock.runFor(SECOND);
    await stay.waitFor();
    await stay.focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Go to the new meeting');
    await page.clock.runFor(30 * SECOND);
    expect(page.url()).toBe(joinOf(meeting));
    expect(await stay.isVisible()).toBe(false);

    await page.reload();
    await page.getByText('Report a problem').click();
    await page.getByLabel('What happened?').fill('He was late.');
    await page.clock.runFor(30 * SECOND);
    expect(page.url()).toBe(joinOf(meeting));
    await page.getByRole('link', { name: 'Go to the new meeting' }).click();
    await page.waitForURL(joinOf(next));
  });

  it('offer a link instead where there is no JavaScript', async () => {
    const { world, meeting } = await openMeeting('standing');
    const next = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Continued' } });
    await change(world, meeting, { ...running(world, 5 * MINUTE), continuedBy: next.id });
    for (const [from, to] of [
      [joinOf(meeting), joinOf(next)],
      [meeting.host_url, next.host_url],
    ] as const) {
      const { page } = await visit({ ...SMALLEST, javaScriptEnabled: false });
      await page.goto(from);
      await page.getByText('5 minutes left').waitFor();
      expect(await page.getByRole('button', { name: 'Stay here' }).isVisible()).toBe(false);
      await page.getByRole('link', { name: 'Go to the new meeting' }).click();
      await page.waitForURL(to);
    }
  });

  it('say by themselves that the meeting has ended, and that it is over', async () => {
    const { world, meeting } = await openMeeting('standing');
    await change(world, meeting, running(world, MINUTE));
    const { page, complaints } = await visit();
    await page.goto(joinOf(meeting));
    await page.locator('[data-limit]').waitFor();
    await change(world, meeting, { state: 'ended', endedAt: world.now(), runningSince: null, limitEndsAt: null });
    await page.getByRole('heading', { name: 'The meeting has ended' }).waitFor();
    await page.getByRole('button', { name: 'Join with Zoom' }).waitFor();
    world.jump(3 * 60 * MINUTE);
    await page.getByRole('heading', { name: 'This meeting is over' }).waitFor();
    expect(await page.getByRole('button', { name: 'Join with Zoom' }).count()).toBe(0);
    expect(unexpected(complaints)).toEqual([]);
  });

  it('let a customer in whose purchase has arrived, without being loaded again by hand', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    const { page } = await visit();
    await page.goto(joinOf(meeting));
    await page.getByText('Your purchase is not complete yet').waitFor();
    await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' });
    await page.getByRole('button', { name: 'Join with Zoom' }).waitFor();
  });

  it('fetch themselves anew where streams do not get through', async () => {
    const { world, meeting } = await openMeeting();
    const { page } = await visit();
    await page.route('**/live', (route) => route.fulfill({ status: 503 }));
    await page.clock.install();
    await page.goto(joinOf(meeting));
    await change(world, meeting, running(world, 30 * MINUTE));
    await page.clock.runFor(21 * SECOND);
    await page.locator('[data-limit]').waitFor();
  });
});

/** A line between browser and gateway that can be cut and mended. */
async function startLine(target: string) {
  const sockets = new Set<Socket>();
  let streams = 0;
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = connectTo(Number(new URL(target).port), '127.0.0.1');
    near.on('data', (bytes) => {
      if (/^GET \S+\/live /m.test(bytes.toString('latin1'))) streams += 1;
    });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How many streams were asked for so far. */
    streams: () => streams,
    cut: () => {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      whole = true;
    },
  };
}
