/** `Idempotency-Key` on every POST: same key and same request, same answer (IETF draft httpapi-idempotency-key-header). */
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { answerContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import { MINUTE, plus } from '../domain/time.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { finishIdempotencyKey, freeIdempotencyKey, takeIdempotencyKey } from '../store/idempotency-keys.ts';
import { showRecording } from './api/recordings.ts';
import type { ApiEnv } from './auth.ts';

/** What is kept in place of an answer that shows a recording: its links end with it, and may not outlive it here. */
const RECORDING = 'recording:';

/** Longer than the slowest request; then its process is believed dead and the key may be taken over. */
const RUNNING_MS = 2 * MINUTE;

export function idempotency(gateway: Gateway): MiddlewareHandler<ApiEnv> {
  const { config, db, now, vault } = gateway;
  return async (c, next) => {
    const key = c.req.header('idempotency-key');
    if (c.req.method !== 'POST' || key === undefined) return next();
    if (!/^[\x21-\x7e]{1,255}$/.test(key))
      throw new Failure('malformed', 'The Idempotency-Key has to be 1 to 255 visible ASCII characters.');
    const marketplaceId = c.get('marketplace').id;
    const mark = fingerprint(c.req.method, c.req.path, Buffer.from(await c.req.arrayBuffer()).toString('base64'));
    const at = now();
    const known = await db.write((tx) =>
      takeIdempotencyKey(
        tx,
        { marketplaceId, key, fingerprint: mark, status: null, bodySealed: null, leasedUntil: plus(at, RUNNING_MS), createdAt: at },
        at,
      ),
    );
    if (known !== undefined) {
      if (known.fingerprint !== mark) throw new Failure('idempotency_key_reused', 'This Idempotency-Key was used with another request.');
      if (known.status === null || known.bodySealed === null)
        throw new Failure('idempotency_key_in_use', 'A request with this Idempotency-Key is still running.');
      const answer = vault.open(known.bodySealed, answerContext(marketplaceId, key));
      const body = answer.startsWith(RECORDING)
        ? JSON.stringify(await showRecording(gateway, marketplaceId, answer.slice(RECORDING.length)))
        : answer;
      return c.body(body, known.status as 200, { 'content-type': 'application/json', 'idempotency-replayed': 'true' });
    }
    c.set('idempotencyKey', fingerprint('idempotency', marketplaceId, key));
    // Only successes are kept: a refusal may have another answer once its cause is gone.
    let kept = false;
    try {
      await next();
      const body = c.res.status >= 200 && c.res.status < 300 ? keptOf(await c.res.clone().text(), config.publicUrl) : undefined;
      if (body !== undefined) {
        await db.write((tx) =>
          finishIdempotencyKey(
            tx,
            { marketplaceId, key },
            { status: c.res.status, bodySealed: vault.seal(body, answerContext(marketplaceId, key)) },
          ),
        );
        kept = true;
      }
    } finally {
      if (!kept) await db.write((tx) => freeIdempotencyKey(tx, { marketplaceId, key }));
    }
    return undefined;
  };
}

/** Undefined for what is not kept: a repeat of a request for nothing but a link makes another one. */
function keptOf(body: string, publicUrl: string): string | undefined {
  // The same report of a purchase gives the same link anyway, for as long as there is one.
  if (body.includes(`${publicUrl}/s/`)) return undefined;
  if (!body.includes(`${publicUrl}/r/`)) return body;
  const shown = recordingAnswer.safeParse(JSON.parse(body));
  return shown.success ? RECORDING + shown.data.id : undefined;
}

const recordingAnswer = z.object({ id: z.string().startsWith('rec_'), links: z.array(z.unknown()) });
