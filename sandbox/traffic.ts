/** What comes in at the vendors' addresses: a log without secrets, and faults on demand. */
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { VENDORS } from './world.ts';
import type { Env, VendorId } from './world.ts';

/** The oldest entries are forgotten first. */
const KEPT_REQUESTS = 5_000;

const effect = z.object({
  status: z.number().int().min(200).max(599).optional(),
  /** Text is answered as it is, anything else as JSON. */
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).default({}),
  delay_ms: z.number().min(0).default(0),
  drop_connection: z.enum(['before', 'after']).optional(),
  /** The request is carried out, and then answered with `status` all the same. */
  process: z.boolean().default(false),
});
const faultRule = z.object({
  vendor: z.enum(VENDORS).optional(),
  /** `path` is a regular expression over path and query. */
  match: z.object({ method: z.string().toUpperCase().optional(), path: z.string().default('') }).default({ path: '' }),
  times: z.number().int().min(1).default(1),
  answer: effect,
});
export type Fault = z.infer<typeof faultRule>;

/** On the wire `answer` may also be called `then`; inside it is not, because awaiting an object with that member is a trap. */
export const faultBody = z.looseObject({}).transform((body): Fault => faultRule.parse({ ...body, answer: body['answer'] ?? body['then'] }));

export interface LoggedRequest {
  readonly at: Date;
  readonly vendor: VendorId;
  readonly method: string;
  readonly path: string;
  /** Null when the connection was cut. */
  status: number | null;
  /** A fault had its hand in it. */
  readonly fault: boolean;
}

export interface Traffic {
  readonly middleware: MiddlewareHandler<Env>;
  addFault(fault: z.input<typeof faultRule>): void;
  faults(): readonly Fault[];
  requests(): readonly LoggedRequest[];
  reset(): void;
}

export function createTraffic(now: () => Date): Traffic {
  let faults: Fault[] = [];
  let requests: LoggedRequest[] = [];

  const take = (vendor: VendorId, method: string, address: string): Fault | undefined => {
    const found = faults.find(
      ({ vendor: only, match }) =>
        (only ?? vendor) === vendor && (match.method ?? method) === method && new RegExp(match.path).test(address),
    );
    if (found) found.times -= 1;
    faults = faults.filter(({ times }) => times > 0);
    return found;
  };

  return {
    async middleware(c, next) {
      const { pathname, search } = new URL(c.req.url);
      const vendor = vendorOf(pathname);
      if (!vendor) return next();
      const taken = take(vendor, c.req.method, pathname + search);
      const entry: LoggedRequest = { at: now(), vendor, method: c.req.method, path: pathname, status: null, fault: taken !== undefined };
      requests = [...requests.slice(1 - KEPT_REQUESTS), entry];

      const { delay_ms = 0, drop_connection, process = false, status } = taken?.answer ?? {};
      if (delay_ms > 0) await new Promise((resolve) => setTimeout(resolve, delay_ms));
      const processed = drop_connection === 'after' || process || (drop_connection === undefined && status === undefined);
      if (processed) await next();
      if (drop_connection !== undefined) {
        c.env.incoming?.socket.destroy();
        c.res = undefined;
        c.res = c.env.incoming ? RESPONSE_ALREADY_SENT : Response.error();
        return;
      }
      if (taken && status !== undefined) {
        c.res = undefined;
        c.res = faultyAnswer(taken, status);
      }
      entry.status = c.res.status;
    },
    addFault(added) {
      faults.push(faultRule.parse(added));
    },
    faults: () => faults,
    requests: () => requests,
    reset() {
      faults = [];
      requests = [];
    },
  };
}

/** Whose address it is; undefined for the sandbox's own. */
function vendorOf(path: string): VendorId | undefined {
  if (/^\/(control|sandbox)(\/|$)/.test(path) || path === '/') return undefined;
  if (/^\/(oauth\/|rec\/|v2\/(users|meetings|past_meetings)\b)/.test(path)) return 'zoom';
  if (/^\/v1\.0\/|^\/[^/]+\/(oauth2|discovery)\/v2\.0\/|^\/[^/]+\/v2\.0\//.test(path)) return 'microsoft-teams';
  return 'google-meet';
}

function faultyAnswer({ answer: { body, headers } }: Fault, status: number): Response {
  const empty = body === undefined || status === 204 || status === 304;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Response(empty ? null : text, { status, headers: { ...(empty ? {} : { 'content-type': 'application/json' }), ...headers } });
}
