/** Professionals bring their own app, customers get links that they have bought (seed 000), and both keep to the rules of conduct (seed 004). */
import { visit } from '../clients.ts';
import { playLimit } from '../limits.ts';
import type { Person } from '../person.ts';
import { checkExpired, playRules } from '../rules.ts';
import { CASTS, check, checkGone, connect, expect, happen, told, type Published } from '../story.ts';
import type { World } from '../world.ts';
import { playConduct } from './conduct.ts';
import type { Scene } from './scene.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const [ZOOM, , MEET] = CASTS as [(typeof CASTS)[0], unknown, (typeof CASTS)[0]];
const [PROFESSIONAL, CUSTOMER] = ['pro_lena', 'cus_ada'] as const;

interface Meeting {
  readonly id: string;
  readonly state: string;
  readonly important_notes: string;
  readonly flags: readonly { readonly kind: string }[];
  readonly host_url: string;
  readonly link: { readonly provider_join_url: string };
  readonly attendees: readonly { readonly customer_id: string; readonly join_url: string }[];
}

interface Lesson {
  readonly meeting: Meeting;
  readonly professional: Person;
  readonly customer: Person;
}

export async function play(scene: Scene): Promise<void> {
  const { world, say } = scene;
  await connect(world, ZOOM, 'pro_zoom', say);
  const { unsold } = await playRules(world, say);
  await playEvent(scene);
  const lesson = await buy(scene);
  await agree(scene, lesson);
  const shared = await hold(scene, lesson);
  await playConduct(scene, { professionalId: PROFESSIONAL, customerId: CUSTOMER, ...lesson });
  await playLimit(world, say);
  world.jump(2 * DAY);
  await checkExpired(world, unsold, say);
  world.jump(12 * DAY);
  for (const one of shared) await checkGone(world, one, say);
}

/** G03 G06 G11 C03: an event is sold to one after the other, and may be recorded once they are told. */
async function playEvent({ world, say, invite }: Scene): Promise<void> {
  const { api } = world;
  const event = await book(world, {
    booking: { id: 'bk_talk', kind: 'event', title: 'Taxes for all, questions to ben@example.com' },
    professional_id: 'pro_zoom',
    attendees: [{ customer_id: 'cus_first' }, { customer_id: 'cus_second' }],
    recording: 'always',
  });
  check(
    event.flags.some(({ kind }) => kind === 'email'),
    'the address in the title is flagged',
  );
  expect(await api('POST', `/v1/meetings/${event.id}/purchases`, { customer_id: 'cus_first' }), 201);
  const [first, second] = [await invite(), await invite()];
  await first.open(joinUrlOf(event, 'cus_first'));
  await first.sees('This event may be recorded');
  await first.sees('You can join now');
  await second.open(joinUrlOf(event, 'cus_second'));
  await second.sees('Your purchase is not complete yet');
  await checkLocked(world, event);
  say(
    'an event, bought by one of two',
    'open for the one, with the note that it may be recorded; 409 link_locked for another link; title flagged',
  );
}

/** G02 G03 G04 G05 G08 G09: nothing of the link before the purchase, everything after it, without anybody touching the page. */
async function buy({ world, say, invite }: Scene): Promise<Lesson> {
  const { api } = world;
  await connect(world, MEET, PROFESSIONAL, say);
  const meeting = await book(world, { recording: 'on_consent' });
  const joinUrl = joinUrlOf(meeting, CUSTOMER);
  const early = await visit(joinUrl);
  check(early.status === 402 && !early.text.includes('meet.google.com'), 'the page has nothing of the link');
  check(meeting.important_notes.includes('Google Meet'), 'the app, which is the one that the professional has, is known before');
  const [professional, customer] = [await invite(), await invite()];
  await professional.open(meeting.host_url);
  await professional.sees('Nobody has purchased yet');
  await customer.open(joinUrl);
  await customer.sees('Your purchase is not complete yet');
  say('a private lesson before the purchase', '402, the vendor link is nowhere on the page, the notes name Google Meet');

  expect(await api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: CUSTOMER }), 201);
  await customer.sees('Join with Google Meet');
  await professional.sees('Start in Google Meet');
  await checkLocked(world, meeting);
  const other = await api('POST', '/v1/meetings', {
    ...lessonBody(world),
    booking: { id: 'bk_other', kind: 'one_to_one', title: 'Another lesson' },
    join_url: meeting.link.provider_join_url,
  });
  check(other.status === 422 && other.json['code'] === 'link_already_used', `a link is for one booking: ${other.text}`);
  say('and after it', 'both pages open by themselves; 409 link_locked for another link, 422 link_already_used for another booking');
  return { meeting, professional, customer };
}

/** G10 G12 G19 G20: the camera stays off, and nobody records without a yes. */
async function agree({ world, say }: Scene, { meeting, professional, customer }: Lesson): Promise<void> {
  await professional.sees('Recording: no answer yet');
  await customer.press('Yes, you may record');
  await customer.sees('You agreed to the recording.');
  await customer.press('Keep my camera off');
  await customer.sees('Your camera stays off');
  await customer.sees('How to join with Google Meet');
  await customer.sees('Safety and good manners');
  await professional.open(meeting.host_url);
  await professional.sees('Recording: agreed');
  await professional.sees('Camera off wished');
  const { attendees } = await read(world, meeting.id);
  check(attendees[0]!.recording_consent === 'granted' && attendees[0]!.camera_off, 'the consent and the wish are kept');
  say('the customer agrees to the recording, with the camera off', 'both stand on the page of the professional');
}

/** G13 G15 G16 G17 G18: the recording when Google has finished it, and a video of the professional, for 14 days. */
async function hold({ world, say }: Scene, { meeting, professional, customer }: Lesson): Promise<Published[]> {
  await customer.press('Join with Google Meet');
  check(customer.place() === meeting.link.provider_join_url, `the way leads to Google Meet: ${customer.place()}`);
  const { provider_join_url: url } = meeting.link;
  await happen(world, MEET, url, 'start');
  await happen(world, MEET, url, 'join', { name: 'Ada' });
  await told(world, 'meeting.started', { meeting_id: meeting.id });
  await happen(world, MEET, url, 'end');
  await told(world, 'meeting.ended', { meeting_id: meeting.id });
  await happen(world, MEET, url, 'finish-recording');
  const { data } = await told(world, 'recording.published', { meeting_id: meeting.id });
  const recording = readPublished(data);
  await customer.open(recording.link);
  await customer.sees('Every viewing is logged.');
  await customer.sees('The recording is stored by another company.');
  say('Google Meet held and recorded it', 'recording.published to the customer, once Google had finished it');

  await professional.open(meeting.host_url);
  await professional.press('Share the link', { title: 'Exercises', url: 'https://vimeo.com/76979871' });
  await professional.sees('The link is shared');
  const { receiver } = world;
  const second = await receiver.waitFor(
    'recording.published of the video',
    ({ type, data: one }) => type === 'recording.published' && one['recording_id'] !== recording.recordingId,
  );
  const upload = readPublished(second.data);
  await customer.open(upload.link);
  await customer.sees('Please download it to your own device before that day.');
  say('the professional shares a video', 'recording.published, 14 days, and a word to download it');
  return [recording, upload];
}

function readPublished(data: Readonly<Record<string, unknown>>): Published {
  const days = (Date.parse(String(data['expires_at'])) - Date.parse(String(data['published_at']))) / DAY;
  check(days === 14, `the link lives 14 days: ${days}`);
  const [link] = data['links'] as { customer_id: string; url: string }[];
  check(link?.customer_id === CUSTOMER, 'it is the customer’s own');
  return { meetingId: String(data['meeting_id']), recordingId: String(data['recording_id']), link: link!.url };
}

const joinUrlOf = ({ attendees }: Meeting, customer: string): string => attendees.find(({ customer_id: id }) => id === customer)!.join_url;

async function checkLocked({ api }: World, { id }: Meeting): Promise<void> {
  const change = await api('PATCH', `/v1/meetings/${id}`, { join_url: 'https://zoom.us/j/99999999999' });
  check(change.status === 409 && change.json['code'] === 'link_locked', 'the link may not change after the purchase');
}

const lessonBody = ({ now }: World) => ({
  booking: { id: 'bk_lesson', kind: 'one_to_one', title: 'A private lesson' },
  professional_id: PROFESSIONAL,
  attendees: [{ customer_id: CUSTOMER, name: 'Ada', locale: 'en' }],
  starts_at: new Date(now().getTime() + 10 * MINUTE).toISOString(),
  duration_minutes: 50,
});

async function book(world: World, changes: object): Promise<Meeting> {
  const made = await world.api('POST', '/v1/meetings', { ...lessonBody(world), ...changes });
  expect(made, 201);
  return made.json as unknown as Meeting;
}

const read = async ({ api }: World, id: string) =>
  (await api('GET', `/v1/meetings/${id}`)).json as { attendees: { recording_consent: string; camera_off: boolean }[] };
