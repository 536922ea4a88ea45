/** Webhooks out: every attempt is recorded, failures are retried on the sandbox's clock by the vendor's own rules. */
import type { Agenda } from './clock.ts';
import { plus } from './clock.ts';
import type { VendorId } from './world.ts';

/** `proof`: made invalid in the vendor's way. `stale`: properly signed, but a day ago. */
export type Tamper = 'proof' | 'stale';

export interface Prepared {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RetryPolicy {
  /** How long the vendor waits for the answer to attempt 1, 2, … */
  timeoutMs(attempt: number): number;
  accepts(status: number): boolean;
  /** Null gives up. `status` is null when no answer came. */
  retryInMs(failed: { attempt: number; status: number | null; ageMs: number }): number | null;
}

export interface Outgoing {
  readonly vendor: VendorId;
  /** The vendor's event name. */
  readonly type: string;
  readonly url: string;
  readonly policy: RetryPolicy;
  /** Called for each attempt, so that time-bound proofs are fresh where the vendor makes them fresh. */
  prepare(tamper: Tamper | null): Promise<Prepared> | Prepared;
}

export interface Attempt {
  readonly at: Date;
  readonly request: Prepared;
  readonly status: number | null;
  readonly answer: string;
  readonly error: string | null;
}

export interface Delivery {
  readonly id: string;
  readonly vendor: VendorId;
  readonly type: string;
  readonly url: string;
  readonly createdAt: Date;
  state: 'pending' | 'delivered' | 'failed';
  nextAttemptAt: Date | null;
  readonly attempts: Attempt[];
  readonly tamper: Tamper | null;
}

export interface Deliveries {
  /** Plans the first attempt for now; `settle` of the agenda makes it. */
  send(outgoing: Outgoing, tamper?: Tamper | null): Delivery;
  list(vendor?: VendorId): readonly Delivery[];
  /** A second delivery of the same thing; undefined for an unknown id. */
  resend(id: string, tamper: Tamper | null): Delivery | undefined;
  /** From now on nothing arrives, and nothing is repeated: what is sent counts as failed. `resend` sends it after all. */
  lose(lost: boolean): void;
  reset(): void;
}

/** Answers of receivers are kept up to here; enough to see what went wrong. */
const KEPT_ANSWER_CHARACTERS = 2_000;

export function createDeliveries({ agenda, fetch }: { agenda: Agenda; fetch: typeof globalThis.fetch }): Deliveries {
  let sent: { delivery: Delivery; outgoing: Outgoing }[] = [];
  let count = 0;
  let losing = false;
  /** One after the other for each vendor, so that things arrive in the order in which they happened and a test can rely on it. */
  const lines = new Map<VendorId, Promise<void>>();
  const inLine = (vendor: VendorId, run: () => Promise<void>): Promise<void> => {
    const turn = (lines.get(vendor) ?? Promise.resolve()).then(run, run);
    lines.set(vendor, turn);
    return turn;
  };

  const attempt = async (delivery: Delivery, outgoing: Outgoing): Promise<void> => {
    const number = delivery.attempts.length + 1;
    const at = agenda.now();
    delivery.nextAttemptAt = null;
    const request = await outgoing.prepare(delivery.tamper);
    const result = await post(fetch, outgoing.url, request, outgoing.policy.timeoutMs(number));
    delivery.attempts.push({ at, request, ...result });
    if (result.status !== null && outgoing.policy.accepts(result.status)) {
      delivery.state = 'delivered';
      return;
    }
    const ageMs = agenda.now().getTime() - delivery.createdAt.getTime();
    const delayMs = outgoing.policy.retryInMs({ attempt: number, status: result.status, ageMs });
    if (delayMs === null) {
      delivery.state = 'failed';
      return;
    }
    delivery.nextAttemptAt = plus(agenda.now(), delayMs);
    agenda.at(delivery.nextAttemptAt, () => inLine(delivery.vendor, () => attempt(delivery, outgoing)));
  };

  const send = (outgoing: Outgoing, tamper: Tamper | null = null): Delivery => {
    const { vendor, type, url } = outgoing;
    const createdAt = agenda.now();
    count += 1;
    const delivery: Delivery = {
      id: `dlv_${count}`,
      vendor,
      type,
      url,
      createdAt,
      state: 'pending',
      nextAttemptAt: createdAt,
      attempts: [],
      tamper,
    };
    sent.push({ delivery, outgoing });
    if (losing) {
      delivery.state = 'failed';
      delivery.nextAttemptAt = null;
      return delivery;
    }
    agenda.at(createdAt, () => inLine(vendor, () => attempt(delivery, outgoing)));
    return delivery;
  };

  return {
    send,
    list: (vendor) => sent.map(({ delivery }) => delivery).filter((delivery) => vendor === undefined || delivery.vendor === vendor),
    resend(id, tamper) {
      const original = sent.find(({ delivery }) => delivery.id === id);
      return original && send(original.outgoing, tamper);
    },
    lose(lost) {
      losing = lost;
    },
    reset() {
      sent = [];
      losing = false;
    },
  };
}

/** One POST as a vendor makes it: no redirects followed, no answer is an answer too. */
export async function post(
  fetch: typeof globalThis.fetch,
  url: string,
  { headers, body }: Prepared,
  timeoutMs: number,
): Promise<Pick<Attempt, 'status' | 'answer' | 'error'>> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    const answer = await response.text();
    return { status: response.status, answer: answer.slice(0, KEPT_ANSWER_CHARACTERS), error: null };
  } catch (error) {
    return { status: null, answer: '', error: error instanceof Error ? error.message : String(error) };
  }
}
