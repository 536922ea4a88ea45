/** A free Zoom meeting that is booked for longer than its plan allows: refused or warned, told before the end, cut off, continued. */
import { location, visit } from './clients.ts';
import { check, connect, expect, happen, told, type Cast, type Say } from './story.ts';
import type { World } from './world.ts';

const MINUTE = 60_000;
const CAST: Cast = { provider: 'zoom', app: 'Zoom', user: 'ben@zoom.sandbox.example', joinHost: /^https:\/\/[a-z0-9]+\.zoom\.us\/j\// };
const PROFESSIONAL = 'pro_free';
const CUSTOMER = 'cus_free';
/** The minutes before the limit at which the marketplace is told, by the policy. */
const TOLD_BEFORE = [10, 5, 1];

interface Meeting {
  readonly id: string;
  readonly state: string;
  readonly duration_minutes: number;
  readonly continues: string | null;
  readonly host_url: string;
  readonly limit: { minutes: number; plan: string; exceeded: boolean };
  readonly link: { provider_join_url: string };
  readonly attendees: readonly { join_url: string; state: string; recording_consent: string }[];
}

export async function playLimit(world: World, say: Say): Promise<void> {
  const { api } = world;
  await connect(world, CAST, PROFESSIONAL, say);
  const first = await book(world, say);
  await runIntoLimit(world, first, say);
  const next = await goOn(world, first, say);
  await hold(world, next);
  await showSessions(world, first, next, say);
  expect(await api('PATCH', '/v1/policy', { limits: { on_exceed: null } }), 200);
}

async function book({ api, now }: World, say: Say): Promise<Meeting> {
  const body = {
    booking: { id: 'bk_free', kind: 'one_to_one', title: 'Tax consultation' },
    professional_id: PROFESSIONAL,
    attendees: [{ customer_id: CUSTOMER, name: 'Ada', locale: 'en' }],
    provider: 'zoom',
    starts_at: now().toISOString(),
    duration_minutes: 50,
    recording: 'on_consent',
  };
  const refused = await api('POST', '/v1/meetings', body);
  check(refused.status === 422 && refused.json['code'] === 'limit_exceeded', 'a booking that the plan cuts off is refused');
  expect(await api('PATCH', '/v1/policy', { limits: { on_exceed: 'warn' } }), 200);
  const warned = await api('POST', '/v1/meetings', body);
  expect(warned, 201);
  const meeting = warned.json as unknown as Meeting;
  check(meeting.limit.minutes === 40 && meeting.limit.exceeded, 'the booking is made with a warning');
  expect(await api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: CUSTOMER }), 201);
  expect(
    await api('PUT', `/v1/meetings/${meeting.id}/attendees/${CUSTOMER}/recording-consent`, {
      decision: 'granted',
      locale: 'en',
      text_version: 'demo-1',
    }),
    200,
  );
  say('50 minutes on a free plan', `422 limit_exceeded; with limits.on_exceed warn 201, limit ${meeting.limit.minutes} minutes`);
  return meeting;
}

async function runIntoLimit(world: World, meeting: Meeting, say: Say): Promise<void> {
  await happen(world, CAST, meeting.link.provider_join_url, 'start', { limits: true });
  await happen(world, CAST, meeting.link.provider_join_url, 'join', { user: CAST.user });
  await happen(world, CAST, meeting.link.provider_join_url, 'join', { name: 'Ada' });
  await told(world, 'meeting.started', { meeting_id: meeting.id });
  let passed = 0;
  for (const left of TOLD_BEFORE) {
    world.jump((40 - left - passed) * MINUTE);
    passed = 40 - left;
    await told(world, 'meeting.limit_approaching', { meeting_id: meeting.id, minutes_left: left });
    say(`${passed} minutes later`, `meeting.limit_approaching, ${left === 1 ? 'one minute' : `${left} minutes`} left`);
  }
  // The vendor's clock shows whole seconds.
  world.jump((40 - passed) * MINUTE);
  await told(world, 'meeting.limit_reached', { meeting_id: meeting.id });
  await told(world, 'meeting.ended', { meeting_id: meeting.id });
  say('40 minutes after the start', 'Zoom cuts the meeting off; meeting.limit_reached and meeting.ended received');
}

async function goOn(world: World, first: Meeting, say: Say): Promise<Meeting> {
  const { api } = world;
  const page = await visit(first.host_url);
  check(page.text.includes(`action="${new URL(first.host_url).pathname}/continue"`), 'the host page offers to go on');
  const click = await visit(`${first.host_url}/continue`, { method: 'POST' });
  expect(click, 303);
  const { data } = await told(world, 'meeting.continued', { meeting_id: first.id });
  const next = (await api('GET', `/v1/meetings/${String(data['continued_by'])}`)).json as unknown as Meeting;
  check(next.continues === first.id && next.state === 'confirmed', 'the continuation is bought and locked');
  check(next.attendees[0]!.recording_consent === 'granted', 'the consent holds for the rest of the booking');
  check(next.link.provider_join_url !== first.link.provider_join_url, 'the link is a new one');
  say('POST /h/…/continue, one click of the host', `303; meeting.continued, ${next.duration_minutes} minutes more, nobody pays again`);

  const leadsTo = async (url: string): Promise<string | undefined> => /data-move="([^"]+)"/.exec((await visit(url)).text)?.[1];
  check(location(click) === new URL(next.host_url).pathname, 'the click leads to the new page');
  check((await leadsTo(first.host_url)) === next.host_url, "the host's page leads to the new one");
  check((await leadsTo(first.attendees[0]!.join_url)) === next.attendees[0]!.join_url, "the customer's page leads to the new one");
  const join = await visit(`${next.attendees[0]!.join_url}/join`, { method: 'POST' });
  check(location(join) === next.link.provider_join_url, 'and from there to the vendor');
  say('GET  /h/… and /j/… of the meeting that was cut off', "they move to each one's own page of the continuation");
  return next;
}

/** The rest of the booking. */
async function hold(world: World, meeting: Meeting): Promise<void> {
  await happen(world, CAST, meeting.link.provider_join_url, 'start', { limits: true });
  await happen(world, CAST, meeting.link.provider_join_url, 'join', { user: CAST.user });
  await happen(world, CAST, meeting.link.provider_join_url, 'join', { name: 'Ada' });
  await told(world, 'meeting.started', { meeting_id: meeting.id });
  world.jump(9 * MINUTE);
  await happen(world, CAST, meeting.link.provider_join_url, 'end');
  await told(world, 'meeting.ended', { meeting_id: meeting.id });
}

async function showSessions({ api }: World, first: Meeting, next: Meeting, say: Say): Promise<void> {
  const answer = await api('GET', `/v1/meetings/${first.id}/sessions`);
  const { segments, segments_minutes: all } = answer.json as {
    segments: { meeting_id: string; minutes: { joint: number } }[];
    segments_minutes: { joint: number };
  };
  check(segments.map(({ meeting_id: id }) => id).join() === [first.id, next.id].join(), 'both segments belong to the booking');
  check(Math.round(all.joint) === 49, `the minutes of both count: ${answer.text}`);
  say(
    'GET  /v1/meetings/…/sessions',
    `${segments.map(({ minutes }) => Math.round(minutes.joint)).join(' and ')} minutes together, ${Math.round(all.joint)} in all`,
  );
}
