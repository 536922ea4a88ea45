/** Calls that the platform hosts and records, as in seed 002: from who may call to the day on which the recording is gone. */
import { visit, type Answer } from '../clients.ts';
import type { Person } from '../person.ts';
import { CASTS, check, expect, happen, told } from '../story.ts';
import type { World } from '../world.ts';
import type { Scene } from './scene.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const CAST = CASTS.find(({ provider }) => provider === 'zoom')!;
/** Of the operator's own account at Zoom. */
const HOST = 'host@zoom.sandbox.example';
const FREELANCER = 'pro_jonas';
const CLIENT = 'cus_lena';
const CONVERSATION = 'cnv_lena_jonas';

interface Meeting {
  readonly id: string;
  readonly host_url: string;
  readonly recording: string;
  readonly link: { readonly provider_join_url: string };
  readonly attendees: readonly { readonly join_url: string }[];
}

interface People {
  readonly freelancer: Person;
  readonly client: Person;
}

interface Published {
  readonly recordingId: string;
  /** By whom they are for. */
  readonly links: Readonly<Record<string, string>>;
}

export async function play(scene: Scene): Promise<void> {
  const { world, say, invite } = scene;
  const people = { freelancer: await invite('de-DE'), client: await invite('de-DE') };
  await world.addHost(HOST);
  say('F04 connections add-platform zoom', `${HOST} of the operator's own account is in the pool; no freelancer connects anything`);

  await showWhoMayCall(scene);
  const meeting = await answeredCall(scene, people);
  await inviteGuest(scene, meeting, people.client, await invite('de-DE'));
  const published = await hold(scene, meeting, people);
  await lookInto(scene, meeting, published, people, await invite('de-DE'));
  await checkGone(scene, published, people);
}

const call = ({ api }: World, facts: object, changes: object = {}): Promise<Answer> =>
  api('POST', '/v1/calls', {
    professional_id: FREELANCER,
    professional_name: 'Jonas',
    customer_id: CLIENT,
    customer_name: 'Lena',
    initiator: 'professional',
    conversation_id: CONVERSATION,
    booking: { id: 'order_77', title: 'Logo für ein Café' },
    locale: 'de',
    facts,
    ...changes,
  });

/** F02 and F03 */
async function showWhoMayCall({ world, say }: Scene): Promise<void> {
  const daysAgo = (days: number): string => new Date(world.now().getTime() - days * DAY).toISOString();
  const facts = { level: 2, average_selling_price: 80, last_order_at: daysAgo(3) };
  const turned = await call(world, facts, { initiator: 'customer' });
  check(turned.status === 403, 'a client does not call');
  say('F02 a call by the client', '403 forbidden: only freelancers call');

  const rule = 'Level, average selling price and a recent order';
  for (const [change, fact] of [
    [{ level: 0 }, 'level'],
    [{ average_selling_price: 49.99 }, 'average_selling_price'],
    [{ last_order_at: daysAgo(61) }, 'last_order_at'],
  ] as const) {
    const refused = await call(world, { ...facts, ...change });
    check(refused.status === 422 && refused.json['code'] === 'not_eligible', `${fact} is not enough`);
    check(refused.json['rule'] === rule && refused.json['fact'] === fact, `the refusal names rule and fact: ${refused.text}`);
    say(`F03 a call with ${fact} ${String(Object.values(change)[0])}`, `422 not_eligible: ${fact}, by "${rule}"`);
  }
  const select = await call(world, { level: 0, client_program: 'select' }, { customer_id: 'cus_select' });
  expect(select, 201);
  expect(await world.api('POST', `/v1/calls/${String(select.json['id'])}/withdraw`), 200);
  say('F03 anybody towards a Select client', '201');
}

/** F01, F04, F05 and F09: the click on the invitation in the conversation. */
async function answeredCall({ world, say }: Scene, people: People): Promise<Meeting> {
  const { freelancer, client } = people;
  const answer = await call(world, { level: 2, average_selling_price: 80, last_order_at: world.now().toISOString() });
  expect(answer, 201);
  const { id, pages, invitation } = answer.json as {
    id: string;
    pages: { professional_url: string };
    invitation: { title: string; url: string };
  };
  await told(world, 'call.ringing', { call_id: id, conversation_id: CONVERSATION });
  await freelancer.open(pages.professional_url);
  await freelancer.sees('Es klingelt');
  await client.open(invitation.url);
  await client.sees('Jonas');
  await client.press('Annehmen');
  const { data } = await told(world, 'call.accepted', { call_id: id, conversation_id: CONVERSATION });
  const meeting = (await world.api('GET', `/v1/meetings/${String(data['meeting_id'])}`)).json as unknown as Meeting;
  say('F05 POST /v1/calls in a conversation', `"${invitation.title}" to put into it; a click there answers, ${meeting.id}`);

  await client.sees('Dieses Gespräch wird aufgezeichnet');
  await client.sees('30 Tage lang ansehen. Mit der Teilnahme stimmst du zu.');
  await freelancer.sees('Dieses Meeting wird aufgezeichnet.');
  check(meeting.recording === 'always', 'every call is recorded');
  say('F01 F09 the pages of both sides', 'the call is recorded, for 30 days; joining is consent');

  await freelancer.press('In Zoom beginnen');
  await client.press('Mit Zoom teilnehmen');
  for (const person of [freelancer, client]) check(new URL(person.place()).host.endsWith('zoom.us'), `at Zoom: ${person.place()}`);
  const own = await world.api('GET', `/v1/connections?professional_id=${FREELANCER}`);
  check((own.json['data'] as unknown[]).length === 0, 'the freelancer has no account at Zoom');
  say('F04 "In Zoom beginnen", "Mit Zoom teilnehmen"', "both are at Zoom, in the platform's account");
  return meeting;
}

/** F10 */
async function inviteGuest({ world, say }: Scene, meeting: Meeting, client: Person, guest: Person): Promise<void> {
  await client.open(meeting.attendees[0]!.join_url);
  await client.press('Gastlink erstellen', { name: 'Mira' });
  await client.sees('Der Gastlink ist fertig');
  const { data } = (await world.api('GET', `/v1/meetings/${meeting.id}/guests`)).json as { data: { id: string; url: string }[] };
  await guest.open(data[0]!.url);
  for (const words of ['Einladung für Mira als Gast', 'Dieses Gespräch wird aufgezeichnet']) await guest.sees(words);
  await guest.press('Mit Zoom teilnehmen');
  check(guest.place() === meeting.link.provider_join_url, 'the guest is in the same call');
  await told(world, 'meeting.guest_joined', { meeting_id: meeting.id, guest_id: data[0]!.id });
  say('F10 "Gastlink erstellen" on the page of the client', 'a link for Mira leads into the call, and meeting.guest_joined says so');
}

/** F07: the call takes place, and both sides get the recording. */
async function hold({ world, say }: Scene, meeting: Meeting, people: People): Promise<Published> {
  const act = (action: string, body?: object): Promise<void> => happen(world, CAST, meeting.link.provider_join_url, action, body);
  await act('start');
  await act('join', { user: HOST });
  for (const name of ['Lena', 'Mira']) await act('join', { name });
  await told(world, 'meeting.started', { meeting_id: meeting.id });
  world.jump(20 * MINUTE);
  await act('end');
  await told(world, 'meeting.ended', { meeting_id: meeting.id });
  await act('finish-recording');
  const { data } = await told(world, 'recording.published', { meeting_id: meeting.id });
  const links = Object.fromEntries((data['links'] as { customer_id: string; url: string }[]).map(({ customer_id: id, url }) => [id, url]));
  check(Object.keys(links).toSorted().join() === [CLIENT, FREELANCER].join(), `one link for either side: ${Object.keys(links).join()}`);
  const days = (Date.parse(String(data['expires_at'])) - Date.parse(String(data['published_at']))) / DAY;
  check(days === 30, 'for 30 days from the notification');
  for (const [person, id] of [
    [people.client, CLIENT],
    [people.freelancer, FREELANCER],
  ] as const) {
    await person.open(links[id]!);
    await person.sees('Logo für ein Café');
    const media = await visit(`${links[id]!}/media`);
    check(media.status === 200 && media.headers.get('content-type') === 'video/mp4', 'the recording can be watched');
    await told(world, 'recording.viewed', { meeting_id: meeting.id, customer_id: id });
  }
  say('F07 event recording.published', `a personal link for ${CLIENT} and one for ${FREELANCER}, ${days} days; both have watched it`);
  return { recordingId: String(data['recording_id']), links };
}

/** F06 and F08 */
async function lookInto(
  { world, say }: Scene,
  meeting: Meeting,
  { recordingId }: Published,
  { freelancer, client }: People,
  operator: Person,
): Promise<void> {
  const access = (incident: string): Promise<Answer> =>
    world.api('POST', `/v1/recordings/${recordingId}/access`, { incident_id: incident, reason: 'Gemeldet' });
  const curious = await access('inc_none');
  check(curious.status === 403 && curious.json['code'] === 'incident_required', 'the operator sees nothing without an incident');
  await client.open(meeting.attendees[0]!.join_url);
  await client.press('Meldung absenden', { kind: 'conduct', text: 'Er wollte außerhalb der Plattform bezahlt werden.' });
  await client.sees('Danke, deine Meldung ist angekommen');
  await freelancer.open(meeting.host_url);
  await freelancer.press('Meldung absenden', { kind: 'conduct', text: 'Sie wurde beleidigend.' });
  await freelancer.sees('Danke, deine Meldung ist angekommen');
  const { data } = await told(world, 'incident.reported', { meeting_id: meeting.id, reported_by: 'customer' });
  await told(world, 'incident.reported', { meeting_id: meeting.id, reported_by: 'professional' });
  say('F06 "Meldung absenden" on the pages of both sides', 'incident.reported by the client and by the freelancer');

  const incident = String(data['incident_id']);
  const granted = await access(incident);
  expect(granted, 201);
  const url = String(granted.json['url']);
  await operator.open(url);
  await operator.sees('Du gehst einem gemeldeten Meeting nach');
  check((await visit(`${url}/media`)).status === 200, 'the operator can watch it');
  await told(world, 'recording.viewed', { recording_id: recordingId, operator: true, incident_id: incident });
  expect(await world.api('PATCH', `/v1/incidents/${incident}`, { state: 'resolved' }), 200);
  check((await visit(url)).status === 410 && (await access(incident)).status === 403, 'the access ends with the incident');
  say(
    'F08 POST /v1/recordings/…/access',
    '403 incident_required; with the report 201, and recording.viewed tells it; resolved: 410, and 403 again',
  );
}

/** F01, F07: day 31. */
async function checkGone({ world, say }: Scene, { recordingId, links }: Published, { freelancer, client }: People): Promise<void> {
  world.jump(30 * DAY);
  await told(world, 'recording.expired', { recording_id: recordingId });
  for (const [person, id] of [
    [client, CLIENT],
    [freelancer, FREELANCER],
  ] as const) {
    await person.open(links[id]!);
    await person.sees('Die Aufzeichnung ist nicht mehr verfügbar');
    check((await visit(`${links[id]!}/media`)).status === 410, 'the recording is gone');
  }
  const { json, text } = await world.api('GET', `/v1/recordings/${recordingId}`);
  check(json['state'] === 'expired' && typeof json['erased_at'] === 'string' && !text.includes('/r/'), 'links and vendor ids are erased');
  say('F01 F07 day 31', '410 for both sides; recording.expired received; files, vendor ids and links erased');
}
