import type { OpenAPIHono } from '@hono/zod-openapi';
import { expect, it } from 'vitest';
import type { AnswerOf, BodyOf, Operation } from '../../src/client/operations.ts';
import type { ApiEnv } from '../../src/http/auth.ts';
import type { callRoutes } from '../../src/http/api/calls.ts';
import type { connectionRoutes } from '../../src/http/api/connections.ts';
import type { contentRoutes } from '../../src/http/api/contents.ts';
import type { earlyEndRoutes } from '../../src/http/api/early-end.ts';
import type { eventRoutes } from '../../src/http/api/events.ts';
import type { guestRoutes } from '../../src/http/api/guests.ts';
import type { incidentRoutes } from '../../src/http/api/incidents.ts';
import type { meetingRoutes } from '../../src/http/api/meetings.ts';
import type { meterRoutes } from '../../src/http/api/meters.ts';
import type { packageRoutes } from '../../src/http/api/packages.ts';
import type { policyRoutes } from '../../src/http/api/policy.ts';
import type { professionalRoutes } from '../../src/http/api/professionals.ts';
import type { providerRoutes } from '../../src/http/api/providers.ts';
import type { ratingRoutes } from '../../src/http/api/ratings.ts';
import type { recordingRoutes } from '../../src/http/api/recordings.ts';
import type { standingRoutes } from '../../src/http/api/standing.ts';
import type { sessionRoutes } from '../../src/http/api/sessions.ts';

/** What the routes themselves say that they take and give. */
type SchemaOf<Routes> = Routes extends OpenAPIHono<ApiEnv, infer Schema> ? Schema : never;
type Served =
  | SchemaOf<ReturnType<typeof callRoutes>>
  | SchemaOf<ReturnType<typeof connectionRoutes>>
  | SchemaOf<ReturnType<typeof contentRoutes>>
  | SchemaOf<ReturnType<typeof earlyEndRoutes>>
  | SchemaOf<ReturnType<typeof eventRoutes>>
  | SchemaOf<ReturnType<typeof guestRoutes>>
  | SchemaOf<ReturnType<typeof incidentRoutes>>
  | SchemaOf<ReturnType<typeof meetingRoutes>>
  | SchemaOf<ReturnType<typeof meterRoutes>>
  | SchemaOf<ReturnType<typeof packageRoutes>>
  | SchemaOf<ReturnType<typeof policyRoutes>>
  | SchemaOf<ReturnType<typeof professionalRoutes>>
  | SchemaOf<ReturnType<typeof providerRoutes>>
  | SchemaOf<ReturnType<typeof ratingRoutes>>
  | SchemaOf<ReturnType<typeof recordingRoutes>>
  | SchemaOf<ReturnType<typeof sessionRoutes>>
  | SchemaOf<ReturnType<typeof standingRoutes>>;
type HonoPath<Path extends string> = Path extends `${infer Before}{${infer Name}}${infer After}`
  ? HonoPath<`${Before}:${Name}${After}`>
  : Path;
type At<Value, Key> = Value extends unknown ? (Key extends keyof Value ? Value[Key] : never) : never;
type RouteOf<Name extends Operation> = Name extends `${infer Method} /v1${infer Path}`
  ? At<At<Served, HonoPath<Path>>, `$${Lowercase<Method>}`>
  : never;
type Given<Route> = Route extends { output: infer Output; status: 200 | 201 } ? Output : never;
type Taken<Route> = Route extends { input: { json: infer Json } } ? Json : undefined;

/** The operations of which the client's types and the routes' are not the same. */
type Drifted = {
  [Name in Operation]: [Given<RouteOf<Name>>] extends [AnswerOf<Name>]
    ? [Exclude<BodyOf<Name>, undefined>] extends [Taken<RouteOf<Name>>]
      ? never
      : `${Name}: body`
    : `${Name}: answer`;
}[Operation];

/** The operations that no route was found for. */
type Lost = { [Name in Operation]: [RouteOf<Name>] extends [never] ? Name : never }[Operation];

it('no type of the client drifts from the routes, which the compiler sees', () => {
  const drifted: Drifted[] = [];
  const none: never[] = drifted;
  const lost: Lost[] = [];
  expect([...none, ...(lost satisfies never[])]).toEqual([]);
});
