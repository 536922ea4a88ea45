/** Whether the vendors can be reached from here, and whether our clock goes as theirs do. For the operator; it costs one request per origin. */
import { request } from 'undici';
import type { Config } from '../config.ts';
import type { ProviderId } from '../domain/apps.ts';
import { SECOND, type Clock } from '../domain/time.ts';

export interface Reached {
  readonly provider: ProviderId;
  readonly origin: string;
  /** `ok` for any answer, whatever its status; otherwise why there was none. */
  readonly result: string;
  /** How far our clock is ahead of the vendor's, exact to a second; undefined where the vendor did not say its time. */
  readonly aheadMs?: number;
}

const TIMEOUT_MS = 5 * SECOND;
/** Where Google's APIs are when no other origin is configured. */
const GOOGLE_API = 'https://meet.googleapis.com';
/** Assertions of service accounts and the proofs of deliveries bear minutes; a clock that is synchronized is never this far off. */
const CLOCK_TOLERANCE_MS = 5 * SECOND;

/** All at once, each within five seconds. */
export async function reachVendors({ zoom, microsoft, google }: Config, now: Clock): Promise<Reached[]> {
  const urls: Partial<Record<ProviderId, readonly string[]>> = {
    ...(zoom && { zoom: [zoom.oauthUrl, zoom.apiUrl] }),
    ...(microsoft && { 'microsoft-teams': [microsoft.loginUrl, microsoft.graphUrl] }),
    ...(google && { 'google-meet': [google.tokenUrl, google.apiUrl ?? GOOGLE_API] }),
  };
  const targets = Object.entries(urls).flatMap(([provider, of]) =>
    [...new Set(of.map((url) => new URL(url).origin))].map((origin) => ({ provider: provider as ProviderId, origin })),
  );
  return Promise.all(targets.map(async (target) => ({ ...target, ...(await reach(target.origin, now)) })));
}

/** `ok`, or by how much the clock is off; `unknown` when no vendor has said its time. */
export function judgeClock(reached: readonly Reached[]): string {
  const offsets = reached.flatMap(({ aheadMs }) => (aheadMs === undefined ? [] : [aheadMs]));
  if (offsets.length === 0) return 'unknown';
  // One vendor's clock may be wrong; the one in the middle is not.
  const offset = offsets.toSorted((a, b) => a - b)[Math.floor(offsets.length / 2)]!;
  if (Math.abs(offset) <= CLOCK_TOLERANCE_MS) return 'ok';
  return `${Math.round(Math.abs(offset) / SECOND)} s ${offset > 0 ? 'ahead of' : 'behind'} the vendors`;
}

async function reach(origin: string, now: Clock): Promise<Pick<Reached, 'result' | 'aheadMs'>> {
  try {
    const { headers, body } = await request(origin, { method: 'HEAD', signal: AbortSignal.timeout(TIMEOUT_MS) });
    await body.dump();
    const told = Date.parse(String(headers['date']));
    return { result: 'ok', ...(Number.isNaN(told) ? {} : { aheadMs: now().getTime() - told }) };
  } catch (error) {
    const { code, name } = error as { code?: string | number; name: string };
    return { result: `offline: ${typeof code === 'string' ? code : name}` };
  }
}
