/** What becomes of a professional who breaks the rules: reported, warned, suspended, heard (seed 004). */
import { visit } from '../clients.ts';
import type { Person } from '../person.ts';
import { check, expect, told } from '../story.ts';
import type { World } from '../world.ts';
import type { Scene } from './scene.ts';

const DAY = 86_400_000;

/** After a meeting that the customer has bought. */
export interface Affair {
  readonly professionalId: string;
  readonly customerId: string;
  readonly meeting: { readonly id: string; readonly host_url: string; readonly attendees: readonly { readonly join_url: string }[] };
  readonly professional: Person;
  readonly customer: Person;
}

export async function playConduct(scene: Scene, affair: Affair): Promise<void> {
  const incidentId = await report(scene, affair);
  await warn(scene, affair, incidentId);
  await suspend(scene, affair, incidentId);
  await appeal(scene, affair);
  await resolve(scene, affair, incidentId);
}

/** G20 C04: on the customer's own page, after the meeting. */
async function report({ world, say }: Scene, { meeting, customer }: Affair): Promise<string> {
  await customer.open(meeting.attendees[0]!.join_url);
  await customer.press('Send the report', { kind: 'conduct', text: 'I was asked to pay outside of the platform.' });
  await customer.sees('Thank you, your report has arrived');
  const { data } = await told(world, 'incident.reported', { meeting_id: meeting.id, kind: 'conduct' });
  const incidentId = String(data['incident_id']);
  const note = 'Both sides are asked.';
  expect(await world.api('PATCH', `/v1/incidents/${incidentId}`, { state: 'investigating', note }), 200);
  await told(world, 'incident.changed', { incident_id: incidentId, to: 'investigating' });
  say('the customer reports how the professional behaved', `incident.reported, then investigating: ${incidentId}`);
  return incidentId;
}

/** C01: a warning keeps nobody from anything. */
async function warn({ world, say }: Scene, affair: Affair, incidentId: string): Promise<void> {
  await decide(world, affair, { standing: 'warned', reason: 'A customer was asked to pay outside.', incident_id: incidentId });
  expect(await newLink(world, affair, 'bk_warned'), 201);
  say('PUT  …/standing warned', 'professional.standing_changed with reason and incident; new links as before');
}

/** C01: no new links, and the professional's page says so. */
async function suspend({ world, say }: Scene, affair: Affair, incidentId: string): Promise<void> {
  // Ids tell by the millisecond what is newest.
  world.jump(1);
  const until = new Date(world.now().getTime() + 7 * DAY).toISOString();
  await decide(world, affair, { standing: 'suspended', until, reason: 'It happened again.', incident_id: incidentId });
  const refused = await newLink(world, affair, 'bk_suspended');
  check(refused.status === 409 && refused.json['code'] === 'professional_suspended', `there is no new link: ${refused.text}`);
  await affair.professional.open(affair.meeting.host_url);
  await affair.professional.sees('Your account is suspended');
  const { text } = await visit(affair.meeting.attendees[0]!.join_url);
  check(!text.includes('suspended'), 'the customer does not read of it');
  say('PUT  …/standing suspended for 7 days', '409 professional_suspended for a new link, a notice on the page of the professional alone');
}

/** C02: with evidence, decided once. */
async function appeal({ world, say }: Scene, affair: Affair): Promise<void> {
  const { api } = world;
  const path = `/v1/professionals/${affair.professionalId}`;
  const evidence = [{ url: 'https://files.example/chat.png', title: 'The whole chat' }];
  const filed = await api('POST', `${path}/appeals`, { text: 'The message was about another order.', evidence });
  expect(filed, 201);
  const appealId = String(filed.json['id']);
  await told(world, 'appeal.filed', { appeal_id: appealId, evidence_links: 1 });
  const bare = await newLink(world, affair, 'bk_appealed');
  check(bare.status === 409, 'until it is decided the suspension stays');
  // Ids tell by the millisecond what is newest.
  world.jump(1);
  const answer = 'The chat shows it.';
  expect(await api('POST', `/v1/appeals/${appealId}/decision`, { decision: 'granted', standing: 'good', answer }), 200);
  const { data } = await told(world, 'professional.standing_changed', { appeal_id: appealId });
  check(data['standing'] === 'good' && data['cause'] === 'appeal', 'the standing is good again');
  expect(await newLink(world, affair, 'bk_granted'), 201);
  const page = await visit(affair.meeting.host_url);
  check(!page.text.includes('suspended'), 'the notice is gone');
  say(
    'POST …/appeals with evidence, granted',
    'appeal.filed, appeal.decided, standing good rather than warned as before: 201 for a new link, the notice is gone',
  );
}

/** C04: with a timeline and signed evidence. */
async function resolve({ world, say }: Scene, { customerId, meeting }: Affair, incidentId: string): Promise<void> {
  const { api } = world;
  const resolution = 'A misunderstanding; both know.';
  const resolved = await api('PATCH', `/v1/incidents/${incidentId}`, { state: 'resolved', resolution });
  expect(resolved, 200);
  const timeline = (resolved.json['timeline'] as { state: string | null }[]).flatMap(({ state }) => state ?? []);
  check(timeline.join() === 'open,investigating,resolved', `the timeline has it all: ${timeline.join()}`);
  const exported = await api('GET', `/v1/incidents/${incidentId}/evidence`);
  expect(exported, 200);
  check(exported.text.includes(meeting.id) && exported.text.includes(customerId), 'the evidence is about this meeting');
  check(String(exported.json['signature']).split('.').length === 3, 'and is signed');
  say('PATCH /v1/incidents/… resolved, GET …/evidence', `${timeline.join(', ')}; sessions, consents and the link's history, signed`);
}

async function decide(world: World, { professionalId }: Affair, body: { standing: string; [name: string]: string }): Promise<void> {
  expect(await world.api('PUT', `/v1/professionals/${professionalId}/standing`, body), 200);
  await told(world, 'professional.standing_changed', { professional_id: professionalId, ...body });
}

const newLink = ({ api, now }: World, { professionalId, customerId }: Affair, booking: string) =>
  api('POST', '/v1/meetings', {
    booking: { id: booking, kind: 'one_to_one', title: 'The next lesson' },
    professional_id: professionalId,
    attendees: [{ customer_id: customerId }],
    starts_at: new Date(now().getTime() + DAY).toISOString(),
    duration_minutes: 30,
  });
