/** Customers keep a list of specialists, ask one of them for a consultation, and rate it (seed 003). */
import { visit } from '../clients.ts';
import type { Person } from '../person.ts';
import { CASTS, check, connect, expect, happen, told } from '../story.ts';
import type { World } from '../world.ts';
import type { Scene } from './scene.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const ZOOM = CASTS.find(({ provider }) => provider === 'zoom')!;
/** Online with a camera, online without one, and not online. */
const [MILA, BORIS, VERA] = ['pro_mila', 'pro_boris', 'pro_vera'] as const;
const CUSTOMER = 'cus_petar';
const PURPOSE = 'A second look at my contract';

interface Call {
  readonly id: string;
  readonly accept_by: string;
  readonly pages: { readonly professional_url: string; readonly customer_url: string };
}

interface Meeting {
  readonly id: string;
  readonly state: string;
  readonly duration_minutes: number;
  readonly ended_by: string | null;
  readonly running: { readonly host_lost_at: string | null } | null;
  readonly host_url: string;
  readonly link: { readonly provider_join_url: string };
  readonly attendees: readonly { readonly join_url: string }[];
}

interface Consultation {
  readonly meeting: Meeting;
  readonly specialist: Person;
  readonly customer: Person;
}

export async function play(scene: Scene): Promise<void> {
  await connect(scene.world, ZOOM, MILA, scene.say);
  await lookAtList(scene);
  await nobodyAnswers(scene);
  const consultation = await answer(scene);
  await loseHost(scene, consultation);
  await endEarly(scene, consultation);
  await rate(scene, consultation);
}

/** R01 R02: who can be called, who can be seen, and for how long. */
async function lookAtList({ world, say }: Scene): Promise<void> {
  const { api } = world;
  await online(world, MILA, true);
  await online(world, BORIS, false);
  const list = await api('GET', `/v1/presence?${[MILA, BORIS, VERA].map((id) => `professional_id=${id}`).join('&')}`);
  expect(list, 200);
  const signs = (list.json['data'] as { status: string; video: boolean }[]).map(
    ({ status, video }) => `${status}${video ? ' + camera' : ''}`,
  );
  check(signs.join() === 'available + camera,available,unknown', `the list shows who is online and who has a camera: ${list.text}`);
  say('GET  /v1/presence of the saved specialists', signs.join(', '));

  const refusals: string[] = [];
  for (const id of [BORIS, VERA]) {
    const refused = await ask(world, id);
    check(refused.status === 409 && refused.json['code'] === 'professional_unavailable', `${id} is not called: ${refused.text}`);
    refusals.push(String(refused.json['reason']));
  }
  check(refusals.join() === 'no_video,unknown', 'each refusal says why');
  say('POST /v1/calls for video, without a camera or offline', `409 professional_unavailable: ${refusals.join(', ')}`);

  expect(await api('PATCH', `/v1/professionals/${MILA}`, { default_duration_minutes: 45 }), 200);
  say(`PATCH /v1/professionals/${MILA}`, '45 minutes: the length of a consultation is the own one of the specialist');
}

/** R03: five minutes, then the request is over by itself. */
async function nobodyAnswers({ world, say, invite }: Scene): Promise<void> {
  const { api, now } = world;
  const asked = now().getTime();
  const call = await ring(world);
  const left = Date.parse(call.accept_by) - asked;
  check(left >= 5 * MINUTE && left < 5 * MINUTE + 10 * SECOND, `there are five minutes to accept: ${call.accept_by}`);
  const [specialist, customer] = [await invite(), await invite()];
  await specialist.open(call.pages.professional_url);
  await specialist.sees('You are being called');
  await specialist.sees(PURPOSE);
  await customer.open(call.pages.customer_url);
  await customer.sees('It is ringing');
  say('POST /v1/calls with a purpose', `201, it rings on the page of the specialist, to be accepted by ${call.accept_by}`);

  world.jump(5 * MINUTE);
  await told(world, 'call.expired', { call_id: call.id });
  for (const person of [specialist, customer]) await person.sees('Nobody answered in time');
  const late = await api('POST', `/v1/calls/${call.id}/accept`);
  check(late.status === 409 && late.json['state'] === 'expired', 'it cannot be accepted any more');
  say('5 minutes later', 'call.expired received, both pages say so, acceptance answered 409');

  await told(world, 'professional.presence_changed', { professional_id: MILA, status: 'unknown', reason: 'expired' });
  const refused = await ask(world, MILA);
  check(refused.status === 409 && refused.json['reason'] === 'unknown', 'who is not heard of is not online');
  say('no heartbeat for 5 minutes', 'professional.presence_changed to unknown, and nobody can ask until the next one');
}

/** R04 R02: camera and microphone on, both pages in the meeting, and the specialist's own length. */
async function answer({ world, say, invite }: Scene): Promise<Consultation> {
  const { api, sandbox } = world;
  await online(world, MILA, true);
  const call = await ring(world);
  const [specialist, customer] = [await invite(), await invite()];
  await customer.open(call.pages.customer_url);
  await customer.sees('It is ringing');
  await specialist.open(call.pages.professional_url);
  await specialist.press('Answer');
  await specialist.sees('Start in Zoom');
  // Nobody has touched this page.
  await customer.sees('Join with Zoom');
  const { data } = await told(world, 'call.accepted', { call_id: call.id });
  const meeting = await read(world, String(data['meeting_id']));
  check(
    specialist.place() === meeting.host_url && customer.place() === meeting.attendees[0]!.join_url,
    'each is on the own page of the meeting',
  );
  check(meeting.state === 'confirmed' && meeting.duration_minutes === 45, 'it begins now, and lasts as long as the specialist said');
  say('the specialist presses "Answer"', `call.accepted, both pages move into ${meeting.id}, ${meeting.duration_minutes} minutes`);

  const { vendors } = (await visit(`${sandbox.url}/control/state`)).json as { vendors: { zoom: { meetings: { settings: object }[] } } };
  const settings = vendors.zoom.meetings.map((one) => one.settings as { host_video: boolean; participant_video: boolean });
  check(settings.length === 1 && settings[0]!.host_video && settings[0]!.participant_video, 'one meeting at Zoom, with both cameras on');
  await specialist.press('Start in Zoom');
  await customer.press('Join with Zoom');
  check(ZOOM.joinHost.test(customer.place()), `the way leads to Zoom: ${customer.place()}`);
  const rated = await api('PUT', `/v1/meetings/${meeting.id}/ratings/${CUSTOMER}`, { professional: 5, connection: 5 });
  check(rated.status === 409, 'nobody rates what has not ended');
  await specialist.open(meeting.host_url);
  await customer.open(meeting.attendees[0]!.join_url);
  const { provider_join_url: url } = meeting.link;
  await happen(world, ZOOM, url, 'start');
  await happen(world, ZOOM, url, 'join', { user: ZOOM.user });
  await happen(world, ZOOM, url, 'join', { name: 'Petar' });
  await told(world, 'meeting.started', { meeting_id: meeting.id });
  await customer.sees('Running for');
  say('both come in', 'camera and microphone on at Zoom, meeting.started; a rating now is answered 409');
  return { meeting, specialist, customer };
}

/** R06: gone for more than 15 seconds, and back. */
async function loseHost({ world, say }: Scene, { meeting, specialist, customer }: Consultation): Promise<void> {
  const { provider_join_url: url } = meeting.link;
  await happen(world, ZOOM, url, 'leave', { user: ZOOM.user });
  await told(world, 'meeting.participant_left', { meeting_id: meeting.id });
  world.jump(10 * SECOND);
  check((await read(world, meeting.id)).running?.host_lost_at === null, 'ten seconds are nothing yet');
  world.jump(6 * SECOND);
  await told(world, 'meeting.host_lost', { meeting_id: meeting.id });
  await customer.sees('Your professional lost the connection');
  await specialist.sees('You have left the call');
  await happen(world, ZOOM, url, 'join', { user: ZOOM.user });
  const { data } = await told(world, 'meeting.host_back', { meeting_id: meeting.id });
  say(
    'the specialist is away for more than 15 s',
    `meeting.host_lost and a notice on both pages, back after ${String(data['away_seconds'])} s`,
  );
}

/** R05: asked for and refused, asked for and not answered, asked for and agreed to. */
async function endEarly({ world, say }: Scene, { meeting, specialist, customer }: Consultation): Promise<void> {
  await customer.press('Ask to end early');
  await specialist.sees('The other side would like to end early');
  await specialist.press('Refuse and go on');
  await customer.sees('The other side would like to go on');
  await told(world, 'meeting.early_end_answered', { meeting_id: meeting.id, asked_by: 'customer', decision: 'refused' });
  say('the customer asks to end early', 'meeting.early_end_asked; the specialist refuses, and it goes on');

  // Ids tell by the millisecond what is newest.
  world.jump(1);
  await specialist.press('Ask to end early');
  await customer.sees('The other side would like to end early');
  world.jump(MINUTE);
  await told(world, 'meeting.early_end_answered', { meeting_id: meeting.id, asked_by: 'professional', decision: 'lapsed' });
  await specialist.sees('There was no answer');
  say('the specialist asks, and nobody answers for a minute', 'lapsed: it goes on');

  await customer.sees('Ask to end early');
  await customer.press('Ask to end early');
  await specialist.sees('The other side would like to end early');
  await specialist.press('Agree and end');
  const { data } = await told(world, 'meeting.early_end_answered', { meeting_id: meeting.id, decision: 'agreed' });
  check(data['ends'] === true, 'Zoom is told to end it');
  await told(world, 'meeting.ended', { meeting_id: meeting.id });
  const { state, ended_by: by } = await read(world, meeting.id);
  check(state === 'ended' && by === 'customer', `it ended on the wish of the customer: ${state}, ${by}`);
  say('the customer asks again, and the specialist agrees', 'meeting.ended, ended_by customer');
}

/** R07: specialist and connection, each by itself, and once. */
async function rate({ world, say }: Scene, { meeting, customer }: Consultation): Promise<void> {
  const { api } = world;
  const comment = 'Clear words, blurred picture.';
  await customer.sees('How was it?');
  await customer.press('Send the rating', { professional: '5', connection: '3', comment });
  await customer.sees('Thank you for your rating');
  await told(world, 'meeting.rated', { meeting_id: meeting.id, customer_id: CUSTOMER, professional: 5, connection: 3, comment });
  const again = await api('PUT', `/v1/meetings/${meeting.id}/ratings/${CUSTOMER}`, { professional: 1, connection: 1 });
  check(again.status === 409, 'it is rated once');
  const { json } = await api('GET', `/v1/professionals/${MILA}/ratings`);
  const { count, professional, connection } = json['averages'] as Record<string, number>;
  check(count === 1 && professional === 5 && connection === 3, 'the ratings of the specialist have it');
  say(
    'the customer rates the specialist and the connection',
    `meeting.rated: ${professional} and ${connection} of 5; a second one is answered 409`,
  );
}

/** What the marketplace tells of a specialist, as often as the policy's heartbeat wants it. */
async function online({ api }: World, professional: string, video: boolean): Promise<void> {
  expect(await api('PUT', `/v1/professionals/${professional}/presence`, { status: 'available', video }), 200);
}

const ask = ({ api }: World, professional: string) =>
  api('POST', '/v1/calls', {
    professional_id: professional,
    customer_id: CUSTOMER,
    customer_name: 'Petar',
    professional_name: 'Mila',
    initiator: 'customer',
    purpose: PURPOSE,
    video: true,
  });

async function ring(world: World): Promise<Call> {
  const call = await ask(world, MILA);
  expect(call, 201);
  return call.json as unknown as Call;
}

const read = async ({ api }: World, id: string): Promise<Meeting> => (await api('GET', `/v1/meetings/${id}`)).json as unknown as Meeting;
