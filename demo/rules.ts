/** The rules of links, each tried once: a fourth app, packages, and the 48 hours. */
import { setTimeout as wait } from 'node:timers/promises';
import { check, expect, type Say } from './story.ts';
import type { World } from './world.ts';

const HOUR = 3_600_000;

export async function playRules({ api, now }: World, say: Say): Promise<{ unsold: string }> {
  const body = (id: string, changes: object = {}) => ({
    booking: { id, kind: 'one_to_one', title: 'Lesson' },
    professional_id: 'pro_zoom',
    attendees: [{ customer_id: 'cus_rules' }],
    provider: 'auto',
    starts_at: new Date(now().getTime() + 96 * HOUR).toISOString(),
    duration_minutes: 30,
    ...changes,
  });
  const fourth = await api('POST', '/v1/meetings', body('bk_fourth', { join_url: 'https://company.webex.com/meet/ada' }));
  check(fourth.status === 422 && fourth.json['code'] === 'app_not_approved', 'a fourth app is refused');
  say('POST /v1/meetings with a link of a fourth app', `422 app_not_approved: ${String(fourth.json['approved_apps'])}`);

  const lesson = (index: number) => ({
    starts_at: new Date(now().getTime() + (96 + 24 * index) * HOUR).toISOString(),
    duration_minutes: 30,
  });
  const { starts_at: _startsAt, duration_minutes: _minutes, ...common } = body('bk_package');
  const tooMany = await api('POST', '/v1/packages', { ...common, meetings: [0, 1, 2, 3, 4, 5].map(lesson) });
  check(tooMany.status === 422 && tooMany.json['code'] === 'package_too_large', 'a sixth meeting is refused');
  const made = await api('POST', '/v1/packages', { ...common, meetings: [0, 1, 2, 3, 4].map(lesson) });
  expect(made, 201);
  const links = (made.json['meetings'] as { link: { provider_join_url: string } }[]).map(({ link }) => link.provider_join_url);
  check(new Set(links).size === 5, 'every meeting of the package has a link of its own');
  expect(await api('POST', `/v1/packages/${String(made.json['id'])}/purchases`, { customer_id: 'cus_rules' }), 201);
  say('POST /v1/packages', '422 for six meetings, 201 for five: five links, sold together');

  const unsold = await api('POST', '/v1/meetings', body('bk_unsold'));
  expect(unsold, 201);
  say('POST /v1/meetings, and nobody buys', `201, to be bought by ${String(unsold.json['purchase_by'])}`);
  return { unsold: String(unsold.json['id']) };
}

/** 48 hours later. */
export async function checkExpired({ api, receiver, sandbox }: World, meetingId: string, say: Say): Promise<void> {
  await receiver.waitFor('meeting.expired', ({ type, data }) => type === 'meeting.expired' && data['meeting_id'] === meetingId);
  const purchase = await api('POST', `/v1/meetings/${meetingId}/purchases`, { customer_id: 'cus_rules' });
  check(purchase.status === 409 && purchase.json['code'] === 'purchase_expired', 'it cannot be bought any more');
  const { link } = (await api('GET', `/v1/meetings/${meetingId}`)).json as { link: { provider_join_url: string } };
  const number = new URL(link.provider_join_url).pathname.split('/').at(-1);
  const asked = () =>
    sandbox.sandbox.traffic.requests().filter(({ method, path }) => method === 'DELETE' && path.endsWith(`/meetings/${number}`)).length;
  // The event is written with the change, the vendor is told right after it.
  for (let looks = 0; asked() === 0 && looks < 100; looks += 1) await wait(50);
  check(asked() === 1, 'the vendor was told to delete its meeting, once');
  say('48 hours later', "meeting.expired received, purchase answered 409, Zoom's meeting deleted");
}
