/** Mounts the routes and answers what they throw. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Intake } from '../webhooks/intake.ts';
import { Failure } from './domain/failure.ts';
import { newId } from './domain/id.ts';
import type { Gateway } from './gateway.ts';
import { callRoutes } from './http/api/calls.ts';
import { connectionRoutes } from './http/api/connections.ts';
import { contentRoutes } from './http/api/contents.ts';
import { earlyEndRoutes } from './http/api/early-end.ts';
import { eventRoutes } from './http/api/events.ts';
import { guestRoutes } from './http/api/guests.ts';
import { incidentRoutes } from './http/api/incidents.ts';
import { meetingRoutes } from './http/api/meetings.ts';
import { meterRoutes } from './http/api/meters.ts';
import { policyRoutes } from './http/api/policy.ts';
import { packageRoutes } from './http/api/packages.ts';
import { professionalRoutes } from './http/api/professionals.ts';
import { providerRoutes } from './http/api/providers.ts';
import { ratingRoutes } from './http/api/ratings.ts';
import { recordingRoutes } from './http/api/recordings.ts';
import { sessionRoutes } from './http/api/sessions.ts';
import { standingRoutes } from './http/api/standing.ts';
import { registerWebhooks } from './http/api/webhooks.ts';
import { authenticate, type ApiEnv } from './http/auth.ts';
import { docsRoutes } from './http/docs.ts';
import { healthRoutes } from './http/health.ts';
import { idempotency } from './http/idempotency.ts';
import { jsonBody } from './http/json-body.ts';
import type { Live } from './http/live.ts';
import { callPageRoutes } from './http/pages/call.ts';
import { connectRoutes } from './http/pages/connect.ts';
import { contentPageRoutes } from './http/pages/content.ts';
import { guestPageRoutes } from './http/pages/guest.ts';
import { evidencePageRoutes } from './http/pages/evidence.ts';
import { guard } from './http/pages/guard.ts';
import { hostRoutes } from './http/pages/host.ts';
import { joinRoutes } from './http/pages/join.ts';
import { sendFailurePage } from './http/pages/page.ts';
import { problemRoutes } from './http/pages/problems.ts';
import { recordingPageRoutes } from './http/pages/recording.ts';
import { problemResponse, requestIdOf } from './http/problem.ts';
import { webhookRoutes } from './http/webhooks.ts';
import { wellKnownRoutes } from './http/well-known.ts';

/** A form of ours has a few hundred bytes. */
const MAX_FORM_BYTES = 16 * 1024;
const PAGES = /^\/(connect|oauth|j|g|h|r|c|s|e|problems)\//;

export function createApp(gateway: Gateway, intake: Intake, live: Live) {
  const { config, log } = gateway;
  const app = new OpenAPIHono<ApiEnv>();

  const answer = (c: Context, failure: Failure): Response | Promise<Response> => {
    if (c.get('requestId') === undefined) c.set('requestId', newId(gateway, 'req'));
    const requestId = requestIdOf(c);
    if (failure.status >= 500) log.error({ err: failure, request: requestId, path: c.req.routePath }, failure.message);
    else log.debug({ err: failure, request: requestId, path: c.req.routePath }, failure.message);
    if (wantsPage(c)) return sendFailurePage(c, gateway, failure);
    const response = problemResponse(failure, requestId, config.publicUrl);
    if (failure.code === 'unauthenticated') response.headers.set('www-authenticate', 'Bearer');
    // The rest of an oversized body is not read: the connection cannot be used again.
    if (failure.code === 'too_large') response.headers.set('connection', 'close');
    // Not the bare response: headers that were set before the failure, the limits among them, belong to the answer.
    return c.newResponse(response.body, response);
  };
  app.onError((error, c) => answer(c, Failure.from(error)));
  app.notFound((c) => answer(c, new Failure('not_found', 'There is nothing at this address.')));

  // Before every middleware: the vendors' deliveries take the shortest way.
  app.route('/', webhookRoutes(gateway, intake));

  app.use('*', async (c, next) => {
    const id = newId(gateway, 'req');
    c.set('requestId', id);
    c.header('x-request-id', id);
    if (!c.req.path.startsWith('/v1/')) checkForm(c);
    await next();
  });

  app.use('/v1/*', authenticate(gateway), jsonBody, idempotency(gateway));
  app.route('/v1', providerRoutes(gateway));
  app.route('/v1', connectionRoutes(gateway));
  app.route('/v1', professionalRoutes(gateway));
  app.route('/v1', meetingRoutes(gateway));
  app.route('/v1', sessionRoutes(gateway));
  app.route('/v1', callRoutes(gateway));
  app.route('/v1', meterRoutes(gateway));
  app.route('/v1', earlyEndRoutes(gateway));
  app.route('/v1', guestRoutes(gateway));
  app.route('/v1', ratingRoutes(gateway));
  app.route('/v1', packageRoutes(gateway));
  app.route('/v1', recordingRoutes(gateway));
  app.route('/v1', contentRoutes(gateway));
  app.route('/v1', incidentRoutes(gateway));
  app.route('/v1', standingRoutes(gateway));
  app.route('/v1', eventRoutes(gateway));
  app.route('/v1', policyRoutes(gateway));
  registerWebhooks(app);
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: "The marketplace's API key",
  });

  app.get('/', (c) => c.redirect('/docs', 302));
  const guarded = guard(gateway);
  for (const path of ['/connect/*', '/oauth/*', '/j/*', '/g/*', '/h/*', '/r/*', '/c/*', '/s/*', '/e/*']) app.use(path, guarded);
  app.route('/', connectRoutes(gateway));
  app.route('/', joinRoutes(gateway, live));
  app.route('/', guestPageRoutes(gateway));
  app.route('/', hostRoutes(gateway, live));
  app.route('/', callPageRoutes(gateway, live));
  app.route('/', recordingPageRoutes(gateway));
  app.route('/', contentPageRoutes(gateway));
  app.route('/', evidencePageRoutes(gateway));
  app.route('/', problemRoutes(gateway));
  app.route('/', healthRoutes(gateway));
  app.route('/', wellKnownRoutes(gateway));
  app.route(
    '/',
    docsRoutes(gateway, () =>
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: {
          title: 'Conferencing gateway',
          version: '1',
          description: 'Zoom, Microsoft Teams and Google Meet behind one interface for service marketplaces.',
        },
        servers: [{ url: config.publicUrl }],
      }),
    ),
  );
  return app;
}

/** A browser always says how long a form is; whoever does not could send without end. */
function checkForm({ req }: Context): void {
  if (req.header('transfer-encoding') !== undefined) throw new Failure('malformed', 'A form has to come with its Content-Length.');
  if (Number(req.header('content-length') ?? 0) > MAX_FORM_BYTES) throw new Failure('too_large', 'The form is too large.');
}

/** A person gets a page, a program a problem document; where it is not said, by the address. */
function wantsPage({ req }: Context): boolean {
  if (/^\/(v1|webhooks)\//.test(req.path)) return false;
  const accept = req.header('accept') ?? '';
  return accept.includes('text/html') || (PAGES.test(req.path) && !accept.includes('json'));
}
