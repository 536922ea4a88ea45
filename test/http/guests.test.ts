/** Guests where links may be shared, and personal links that are shared where they may not (F10). */
import { expect, it } from 'vitest';
import { createBrowser, location, visit, type Answer } from '../../demo/clients.ts';
import type { World, WorldOptions } from '../../demo/world.ts';
import { openGuestLink, recordGuestConsent } from '../../src/meetings/guests.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  databaseOf,
  DAY,
  eventually,
  getMeeting,
  happen,
  HOUR,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
} from '../support/gateway.ts';
import type { MeetingJson } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

interface GuestJson {
  readonly id: string;
  readonly url: string;
  readonly name: string | null;
  readonly invited_by: string;
  readonly uses: number;
}

const invite = ({ api }: Pick<World, 'api'>, { id }: MeetingJson, body: unknown = {}): Promise<Answer> =>
  api('POST', `/v1/meetings/${id}/guests`, body);
const guestsOf = async ({ api }: Pick<World, 'api'>, { id }: MeetingJson) =>
  must(await api('GET', `/v1/meetings/${id}/guests`), 200).json as unknown as {
    data: GuestJson[];
    shared_links: { customer_id: string; places: number }[];
  };
const post = (url: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  visit(url, { method: 'POST', body: new URLSearchParams(fields) });
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type).map(({ data }) => data);
const joinOf = ({ attendees }: MeetingJson): string => attendees[0]!.join_url;
const SHAREABLE = { links: { shareable: true } };

describeOnBothDatabases('guests', (_open, engine) => {
  const start = async (patch: Readonly<Record<string, unknown>>, options: Partial<WorldOptions> = {}) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine), ...options });
    await setPolicy(world, patch);
    await connect(world, 'zoom');
    return world;
  };

  it('F10 come in by a link of their own that is counted, told and revoked at once', async () => {
    const world = await start(SHAREABLE);
    const meeting = await boughtMeeting(world);
    const guest = must(await invite(world, meeting, { name: 'Grace' }), 201).json as unknown as GuestJson;
    expect(guest).toMatchObject({ name: 'Grace', invited_by: 'marketplace', customer_id: null, uses: 0, revoked_at: null });
    const page = (await visit(guest.url)).text;
    expect(page).toContain('Invitation for Grace, as a guest');
    expect(page).not.toContain(meeting.link.provider_join_url);
    expect((await post(`${guest.url}/join`)).headers.get('location')).toBe(meeting.link.provider_join_url);
    // A second press tells nothing new, a minute later it does.
    await post(`${guest.url}/join`);
    world.jump(MINUTE);
    await post(`${guest.url}/join`);
    await settled(world);
    const uses = told(world, 'meeting.guest_joined');
    expect(uses).toMatchObject([{ guest_id: guest.id, name: 'Grace' }, { guest_id: guest.id }]);
    expect(uses.map((use) => Number(use['uses'])).toSorted((a, b) => a - b)).toEqual([1, 2]);
    // Nobody can tell any more who is the customer: no minute is counted as one of theirs.
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'join', { name: 'Somebody' });
    const people = await eventually('somebody is there', async () => {
      const { sessions } = must(await world.api('GET', `/v1/meetings/${meeting.id}/sessions`), 200).json as {
        sessions: { participants: { side: string }[] }[];
      };
      const sides = sessions.flatMap(({ participants }) => participants.map(({ side }) => side));
      return sides.includes('unknown') && sides;
    });
    expect(people).not.toContain('customer');
    const revoked = must(await world.api('POST', `/v1/guests/${guest.id}/revoke`), 200).json;
    expect(revoked).toMatchObject({ url: null, uses: 2, revoked_at: world.now().toISOString() });
    expect(must(await world.api('POST', `/v1/guests/${guest.id}/revoke`), 200).json).toEqual(revoked);
    expect((await post(`${guest.url}/join`)).status).toBe(410);
    const { read } = world.gateway.gateway.db;
    const audited = (await read.select().from(read.t.audit)).filter(({ subjectId }) => subjectId === guest.id);
    expect(audited.map(({ action }) => action)).toEqual(expect.arrayContaining(['guest.invited', 'guest.revoked']));
  });

  it('F10 are as many as the policy says, none where it says no, and nobody else’s', async () => {
    const world = await start({ links: { shareable: true, max_guests: 2 } });
    const meeting = await boughtMeeting(world);
    const first = must(await invite(world, meeting), 201).json as unknown as GuestJson;
    const second = must(await invite(world, meeting, { invited_by: 'customer', customer_id: 'cus_1' }), 201).json as unknown as GuestJson;
    expect((await invite(world, meeting)).json).toMatchObject({ status: 409, max_guests: 2 });
    must(await world.api('POST', `/v1/guests/${first.id}/revoke`), 200);
    const { id: third } = must(await invite(world, meeting), 201).json as unknown as GuestJson;
    expect((await invite(world, meeting, { invited_by: 'customer' })).status).toBe(422);
    expect((await invite(world, meeting, { invited_by: 'customer', customer_id: 'cus_9' })).status).toBe(404);
    const foreign = await otherMarketplace(world);
    expect((await invite(foreign, meeting)).status).toBe(404);
    expect((await foreign.api('POST', `/v1/guests/${second.id}/revoke`)).status).toBe(404);
    // Twenty in all, however many of them were taken back.
    for (let last = third, ever = 3; ever < 20; ever += 1) {
      must(await world.api('POST', `/v1/guests/${last}/revoke`), 200);
      last = String(must(await invite(world, meeting), 201).json['id']);
      if (ever === 19) must(await world.api('POST', `/v1/guests/${last}/revoke`), 200);
    }
    expect((await guestsOf(world, meeting)).data).toHaveLength(20);
    must(await world.api('POST', `/v1/guests/${second.id}/revoke`), 200);
    expect((await invite(world, meeting)).status).toBe(409);
    await setPolicy(world, {});
    expect((await invite(world, meeting)).json).toMatchObject({ status: 403, code: 'forbidden' });
    // Links that were given open nothing either.
    expect((await post(`${second.url}/join`)).status).toBe(410);
    expect((await visit(joinOf(meeting))).text).not.toContain('Invite guests');
  });

  it('F10 are invited and taken back on the pages of customer and professional, each the own ones', async () => {
    const world = await start(SHAREABLE);
    const meeting = await boughtMeeting(world);
    const made = await post(`${joinOf(meeting)}/guests`, { name: '  Grace\nHopper ' });
    expect([made.status, location(made)]).toEqual([303, `${new URL(joinOf(meeting)).pathname}?guests=invited#guests`]);
    must(await post(`${meeting.host_url}/guests`), 303);
    const { data } = await guestsOf(world, meeting);
    expect(data).toHaveLength(2);
    const own = data.find(({ invited_by: by }) => by === 'customer')!;
    const theirs = data.find(({ invited_by: by }) => by === 'professional')!;
    expect(own.name).toBe('Grace Hopper');
    const joinPage = (await visit(joinOf(meeting))).text;
    expect([joinPage.includes(own.url), joinPage.includes(theirs.url)]).toEqual([true, false]);
    const hostPage = (await visit(meeting.host_url)).text;
    expect([hostPage.includes(own.url), hostPage.includes(theirs.url), hostPage.includes('Grace Hopper')]).toEqual([false, true, true]);
    expect((await post(`${joinOf(meeting)}/guests/${theirs.id}/revoke`)).status).toBe(404);
    expect((await post(`${meeting.host_url}/guests/${own.id}/revoke`)).status).toBe(404);
    // The same sides of another meeting have nothing to say here.
    const other = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Another' } });
    expect((await post(`${other.host_url}/guests/${theirs.id}/revoke`)).status).toBe(404);
    expect((await post(`${joinOf(other)}/guests/${own.id}/revoke`)).status).toBe(404);
    must(await post(`${joinOf(meeting)}/guests/${own.id}/revoke`), 303);
    expect((await visit(own.url)).status).toBe(410);
    expect((await visit(theirs.url)).status).toBe(200);
  });

  it('F10 G12 who would be recorded agrees on the page first, and a no afterwards takes the recording back', async () => {
    const world = await start(SHAREABLE);
    const meeting = await boughtMeeting(world, { recording: 'on_consent' });
    const guest = must(await invite(world, meeting), 201).json as unknown as GuestJson;
    const page = (await visit(guest.url)).text;
    expect(page).toContain('As a guest you can join only if you agree');
    expect(page).not.toContain(`${new URL(guest.url).pathname}/join`);
    expect((await post(`${guest.url}/join`)).status).toBe(403);
    const version = /name="text_version" value="([^"]+)"/.exec(page)![1]!;
    const decide = (decision: string, text_version = version) => post(`${guest.url}/consent`, { decision, text_version, locale: 'en' });
    // The words that customers are asked with let nobody else in.
    const asked = /name="text_version" value="([^"]+)"/.exec((await visit(joinOf(meeting))).text)![1]!;
    expect((await decide('granted', asked)).status).toBe(409);
    must(await decide('refused'), 303);
    expect((await post(`${guest.url}/join`)).status).toBe(403);
    // What was decided last is told by the millisecond.
    world.jump(1);
    must(await decide('granted'), 303);
    // The same once more is no decision.
    must(await decide('granted'), 303);
    const { gateway } = world.gateway;
    const beforeJoining = await openGuestLink(gateway, guest.url.split('/').at(-1)!);
    expect((await post(`${guest.url}/join`)).status).toBe(303);
    const unused = must(await invite(world, meeting), 201).json as unknown as GuestJson;
    must(await world.api('POST', `/v1/guests/${unused.id}/revoke`), 200);
    expect((await post(`${unused.url}/consent`, { decision: 'granted', text_version: version, locale: 'en' })).status).toBe(410);
    must(
      await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, {
        decision: 'granted',
        locale: 'en',
        text_version: 'v1',
      }),
      200,
    );
    world.jump(10 * MINUTE);
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'end');
    await happen(world, meeting, 'finish-recording');
    const recording = async () => {
      const { json } = must(await world.api('GET', `/v1/meetings/${meeting.id}/recordings`), 200);
      return (json['data'] as { state: string; reason: string | null }[])[0];
    };
    await eventually('it is published', async () => (await recording())?.state === 'published');
    // A no that was on its way while the guest came in counts all the same.
    await recordGuestConsent(gateway, beforeJoining, { decision: 'refused', locale: 'en', textVersion: version });
    expect(await recording()).toMatchObject({ state: 'withheld', reason: 'consent_withdrawn' });
    const { read } = world.gateway.gateway.db;
    const ledger = (await read.select().from(read.t.consents)).filter(({ customerId }) => customerId === guest.id);
    expect(ledger.map(({ channel, decision }) => `${channel} ${decision}`).toSorted()).toEqual([
      'guest_page granted',
      'guest_page refused',
      'guest_page refused',
    ]);
  });

  it('F10 elsewhere a personal link that a second browser opens is told once, and shown; previews without a browser are not', async () => {
    const world = await start({});
    const meeting = await boughtMeeting(world);
    const page = joinOf(meeting);
    const open = async (browser: ReturnType<typeof createBrowser>) => {
      await browser(page);
      return browser(`${page}/join`, { method: 'POST' });
    };
    const own = createBrowser();
    expect((await open(own)).status).toBe(303);
    await open(own);
    // Messengers and scanners of mail keep no cookie.
    await visit(page);
    await visit(page);
    await settled(world);
    expect([told(world, 'meeting.link_shared'), (await guestsOf(world, meeting)).shared_links]).toEqual([[], []]);
    await open(createBrowser());
    await open(createBrowser());
    await settled(world);
    // Any program can make up cookies: ten places are enough to know.
    for (let n = 0; n < 9; n += 1) await visit(page, { headers: { cookie: `place=${String(n).padStart(43, 'x')}` } });
    expect(told(world, 'meeting.link_shared')).toMatchObject([{ meeting_id: meeting.id, customer_id: 'cus_1', places: 2 }]);
    expect((await guestsOf(world, meeting)).shared_links).toEqual([{ customer_id: 'cus_1', places: 10 }]);
    expect((await getMeeting(world, meeting.id)).state).toBe('confirmed');

    // Where a link was opened is forgotten after 90 days, with the hourly sweep.
    const { db } = world.gateway.gateway;
    const places = (): Promise<number> => db.read.$count(db.read.t.joinPlaces);
    world.jump(89 * DAY);
    await settled(world);
    expect(await places()).toBe(10);
    world.jump(DAY + HOUR);
    await settled(world);
    expect(await places()).toBe(0);
  });
});
