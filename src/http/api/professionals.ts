import { createRoute, type z } from '@hono/zod-openapi';
import type { Presence } from '../../domain/presence.ts';
import { windowsOf } from '../../domain/weekly-hours.ts';
import type { Gateway } from '../../gateway.ts';
import { availabilityOf, setAvailability, type Availability } from '../../professionals/availability.ts';
import { presenceOf, setPresence } from '../../professionals/presence.ts';
import { profileOf, setProfile, type Profile } from '../../professionals/profile.ts';
import * as answers from './answers.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, json, problems, professionalParameter } from './router.ts';

export const professionalRoutes = (gateway: Gateway) =>
  apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/presence',
        ...about('Professionals', 'Which professionals can be reached now; one of whom nothing was told is `unknown`'),
        request: { query: requests.presenceQuery },
        responses: { 200: json(answers.presences, 'In the order in which they were asked for'), ...problems },
      }),
      async (c) => {
        const { professional_id: ids } = c.req.valid('query');
        const presences = await presenceOf(gateway.db.read, c.get('marketplace').id, ids, gateway.now());
        return c.json({ data: [...presences].map(([id, presence]) => shownPresence(id, presence)) }, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/professionals/{id}',
        ...about('Professionals', "A professional's own choices; every professional has the defaults before any was made"),
        request: { params: professionalParameter },
        responses: { 200: json(answers.profile, 'The choices'), ...problems },
      }),
      async (c) => {
        const { id } = c.req.valid('param');
        return c.json(
          shownProfile(id, await profileOf(gateway.db.read, { marketplaceId: c.get('marketplace').id, professionalId: id })),
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/professionals/{id}',
        ...about('Professionals', 'Say how long meetings of this professional are when nobody names a length'),
        request: { params: professionalParameter, body: body(requests.profileChange) },
        responses: { 200: json(answers.profile, 'The choices'), ...problems },
      }),
      async (c) => {
        const { id } = c.req.valid('param');
        const profile = { defaultDurationMinutes: c.req.valid('json').default_duration_minutes };
        await setProfile(gateway, { marketplaceId: c.get('marketplace').id, professionalId: id }, profile);
        return c.json(shownProfile(id, profile), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/professionals/{id}/presence',
        ...about('Professionals', 'Say whether the professional can be reached now; say it again before it expires'),
        description:
          'A change is told by `professional.presence_changed`. The same again is a heartbeat: it makes the presence hold for longer, and nothing is told. What is not told again in time is `unknown`, which is told once.',
        request: { params: professionalParameter, body: body(requests.presence) },
        responses: { 200: json(answers.presence, 'The presence'), ...problems },
      }),
      async (c) => {
        const { id } = c.req.valid('param');
        const { status, video, expires_in_seconds: expiresInSeconds } = c.req.valid('json');
        const told = { marketplace: c.get('marketplace'), professionalId: id, status, video, expiresInSeconds };
        return c.json(shownPresence(id, await setPresence(gateway, told)), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/professionals/{id}/availability',
        ...about('Professionals', 'In which hours of the week the professional can be reached; with `from` and `until` also when that is'),
        request: { params: professionalParameter, query: requests.availabilityQuery },
        responses: { 200: json(answers.availability, 'The hours'), ...problems },
      }),
      async (c) => {
        const { id } = c.req.valid('param');
        const { from, until } = c.req.valid('query');
        const availability = await availabilityOf(gateway.db.read, { marketplaceId: c.get('marketplace').id, professionalId: id });
        const shown = shownAvailability(id, availability);
        if (from === undefined || until === undefined) return c.json(shown, 200);
        return c.json({ ...shown, windows: windowsIn(availability, { from: new Date(from), until: new Date(until) }) }, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/professionals/{id}/availability',
        ...about('Professionals', 'Hours of the week in which the professional can be reached, in a time zone of their own'),
        request: { params: professionalParameter, body: body(requests.availability) },
        responses: { 200: json(answers.availability, 'The hours, merged'), ...problems },
      }),
      async (c) => {
        const { id } = c.req.valid('param');
        const { time_zone: timeZone, hours } = c.req.valid('json');
        const key = { marketplaceId: c.get('marketplace').id, professionalId: id };
        return c.json(shownAvailability(id, await setAvailability(gateway, key, { timeZone, hours })), 200);
      },
    );

const shownPresence = (id: string, { status, video, until }: Presence): z.infer<typeof answers.presence> => ({
  professional_id: id,
  status,
  video,
  until: until?.toISOString() ?? null,
});

const shownProfile = (id: string, { defaultDurationMinutes }: Profile): z.infer<typeof answers.profile> => ({
  professional_id: id,
  default_duration_minutes: defaultDurationMinutes,
});

const shownAvailability = (id: string, { timeZone, hours }: Availability): z.infer<typeof answers.availability> => ({
  professional_id: id,
  time_zone: timeZone,
  hours: [...hours],
});

function windowsIn({ timeZone, hours }: Availability, period: { from: Date; until: Date }) {
  if (timeZone === null) return [];
  return windowsOf(hours, timeZone, period).map(({ startsAt, endsAt }) => ({
    starts_at: startsAt.toISOString(),
    ends_at: endsAt.toISOString(),
  }));
}
