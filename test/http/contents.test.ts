import { expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { createMeeting, databaseOf, DAY, everythingStored, must, otherMarketplace, setPolicy, settled } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const URL_OF_BOOK = 'https://drive.google.com/file/d/CanaryOfContent/view';
const BOOK = { url: URL_OF_BOOK, title: 'Workbook for beginners', passcode: 'pAss!w0rd-9' };
const SALE = { booking: { id: 'bk_sale' }, professional_id: 'pro_1' };

interface ContentJson {
  readonly id: string;
  readonly title: string | null;
  readonly host: string | null;
  readonly links: readonly { customer_id: string; url: string | null; views: number; first_viewed_at: string | null }[];
  readonly erased_at: string | null;
}

const publish = ({ api }: Pick<World, 'api'>, change: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
  api('POST', '/v1/contents', { ...SALE, ...BOOK, ...change });
const published = async (world: World, change: Readonly<Record<string, unknown>> = {}) =>
  must(await publish(world, change), 201).json as unknown as ContentJson;
const buy = ({ api }: Pick<World, 'api'>, customerId = 'cus_1', headers: Record<string, string> = {}): Promise<Answer> =>
  api('POST', '/v1/contents/access', { booking_id: SALE.booking.id, customer_id: customerId }, headers);
const bought = async (world: World, customerId?: string) => String(must(await buy(world, customerId), 201).json['url']);
const contentsOf = async ({ api }: World) =>
  must(await api('GET', `/v1/contents?booking_id=${SALE.booking.id}`), 200).json['data'] as readonly ContentJson[];
const open = (url: string): Promise<Answer> => visit(url, { method: 'POST' });
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type);
const actions = async ({ gateway }: World): Promise<string[]> => {
  const { db } = gateway.gateway;
  const entries = await db.read.select().from(db.read.t.audit);
  return entries.map(({ action }) => action).filter((action) => action.startsWith('content.'));
};

describeOnBothDatabases('a content for sale', (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it('T13 is opened after the purchase only, by a link of the buyer that counts, ends after 14 days and takes the address with it', async () => {
    const world = await start();
    const content = await published(world);
    expect(content).toMatchObject({ title: BOOK.title, host: 'drive.google.com', links: [], erased_at: null });
    const again = must(await publish(world), 200);
    expect(again.json).toMatchObject({ id: content.id });
    expect(again.text).not.toContain('CanaryOfContent');
    await settled(world);
    expect(told(world, 'content.published')).toEqual([]);

    const access = must(await buy(world, 'cus_1', { 'idempotency-key': 'purchase-1' }), 201).json;
    const link = String(access['url']);
    const expiresAt = new Date(world.now().getTime() + 14 * DAY).toISOString();
    expect(access).toEqual({
      booking_id: SALE.booking.id,
      customer_id: 'cus_1',
      url: link,
      expires_at: expiresAt,
      contents: [{ id: content.id, title: BOOK.title }],
    });
    const event = await world.receiver.waitFor('content.published', ({ type }) => type === 'content.published');
    expect(event.data).toEqual({
      booking_id: SALE.booking.id,
      professional_id: 'pro_1',
      content_ids: [content.id],
      expires_at: expiresAt,
      links: [{ customer_id: 'cus_1', url: link }],
    });
    // Reported twice is bought once: the same link, and no time more.
    world.jump(DAY);
    expect(must(await buy(world, 'cus_1', { 'idempotency-key': 'purchase-1' }), 200).json).toEqual(access);

    const page = must(await visit(link), 200);
    for (const shown of [BOOK.title, BOOK.passcode, 'drive.google.com', 'stored by another company', 'Time left', '13 days'])
      expect(page.text).toContain(shown);
    expect(page.text).not.toContain('CanaryOfContent');
    const place = `${link}/${content.id}`;
    // Whoever follows links alone opens nothing.
    expect((await visit(place)).status).toBe(404);
    expect(await contentsOf(world)).toMatchObject([{ links: [{ customer_id: 'cus_1', url: link, views: 0, first_viewed_at: null }] }]);
    for (let count = 0; count < 2; count += 1) {
      const answer = await open(place);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, URL_OF_BOOK]);
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    await settled(world);
    expect(told(world, 'content.viewed').map(({ data }) => data)).toEqual([
      { booking_id: SALE.booking.id, professional_id: 'pro_1', content_id: content.id, customer_id: 'cus_1' },
    ]);
    expect(await contentsOf(world)).toMatchObject([{ links: [{ views: 2, first_viewed_at: world.now().toISOString() }] }]);

    // Somebody else buys a day later, and has a link and a time of their own.
    const other = await bought(world, 'cus_2');
    expect(other).not.toBe(link);
    world.jump(13 * DAY - 1);
    expect((await visit(link)).status).toBe(200);
    world.jump(1);
    for (const answer of [await visit(link), await open(place)]) expect(must(answer, 410).text).toContain('The time for this is over');
    const first = await world.receiver.waitFor('content.expired', ({ type }) => type === 'content.expired');
    expect(first.data).toMatchObject({ customer_id: 'cus_1', erased_at: null });
    expect(await buy(world)).toMatchObject({ status: 410, json: { code: 'gone' } });
    expect((await visit(other)).status).toBe(200);
    expect(must(await open(`${other}/${content.id}`), 303).headers.get('location')).toBe(URL_OF_BOOK);

    world.jump(DAY);
    for (const answer of [await visit(other), await open(`${other}/${content.id}`)]) expect(answer.status).toBe(410);
    const last = await world.receiver.waitFor('content.expired', ({ data }) => data['customer_id'] === 'cus_2' && 'erased_at' in data);
    expect(last.data['erased_at']).toBe(world.now().toISOString());
    await settled(world);
    expect(told(world, 'content.expired')).toHaveLength(2);
    const stored = await everythingStored(world);
    for (const canary of ['CanaryOfContent', BOOK.passcode, BOOK.title]) expect(stored).not.toContain(canary);
    const { read } = world.gateway.gateway.db;
    expect(await read.select({ sealed: read.t.contents.linkSealed }).from(read.t.contents)).toEqual([{ sealed: null }]);
    expect(await read.select({ sealed: read.t.contentLinks.tokenSealed }).from(read.t.contentLinks)).toEqual([
      { sealed: null },
      { sealed: null },
    ]);
    const events = await read.select().from(read.t.events);
    expect(events.filter(({ type, linksSealed }) => type === 'content.published' && linksSealed !== null)).toEqual([]);
    expect(await contentsOf(world)).toMatchObject([{ title: null, host: null, links: [{ url: null }, { url: null }] }]);
    expect(await publish(world)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(await buy(world, 'cus_3')).toMatchObject({ status: 410, json: { code: 'gone' } });
    expect((await actions(world)).toSorted()).toEqual(
      [
        'content.access_given',
        'content.access_given',
        'content.erased',
        'content.expired',
        'content.expired',
        'content.published',
        'content.viewed',
        'content.viewed',
      ].toSorted(),
    );
  });

  it('T13 may stand beside two others, on approved hosts, and one that is taken back makes room: the links of the buyers go on', async () => {
    const world = await start();
    expect(await buy(world)).toMatchObject({ status: 404, json: { code: 'not_found' } });
    for (const url of ['https://evil.example/book.pdf', 'http://drive.google.com/book', 'https://drive.google.com@evil.example/book'])
      expect(await publish(world, { url })).toMatchObject({ status: 422, json: { code: 'upload_not_approved' } });

    // Five at the same moment: the booking sells three.
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((count) => publish(world, { url: `${URL_OF_BOOK}?part=${count}`, title: `Part ${count}`, passcode: null })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.find(({ status }) => status === 422)?.json).toMatchObject({ code: 'too_many_uploads', max_links: 3 });
    const contents = answers.filter(({ status }) => status === 201).map(({ json }) => json as unknown as ContentJson);
    expect(await publish(world, { professional_id: 'pro_2' })).toMatchObject({ status: 409, json: { code: 'conflict' } });
    // One purchase, reported twice at the same moment.
    const purchases = await Promise.all([buy(world), buy(world)]);
    expect(purchases.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 201]));
    const link = String(purchases[0].json['url']);
    expect(purchases[1].json['url']).toBe(link);

    const stranger = await otherMarketplace(world);
    expect(await stranger.api('DELETE', `/v1/contents/${contents[0]!.id}`)).toMatchObject({ status: 404 });
    expect(await buy(stranger)).toMatchObject({ status: 404 });
    const [gone, ...kept] = contents;
    for (let count = 0; count < 2; count += 1) must(await world.api('DELETE', `/v1/contents/${gone!.id}`), 204);
    must(await open(`${link}/${gone!.id}`), 410);
    const page = must(await visit(link), 200).text;
    expect(kept.every(({ title }) => page.includes(title!))).toBe(true);
    expect(page).not.toContain(gone!.title!);
    expect((await contentsOf(world)).find(({ id }) => id === gone!.id)).toMatchObject({ title: null, host: null });

    // Another one in its place is there for who bought before, who is told of it.
    const better = await published(world);
    const events = await world.receiver.waitFor(
      'content.published',
      ({ type, data }) => type === 'content.published' && (data['content_ids'] as string[]).includes(better.id),
    );
    expect(events.data).toMatchObject({ content_ids: [...kept.map(({ id }) => id).toSorted(), better.id], links: [{ url: link }] });
    must(await open(`${link}/${better.id}`), 303);

    // A storage that is approved no longer is not followed any more.
    await setPolicy(world, { recording: { uploads: { hosts: ['vimeo.com'] } } });
    must(await open(`${link}/${better.id}`), 410);
    await setPolicy(world, {});

    for (const { id } of [...kept, better]) must(await world.api('DELETE', `/v1/contents/${id}`), 204);
    expect(must(await visit(link), 410).text).toContain('This was withdrawn');
    expect(await everythingStored(world)).not.toContain(BOOK.title);
    expect(await buy(world)).toMatchObject({ status: 410, json: { code: 'gone' } });
    // Taken back is not sold out: the same link may come again, as after a wrong passcode.
    await published(world);
    must(await visit(link), 200);
    expect((await actions(world)).filter((action) => action === 'content.taken_back')).toHaveLength(4);
  });

  it('T13 is sold by one professional, also when two publish the first of a booking at the same moment', async () => {
    const world = await start();
    const bookings = Array.from({ length: 12 }, (_, n) => `bk_race_${n}`);
    const sellers = ['pro_1', 'pro_2'];
    const answers = await Promise.all(
      bookings.map((id) =>
        Promise.all(
          sellers.map((professional_id) =>
            publish(world, { booking: { id }, professional_id, url: `${URL_OF_BOOK}?by=${professional_id}` }),
          ),
        ),
      ),
    );
    for (const pair of answers) {
      const [won, lost] = pair.toSorted((one, other) => one.status - other.status);
      expect(won).toMatchObject({ status: 201 });
      expect(lost).toMatchObject({ status: 409, json: { code: 'conflict' } });
    }
  });

  it('T13 C01 is taken back from one buyer alone, and a suspended professional publishes nothing', async () => {
    const world = await start();
    const content = await published(world);
    const [link, other] = [await bought(world), await bought(world, 'cus_2')];
    const revoke = (api: World['api'], customerId: string) =>
      api('POST', '/v1/contents/access/revoke', { booking_id: SALE.booking.id, customer_id: customerId });
    must(await revoke(world.api, 'cus_9'), 404);
    must(await revoke((await otherMarketplace(world)).api, 'cus_1'), 404);
    for (let count = 0; count < 2; count += 1) must(await revoke(world.api, 'cus_1'), 204);
    expect(must(await visit(link), 410).text).toContain('This was withdrawn');
    must(await open(`${link}/${content.id}`), 410);
    must(await buy(world), 410);
    must(await open(`${other}/${content.id}`), 303);
    expect((await actions(world)).filter((action) => action === 'content.access_revoked')).toHaveLength(1);
    const urls = new Map((await contentsOf(world))[0]!.links.map(({ customer_id: id, url }) => [id, url]));
    expect([urls.get('cus_1'), urls.get('cus_2')]).toEqual([null, other]);
    must(await world.api('PUT', '/v1/professionals/pro_1/standing', { standing: 'terminated', reason: 'Sold copies.' }), 200);
    expect((await publish(world, { url: `${URL_OF_BOOK}?part=2` })).json).toMatchObject({ code: 'professional_suspended' });
    must(await open(`${other}/${content.id}`), 303);
  });

  it("T13 speaks the buyer's language and time where the booking has a meeting", async () => {
    const world = await start();
    await connect(world, 'zoom');
    await createMeeting(world, {
      booking: { id: SALE.booking.id, kind: 'one_to_one', title: 'Advice' },
      attendees: [{ customer_id: 'cus_1', locale: 'bg' }],
    });
    await published(world);
    expect(must(await visit(await bought(world)), 200).text).toMatch(/lang="bg"[\s\S]*Вашата покупка[\s\S]*Централноевропейско/u);
    expect(must(await visit(await bought(world, 'cus_9')), 200).text).toContain('lang="en"');
  });
});
