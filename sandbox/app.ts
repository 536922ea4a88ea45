/**
 * Stateful stand-ins of Zoom, Microsoft (Entra and Graph) and Google (OAuth, Meet, Workspace Events, Calendar, Drive, Pub/Sub
 * push) as one Hono program. See docs/sandbox.md.
 */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { createAgenda } from './clock.ts';
import { createConsent } from './consent.ts';
import type { Consent } from './consent.ts';
import { administer, controlRoutes } from './control.ts';
import type { Controlled } from './control.ts';
import { createDeliveries } from './deliveries.ts';
import type { Deliveries } from './deliveries.ts';
import { createGoogle } from './google/google.ts';
import type { ServiceAccount } from './google/google.ts';
import type { RandomBytes } from './ids.ts';
import { createMicrosoft } from './microsoft/microsoft.ts';
import { createOAuthStore } from './oauth.ts';
import { shell } from './shell.ts';
import { createTraffic } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { VENDORS } from './world.ts';
import type { Client, ConsentUser, Env, GoogleWebhook, Happenings, Routes, VendorId, Webhooks, World, ZoomWebhook } from './world.ts';
import { ZOOM_SCOPES } from './zoom/state.ts';
import { keepValidating, validateUrl } from './zoom/webhooks.ts';
import { createZoom } from './zoom/zoom.ts';

export interface SandboxOptions {
  readonly now: () => Date;
  readonly random: RandomBytes;
  /** Where the sandbox is reached, without a trailing slash. */
  readonly origin: string;
  /** For webhooks out; default the global one, looked up per call. */
  readonly fetch?: typeof globalThis.fetch;
  /** Calls something again and again until told to stop; default every 200 ms of real time. `null`: nothing happens by itself. */
  readonly schedule?: ((run: () => void) => () => void) | null;
  /** Default `sandbox-client` / `sandbox-secret` for each. */
  readonly clients?: Partial<Record<VendorId, Client>>;
  readonly zoom?: {
    readonly accountId?: string;
    readonly scopes?: readonly string[];
    /** Default 0: a refresh token works once. */
    readonly refreshGraceMs?: number;
    readonly webhook?: ZoomWebhook;
  };
  readonly google?: { readonly webhook?: GoogleWebhook };
}

export interface Sandbox {
  readonly app: Routes;
  readonly now: () => Date;
  /** Meetings run, people join, recordings appear; webhooks go out with the next `settle`, `advance` or tick of the timer. */
  readonly happenings: Readonly<Record<VendorId, Happenings>>;
  users(vendor: VendorId): readonly ConsentUser[];
  addUser(vendor: VendorId, user: object): ConsentUser;
  /** What an administrator lets the app, or a user, do. */
  administer(vendor: VendorId, settings: object): object;
  /** Google's service account, with its key; not to be had over HTTP. */
  readonly serviceAccount: () => Promise<ServiceAccount>;
  removeApp(vendor: VendorId, email: string): void;
  /** From now on the vendor accepts this secret of the app only. */
  changeSecret(vendor: VendorId, secret: string): void;
  readonly deliveries: Deliveries;
  readonly traffic: Traffic;
  readonly configureWebhooks: Controlled['configureWebhooks'];
  /** Makes the webhook attempts that are due and waits for their answers. */
  readonly settle: () => Promise<void>;
  /** Moves the clock; what falls due on the way happens at its own moment. */
  readonly advance: (ms: number) => Promise<void>;
  /** Back to the start: users, meetings, tokens, webhooks, clock. */
  reset(): void;
  /** Stops the timer. */
  close(): void;
}

/** Real time between two looks at the agenda. */
const TICK_MS = 200;

const DEFAULT_CLIENT: Client = { id: 'sandbox-client', secret: 'sandbox-secret' };

export function createSandbox(options: SandboxOptions): Sandbox {
  const { origin, random } = options;
  const agenda = createAgenda(options.now);
  const fetch = options.fetch ?? ((input: Parameters<typeof globalThis.fetch>[0], init?: RequestInit) => globalThis.fetch(input, init));
  const oauth = createOAuthStore({ now: agenda.now, random });
  const deliveries = createDeliveries({ agenda, fetch });
  const traffic = createTraffic(agenda.now);
  const configured = (): Webhooks => ({ zoom: options.zoom?.webhook ?? null, google: options.google?.webhook ?? null });
  const webhooks = configured();
  const clientOf = (vendor: VendorId): Client => ({ ...(options.clients?.[vendor] ?? DEFAULT_CLIENT) });
  const clients = { zoom: clientOf('zoom'), 'microsoft-teams': clientOf('microsoft-teams'), 'google-meet': clientOf('google-meet') };
  const world: World = { origin, agenda, random, fetch, oauth, deliveries, webhooks, clients };

  const consentOf = (): Consent => consent;
  const zoom = createZoom(
    world,
    {
      accountId: options.zoom?.accountId ?? 'sandbox-account',
      scopes: options.zoom?.scopes ?? ZOOM_SCOPES,
      refreshGraceMs: options.zoom?.refreshGraceMs ?? 0,
    },
    consentOf,
  );
  const microsoft = createMicrosoft(world, consentOf);
  const google = createGoogle(world, consentOf);
  const vendors = { zoom, 'microsoft-teams': microsoft, 'google-meet': google };
  const consent = createConsent(oauth, {
    zoom: { title: 'Zoom: you are about to add an app', users: zoom.users, optional: () => [], denial: () => ({ error: 'access_denied' }) },
    'microsoft-teams': microsoft.consent,
    'google-meet': google.consent,
  });

  let stopValidating = (): void => {};
  const configureWebhooks: Controlled['configureWebhooks'] = async ({ zoom: zoomWebhook, google: googleWebhook }) => {
    if (googleWebhook !== undefined) {
      webhooks.google = googleWebhook && { ...googleWebhook, serviceAccount: googleWebhook.service_account };
    }
    if (!zoomWebhook) {
      if (zoomWebhook === null) webhooks.zoom = null;
      return { zoom: webhooks.zoom?.url ?? null, google: webhooks.google?.url ?? null };
    }
    stopValidating();
    const validation = await validateUrl(world, zoomWebhook);
    // Zoom does not save a URL that has not answered the challenge.
    webhooks.zoom = validation.validated ? zoomWebhook : null;
    if (validation.validated) stopValidating = keepValidating(world, zoomWebhook);
    return { zoom: webhooks.zoom?.url ?? null, google: webhooks.google?.url ?? null, validation };
  };

  const reset = (): void => {
    for (const part of [agenda, oauth, deliveries, traffic, ...Object.values(vendors)]) part.reset();
    for (const vendor of VENDORS) clients[vendor].secret = clientOf(vendor).secret;
    Object.assign(webhooks, configured());
  };

  const app = new Hono<Env>({ getPath: plainPath })
    .use(traffic.middleware)
    .get('/', (c) => c.html(rootPage(Object.entries(vendors).map(([id, vendor]) => ({ id, users: vendor.users() })))))
    .route('/', consent.routes)
    .route('/', controlRoutes({ vendors, clients, agenda, deliveries, traffic, webhooks, configureWebhooks, reset }))
    .route('/', zoom.routes)
    .route('/', microsoft.routes)
    .route('/', google.routes);

  const schedule = options.schedule === undefined ? everyTick : options.schedule;
  const stop = schedule?.(() => void agenda.settle());

  return {
    app,
    now: agenda.now,
    happenings: { zoom: zoom.happenings, 'microsoft-teams': microsoft.happenings, 'google-meet': google.happenings },
    users: (vendor) => vendors[vendor].users(),
    addUser: (vendor, user) => vendors[vendor].addUser(user),
    administer: (vendor, settings) => administer(vendors[vendor], settings),
    serviceAccount: google.serviceAccount,
    removeApp(vendor, email) {
      const user = vendors[vendor].users().find((candidate) => candidate.email === email);
      if (user) vendors[vendor].removeApp(user.id);
    },
    changeSecret(vendor, secret) {
      clients[vendor].secret = secret;
    },
    deliveries,
    traffic,
    configureWebhooks,
    settle: agenda.settle,
    advance: agenda.advance,
    reset,
    close: () => stop?.(),
  };
}

const rootPage = (vendors: readonly { readonly id: string; readonly users: readonly ConsentUser[] }[]) =>
  shell(
    'Zoom, Microsoft and Google',
    html`<p>Stateful stand-ins of the three vendors. What they do is described in <code>docs/sandbox.md</code>.</p>
      <ul>
        <li><a href="/control/state">/control/state</a>: everything that exists in here</li>
        <li><a href="/control/deliveries">/control/deliveries</a>: the webhooks that went out</li>
        <li><a href="/control/requests">/control/requests</a>: the calls that came in</li>
      </ul>
      <h2>Users</h2>
      ${vendors.map(
        ({ id, users }) =>
          html`<p><strong>${id}</strong></p>
            <ul>
              ${users.map(({ email, note }) => html`<li>${email}<small>${note}</small></li>`)}
            </ul>`,
      )}`,
  );

function everyTick(run: () => void): () => void {
  const timer = setInterval(run, TICK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The path as sent, still encoded; Graph's `onlineMeetings('id')` becomes `onlineMeetings/id`. */
function plainPath(request: Request): string {
  const { pathname } = new URL(request.url);
  return pathname.replaceAll(/\((?:'|%27)(.+?)(?:'|%27)\)/g, '/$1');
}
