/** Consultations by the quarter hour, as in seed 001: from the hours of a professional to the dispute about a session. */
import { compactVerify, createRemoteJWKSet, errors } from 'jose';
import type { Answer } from '../clients.ts';
import type { Person } from '../person.ts';
import type { ReceivedEvent } from '../receiver.ts';
import { CASTS, check, connect, expect, happen, told } from '../story.ts';
import type { World } from '../world.ts';
import type { Scene } from './scene.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const CAST = CASTS.find(({ provider }) => provider === 'zoom')!;
const PROFESSIONAL = 'pro_irina';
const CUSTOMER = 'cus_oleg';
const ORDER = { id: 'order_1', title: 'Налоги за год' };
const ZONE = 'Asia/Yekaterinburg';

interface Call {
  readonly id: string;
  readonly rings: boolean;
  readonly meeting_id: string | null;
  readonly pages: { readonly professional_url: string; readonly customer_url: string };
}

interface Meeting {
  readonly id: string;
  readonly host_url: string;
  readonly link: { readonly provider_join_url: string };
  readonly attendees: readonly { readonly join_url: string }[];
}

interface People {
  readonly professional: Person;
  readonly customer: Person;
}

export async function play(scene: Scene): Promise<void> {
  const { world, say, invite } = scene;
  await connect(world, CAST, PROFESSIONAL, say);
  const people = { professional: await invite('ru-RU'), customer: await invite('ru-RU') };
  const { customer } = people;
  await showPresence(scene, customer);
  await showHours(scene);
  await showPrepayment(scene);

  await leaveInTime(scene, people);
  const meeting = await talk(scene, people);
  await useUp(scene, meeting, customer);
  await cancel(scene, people);
  const sold = await sell(scene, customer);
  await dispute(scene, meeting, { customer, arbiter: await invite('ru-RU') });
  await checkSaleIsOver(scene, sold, customer);
}

const call = ({ api }: World, changes: object = {}): Promise<Answer> =>
  api('POST', '/v1/calls', {
    professional_id: PROFESSIONAL,
    customer_id: CUSTOMER,
    customer_name: 'Олег',
    initiator: 'customer',
    booking: ORDER,
    prepaid_blocks: 1,
    locale: 'ru',
    ...changes,
  });

const setPresence = async ({ api }: World, status: string): Promise<void> =>
  expect(await api('PUT', `/v1/professionals/${PROFESSIONAL}/presence`, { status, video: true, expires_in_seconds: 7_200 }), 200);

const isUnavailable = ({ status, json }: Answer, reason: string): boolean =>
  status === 409 && json['code'] === 'professional_unavailable' && json['reason'] === reason;

/** T02 */
async function showPresence({ world, say }: Scene, customer: Person): Promise<void> {
  const { api } = world;
  check(isUnavailable(await call(world), 'unknown'), 'nobody calls whose presence is not known');
  await setPresence(world, 'busy');
  check(isUnavailable(await call(world), 'busy'), 'nobody calls who is busy');
  await setPresence(world, 'away');
  const counted = await call(world);
  expect(counted, 201);
  const { id, rings, pages } = counted.json as unknown as Call;
  const missed = await api('GET', `/v1/calls?professional_id=${PROFESSIONAL}&state=ringing`);
  check(!rings && (missed.json['data'] as Call[]).length === 1, 'a call to who is away is counted and makes no sound');
  await customer.open(pages.customer_url);
  await customer.sees('Сигнала на другой стороне сейчас нет');
  await customer.press('Отменить звонок');
  await told(world, 'call.withdrawn', { call_id: id });
  say(
    'T02 a call while the status is unknown, busy, away',
    '409 unknown, 409 busy; away: counted without a ring, and withdrawn on its page',
  );
}

/** T01: two cells of the grid, the next time in three days. */
async function showHours({ world, say }: Scene): Promise<void> {
  const { api, now } = world;
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: ZONE });
  const day = weekday.format(new Date(now().getTime() + 3 * DAY)).toLowerCase();
  const path = `/v1/professionals/${PROFESSIONAL}/availability`;
  const cells = [
    { day, from: '10:00', to: '11:00' },
    { day, from: '11:00', to: '12:00' },
  ];
  expect(await api('PUT', path, { time_zone: ZONE, hours: cells }), 200);
  const week = new URLSearchParams({ from: now().toISOString(), until: new Date(now().getTime() + 7 * DAY).toISOString() });
  const { windows } = (await api('GET', `${path}?${week}`)).json as { windows: { starts_at: string; ends_at: string }[] };
  // Five hours ahead of UTC, all the year.
  check(
    windows.length === 1 && /T05:00.*Z/.test(windows[0]!.starts_at) && /T07:00.*Z/.test(windows[0]!.ends_at),
    'two cells are one window',
  );
  check(isUnavailable(await call(world), 'outside_hours'), 'outside of the hours nobody calls who is not available');
  await setPresence(world, 'available');
  say('T01 PUT and GET …/availability', `${day} 10 to 12 in ${ZONE} is ${windows[0]!.starts_at}; a call now: 409 outside_hours`);
}

/** T03 */
async function showPrepayment({ world, say }: Scene): Promise<void> {
  const turned = await call(world, { initiator: 'professional' });
  check(turned.status === 403, 'the professional does not call');
  const unpaid = await call(world, { prepaid_blocks: 0 });
  check(unpaid.status === 409 && unpaid.json['code'] === 'prepayment_missing', 'nobody calls who has not paid the first 15 minutes');
  say('T03 a call by the professional, a call that is not paid for', '403 forbidden, 409 prepayment_missing');
}

/** A call that rings on the professional's page; when it is answered, both pages lead into its meeting. */
async function answeredCall(world: World, { professional, customer }: People, booking = ORDER): Promise<Meeting> {
  const answer = await call(world, { booking });
  expect(answer, 201);
  const { id, rings, pages } = answer.json as unknown as Call;
  check(rings, 'it rings for who is available, also outside of the hours');
  await customer.open(pages.customer_url);
  await customer.sees('Идёт вызов');
  await professional.open(pages.professional_url);
  await professional.sees('Олег');
  await professional.press('Ответить');
  const { data } = await told(world, 'call.accepted', { call_id: id });
  const meeting = (await world.api('GET', `/v1/meetings/${String(data['meeting_id'])}`)).json as unknown as Meeting;
  await professional.sees('Начать в Zoom');
  await customer.sees('Войти через Zoom');
  check(professional.place() === meeting.host_url, 'the answer leads to the host page');
  check(customer.place() === meeting.attendees[0]!.join_url, 'the page of the customer follows');
  return meeting;
}

const act = (world: World, { link }: Meeting, action: string, body?: object): Promise<void> =>
  happen(world, CAST, link.provider_join_url, action, body);

/** The professional starts the session, the customer follows. */
async function meet(world: World, meeting: Meeting): Promise<void> {
  await act(world, meeting, 'start');
  await act(world, meeting, 'join', { user: CAST.user });
  await act(world, meeting, 'join', { name: 'Олег' });
}

const usedBlocks = async ({ api }: World, { id }: Meeting): Promise<number> =>
  Number((await api('GET', `/v1/meetings/${id}/meter`)).json['used_blocks']);

const setCredit = async ({ api }: World, { id }: Meeting, blocks: number, balance: string): Promise<void> =>
  expect(await api('PUT', `/v1/meetings/${id}/credit`, { blocks, balance_text: balance }), 200);

/** T04, and T05: the first session of the order. */
async function leaveInTime({ world, say }: Scene, people: People): Promise<void> {
  const meeting = await answeredCall(world, people);
  say('T03 POST /v1/calls with 15 minutes paid, "Ответить"', `it rings, is answered, and both pages lead into ${meeting.id}`);
  await act(world, meeting, 'start');
  await act(world, meeting, 'join', { user: CAST.user });
  const alone = await told(world, 'meeting.participant_joined', { meeting_id: meeting.id });
  world.jump(10 * MINUTE);
  await act(world, meeting, 'join', { name: 'Олег' });
  world.jump(40 * SECOND);
  await act(world, meeting, 'leave', { name: 'Олег' });
  await act(world, meeting, 'end');
  const voided = await told(world, 'meter.voided', { meeting_id: meeting.id });
  await told(world, 'meeting.ended', { meeting_id: meeting.id });
  const waitedMs = Date.parse(String(voided.data['starts_at'])) - Date.parse(String(alone.data['at']));
  check(waitedMs >= 10 * MINUTE, 'nothing counts while the professional is alone');
  check(voided.data['reason'] === 'grace' && voided.data['used_blocks'] === 0, 'a session that is left within a minute did not take place');
  say('T04 T05 the professional waits 10 minutes, the customer leaves after 40 s', 'time counts from when both are there; meter.voided');
}

const block = (world: World, { id }: Meeting, used: number): Promise<ReceivedEvent> =>
  told(world, 'meter.block_started', { meeting_id: id, used_blocks: used });

/** T06, T09, T10 and T11: the second session of the order, one-way, ended by the customer. */
async function talk({ world, say }: Scene, people: People): Promise<Meeting> {
  const { professional, customer } = people;
  const meeting = await answeredCall(world, people);
  await customer.press('Камера будет выключена');
  await professional.open(meeting.host_url);
  await professional.sees('Просит без камеры');
  say('T10 "Камера будет выключена" on the customer\'s page', 'the page of the professional says so; blocks and prices stay as they are');

  await professional.press('Начать в Zoom');
  await customer.press('Войти через Zoom');
  const away = [professional.place(), customer.place()].map((url) => new URL(url).host);
  check(
    away.every((host) => host.endsWith('zoom.us')),
    `both are at Zoom: ${away.join(', ')}`,
  );
  await setCredit(world, meeting, 1, '1200 ₽');
  await meet(world, meeting);
  const one = await block(world, meeting, 1);
  await customer.open(meeting.attendees[0]!.join_url);
  await professional.open(meeting.host_url);
  for (const person of [customer, professional])
    for (const words of ['Время сеанса', '1, последний оплаченный', '1200 ₽']) await person.sees(words);
  say('T06 T11 the next session', 'meter.block_started in its first second; both pages show session time, block 1 and 1200 ₽');

  world.jump(14 * MINUTE);
  await told(world, 'meter.credit_low', { meeting_id: meeting.id });
  await setCredit(world, meeting, 2, '700 ₽');
  world.jump(MINUTE);
  const two = await block(world, meeting, 2);
  const [from, to] = [one, two].map(({ data }) => Date.parse(String(data['starts_at']))) as [number, number];
  check(to - from === 15 * MINUTE, 'the second block begins at second 900');
  for (const person of [customer, professional]) await person.sees('700 ₽');
  say('T06 15 minutes later', 'meter.credit_low a minute before, more credit, meter.block_started at second 900; the pages show 700 ₽');

  world.jump(5 * MINUTE);
  expect(await world.api('POST', `/v1/meetings/${meeting.id}/end`, { by: 'customer' }), 200);
  await told(world, 'meeting.ended', { meeting_id: meeting.id, ended_by: 'customer' });
  say('T09 POST …/end', "Zoom's meeting is ended on the wish of the customer, and meeting.ended says so");
  return meeting;
}

/** T07 and T08: once more into the same meeting, until nothing is left. */
async function useUp({ world, say }: Scene, meeting: Meeting, customer: Person): Promise<void> {
  world.jump(MINUTE);
  await setCredit(world, meeting, 3, '200 ₽');
  await meet(world, meeting);
  await block(world, meeting, 3);
  say('T07 a third session of the order', 'charged from its first second, too: 3 blocks');

  world.jump(14 * MINUTE);
  await told(world, 'meter.credit_low', { meeting_id: meeting.id, used_blocks: 3 });
  world.jump(MINUTE);
  await told(world, 'meter.credit_exhausted', { meeting_id: meeting.id, ending: 'gateway' });
  await told(world, 'meeting.ended', { meeting_id: meeting.id, ended_by: 'gateway' });
  check((await usedBlocks(world, meeting)) === 3, 'nothing is charged that nobody paid for');
  await customer.open(meeting.attendees[0]!.join_url);
  await customer.sees('Встреча завершена');
  say('T08 the credit is used up', "meter.credit_exhausted; the gateway ends Zoom's meeting, 3 blocks of 3");
}

/** T12: one order before any session, one in the first block. */
async function cancel({ world, say }: Scene, people: People): Promise<void> {
  const cancelled = async (meeting: Meeting): Promise<unknown> => {
    expect(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`, { reason: 'order_cancelled' }), 200);
    await people.customer.sees('Встреча отменена');
    return (await told(world, 'meeting.cancelled', { meeting_id: meeting.id })).data['block_used'];
  };
  const unused = await answeredCall(world, people, { id: 'order_2', title: 'Второй заказ' });
  check((await cancelled(unused)) === false, 'no block was used');
  const begun = await answeredCall(world, people, { id: 'order_3', title: 'Третий заказ' });
  await meet(world, begun);
  await people.customer.sees('Время сеанса');
  world.jump(61 * SECOND);
  await block(world, begun, 1);
  check((await cancelled(begun)) === true, 'the first block was used');
  say('T12 two orders are cancelled, before any session and after a minute', 'meeting.cancelled: block_used false, block_used true');
}

/** T13 */
async function sell({ world, say }: Scene, customer: Person): Promise<string> {
  const { api } = world;
  const booking = { id: 'order_books' };
  const put = (title: string) =>
    api('POST', '/v1/contents', { booking, professional_id: PROFESSIONAL, url: `https://drive.google.com/file/d/${title}/view`, title });
  for (const title of ['Book', 'Tables', 'Examples']) expect(await put(title), 201);
  const fourth = await put('Fourth');
  check(fourth.status === 422 && fourth.json['code'] === 'too_many_uploads', 'a fourth file is refused');
  const bought = await api('POST', '/v1/contents/access', { booking_id: booking.id, customer_id: CUSTOMER });
  expect(bought, 201);
  const { url, contents } = bought.json as { url: string; contents: { id: string; title: string }[] };
  await told(world, 'content.published', { booking_id: booking.id });
  await customer.open(url);
  for (const { title } of contents) await customer.sees(title);
  await customer.press(`Открыть у провайдера: ${contents[0]!.title}`);
  check(new URL(customer.place()).host === 'drive.google.com', 'the click alone says where it lies');
  await told(world, 'content.viewed', { content_id: contents[0]!.id, customer_id: CUSTOMER });
  say(
    'T13 three files for sale, and a fourth',
    '201, 422 too_many_uploads; paid: a personal page with all three, opened once, content.viewed',
  );
  return url;
}

/** T13: two weeks later. */
async function checkSaleIsOver({ world, say }: Scene, link: string, customer: Person): Promise<void> {
  world.jump(14 * DAY);
  await told(world, 'content.expired', { customer_id: CUSTOMER });
  await customer.open(link);
  await customer.sees('Срок доступа закончился');
  say('T13 14 days after the purchase', 'content.expired; the page says that the time is over');
}

/** T14 */
async function dispute(
  { world, say }: Scene,
  meeting: Meeting,
  { customer, arbiter }: Readonly<Record<'customer' | 'arbiter', Person>>,
): Promise<void> {
  const { api, publicUrl } = world;
  await customer.open(meeting.attendees[0]!.join_url);
  await customer.press('Отправить', { kind: 'dispute', text: 'Сеанс оборвался раньше времени.' });
  await customer.sees('Спасибо, сообщение получено');
  const { data } = await told(world, 'incident.reported', { meeting_id: meeting.id, kind: 'dispute', reported_by: 'customer' });
  const theirs = { reported_by: 'professional', reporter_id: PROFESSIONAL, kind: 'dispute', text: 'Всё оплаченное время прошло.' };
  expect(await api('POST', `/v1/meetings/${meeting.id}/incidents`, theirs), 201);
  say('T14 either side opens a dispute', 'on the page of the customer and over the API; incident.reported');

  const incident = `/v1/incidents/${String(data['incident_id'])}`;
  const exported = await api('GET', `${incident}/evidence`);
  expect(exported, 200);
  const { evidence, signature, page } = exported.json as {
    evidence: { meter: { used_blocks: number }; sessions: { minutes: { joint: number } } };
    signature: string;
    page: { url: string };
  };
  const isSigned = (content: unknown): Promise<boolean> => verifies(publicUrl, signature, content);
  check(await isSigned(evidence), 'the signature holds');
  check(!(await isSigned({ ...evidence, meter: { ...evidence.meter, used_blocks: 2 } })), 'and not for other blocks');
  const { joint } = evidence.sessions.minutes;
  check(evidence.meter.used_blocks === 3 && Math.round(joint) === 35, `three blocks in ${joint} minutes`);
  await arbiter.open(page.url);
  await arbiter.sees('Сеанс оборвался раньше времени.');
  say(
    'T14 GET …/evidence',
    `3 blocks and ${Math.round(joint)} minutes together; signature verified with the published key, a changed block shows`,
  );

  const resolution = 'Деньги за третий блок возвращаются.';
  expect(await api('PATCH', incident, { state: 'resolved', resolution }), 200);
  await told(world, 'incident.changed', { incident_id: data['incident_id'], to: 'resolved', resolution });
  say('T14 the arbitration decides', 'incident.changed with the resolution');
}

/** As docs/evidence.md says it: the content is put back into the signature. */
async function verifies(issuer: string, signature: string, content: unknown): Promise<boolean> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
  const [header, , proof] = signature.split('.');
  try {
    await compactVerify(`${header}.${Buffer.from(JSON.stringify(content)).toString('base64url')}.${proof}`, keys, {
      algorithms: ['EdDSA'],
    });
    return true;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return false;
    throw error;
  }
}
