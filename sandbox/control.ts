/** The control API: what people, time and accidents do. It is not protected; the sandbox listens on loopback only. */
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { Agenda } from './clock.ts';
import type { Deliveries } from './deliveries.ts';
import { faultBody } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { Refused, VENDORS } from './world.ts';
import type { Client, Env, Routes, Vendor, VendorId, Webhooks } from './world.ts';

const vendorId = z.enum(VENDORS);
const person = z.object({ name: z.string().optional(), email: z.string().optional(), user: z.string().optional() }).default({});
const starting = z.object({ limits: z.boolean().default(false) }).default({ limits: false });
const ending = z.object({ reason: z.enum(['host', 'limit']).default('host') }).default({ reason: 'host' });
const recording = z.object({ transcript: z.boolean().default(false) }).default({ transcript: false });
const resending = z.object({ tamper: z.union([z.boolean(), z.enum(['proof', 'stale'])]).default(false) }).default({ tamper: false });
const webhooksBody = z.object({
  zoom: z.object({ url: z.url(), secret: z.string().min(1) }).nullish(),
  google: z
    .object({
      url: z.url(),
      audience: z.string(),
      service_account: z.string(),
      subscription: z.string().default('projects/sandbox/subscriptions/meet-events-push'),
    })
    .nullish(),
});
export type WebhooksBody = z.input<typeof webhooksBody>;

export interface Controlled {
  readonly vendors: Readonly<Record<VendorId, Vendor>>;
  readonly clients: Readonly<Record<VendorId, Client>>;
  readonly agenda: Agenda;
  readonly deliveries: Deliveries;
  readonly traffic: Traffic;
  readonly webhooks: Webhooks;
  /** Sets what is named; answers how Zoom's check of its URL went. */
  configureWebhooks(body: z.output<typeof webhooksBody>): Promise<object>;
  reset(): void;
}

export function controlRoutes(sandbox: Controlled): Routes {
  const { vendors, clients, agenda, deliveries, traffic, webhooks } = sandbox;

  const app = new Hono<Env>()
    .get('/control/state', (c) =>
      c.json({
        now: agenda.now(),
        users: Object.fromEntries(VENDORS.map((id) => [id, vendors[id].users()])),
        vendors: Object.fromEntries(VENDORS.map((id) => [id, vendors[id].state()])),
        webhooks: { zoom: webhooks.zoom?.url ?? null, google: webhooks.google?.url ?? null },
        faults: traffic.faults(),
      }),
    )

    .post('/control/webhooks', async (c) => c.json(await sandbox.configureWebhooks(await read(c.req.raw, webhooksBody))))

    .post('/control/meetings/:vendor/:id/:action', async (c) => {
      const vendor = vendors[vendorId.parse(c.req.param('vendor'))];
      const { happenings } = vendor;
      const id = c.req.param('id');
      const before = deliveries.list().length;
      const act = async (): Promise<object | undefined> => {
        switch (c.req.param('action')) {
          case 'start':
            return happenings.start(id, await read(c.req.raw, starting));
          case 'join':
            return happenings.join(id, await read(c.req.raw, person));
          case 'leave':
            return happenings.leave(id, await read(c.req.raw, person));
          case 'end':
            return happenings.end(id, (await read(c.req.raw, ending)).reason);
          case 'finish-recording':
            return happenings.finishRecording(id, await read(c.req.raw, recording));
          case 'trash-recording':
            return happenings.moveRecording(id, 'trash');
          case 'delete-recording':
            return happenings.moveRecording(id, 'delete');
          case 'recover-recording':
            return happenings.moveRecording(id, 'recover');
          default:
            throw new Refused(404, 'Actions are start, join, leave, end, finish-recording and trash-, delete- or recover-recording.');
        }
      };
      const result = await act();
      if (!result) throw new Refused(404, 'There is no such meeting.');
      await agenda.settle();
      return c.json({
        ...result,
        deliveries: deliveries
          .list()
          .slice(before)
          .map(({ id }) => id),
      });
    })

    .get('/control/deliveries', (c) => c.json({ deliveries: deliveries.list(vendorId.optional().parse(c.req.query('vendor'))) }))

    .post('/control/deliveries/loss', async (c) => {
      const { lost } = await read(c.req.raw, z.object({ lost: z.boolean() }));
      deliveries.lose(lost);
      return c.json({ lost });
    })

    .post('/control/deliveries/:id/resend', async (c) => {
      const { tamper } = await read(c.req.raw, resending);
      const delivery = deliveries.resend(c.req.param('id'), tamper === true ? 'proof' : tamper || null);
      if (!delivery) throw new Refused(404, 'There is no such delivery.');
      await agenda.settle();
      return c.json(delivery);
    })

    .post('/control/faults', async (c) => {
      traffic.addFault(await read(c.req.raw, faultBody));
      return c.json({ faults: traffic.faults() }, 201);
    })

    .post('/control/clock', async (c) => {
      await agenda.advance((await read(c.req.raw, z.object({ advance_ms: z.number().min(0) }))).advance_ms);
      return c.json({ now: agenda.now() });
    })

    .post('/control/users', async (c) => {
      const { vendor, ...user } = await read(c.req.raw, z.looseObject({ vendor: vendorId }));
      return c.json(vendors[vendor].addUser(user), 201);
    })

    .post('/control/administer', async (c) => {
      const { vendor, ...body } = await read(c.req.raw, z.looseObject({ vendor: vendorId }));
      return c.json(administer(vendors[vendor], body));
    })

    .post('/control/client-secret', async (c) => {
      const { vendor, secret } = await read(c.req.raw, z.object({ vendor: vendorId, secret: z.string().min(1) }));
      clients[vendor].secret = secret;
      return c.json({ vendor, changed: true });
    })

    .post('/control/remove-app', async (c) => {
      const { vendor, user } = await read(c.req.raw, z.object({ vendor: vendorId, user: z.string() }));
      const found = vendors[vendor].users().find(({ email }) => email === user);
      if (!found) throw new Refused(404, 'There is no such user.');
      vendors[vendor].removeApp(found.id);
      await agenda.settle();
      return c.json({ removed: found.email });
    })

    .get('/control/requests', (c) =>
      c.json({ requests: traffic.requests().filter(({ vendor }) => vendor === (c.req.query('vendor') ?? vendor)) }),
    )

    .post('/control/reset', (c) => {
      sandbox.reset();
      return c.json({ now: agenda.now() });
    });

  app.onError((error, c) => {
    if (error instanceof Refused) return c.json({ error: error.message }, error.status);
    if (error instanceof z.ZodError) return c.json({ error: z.prettifyError(error) }, 400);
    if (error instanceof HTTPException) return error.getResponse();
    return c.json({ error: error.message }, 500);
  });
  return app;
}

/** @throws Refused where the vendor has nothing of the kind */
export function administer(vendor: Vendor, body: unknown): object {
  if (vendor.administer === undefined) throw new Refused(404, 'There is nothing to administer at this vendor.');
  return vendor.administer(body);
}

/** A JSON body by its schema; an empty one counts as not given. */
async function read<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const text = await request.text();
  try {
    return schema.parse(text === '' ? undefined : JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refused(400, 'The body is not JSON.');
    throw error;
  }
}
