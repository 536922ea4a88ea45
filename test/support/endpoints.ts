/** A marketplace's webhook endpoints in tests: made, tried out, and looked at. */
import { Webhook } from 'standardwebhooks';
import type { World } from '../../demo/world.ts';
import { eventually, must } from './gateway.ts';
import type { Sink, SinkRequest } from './sink.ts';

export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly secret: string;
}

export interface ShownDelivery {
  readonly id: string;
  readonly event_id: string;
  readonly type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly next_attempt_at: string | null;
  readonly attempts: readonly { at: string; status: number | null; problem: string | null; duration_ms: number; answer: string }[];
}

export const register = async ({ api }: Pick<World, 'api'>, url: string, events: readonly string[] = ['*']): Promise<Endpoint> =>
  must(await api('POST', '/v1/webhook-endpoints', { url, events }), 201).json as unknown as Endpoint;
export const getEndpoint = async ({ api }: Pick<World, 'api'>, { id }: Pick<Endpoint, 'id'>): Promise<Record<string, unknown>> =>
  must(await api('GET', `/v1/webhook-endpoints/${id}`), 200).json;
export const sendTest = async ({ api }: World, { id }: Endpoint) => must(await api('POST', `/v1/webhook-endpoints/${id}/test`), 202);
export const deliveriesOf = async ({ api }: Pick<World, 'api'>, { id }: Endpoint, query = ''): Promise<ShownDelivery[]> =>
  must(await api('GET', `/v1/webhook-endpoints/${id}/deliveries${query}`), 200).json['data'] as ShownDelivery[];
export const arrived = (sink: Sink, count: number) => eventually(`${count} requests have arrived`, () => sink.requests.length >= count);

/** When that many attempts are written down, and what comes after the last of them. */
export const recorded = (world: World, endpoint: Endpoint, attempts: number) =>
  eventually(`${attempts} attempts are written down`, async () => {
    const deliveries = await deliveriesOf(world, endpoint);
    const made = deliveries.reduce((sum, delivery) => sum + delivery.attempts.length, 0);
    const due = deliveries.some(({ next_attempt_at: next }) => next !== null && Date.parse(next) <= world.now().getTime());
    return made >= attempts && !due && deliveries;
  });

/** By the official library, which wants the machine's clock to be near. */
export const verifies = ({ secret }: Pick<Endpoint, 'secret'>, { body, headers }: SinkRequest): boolean => {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
};
