/** The vendors' way in. No middleware: raw bytes, proof, storage, answer. */
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Intake } from '../../webhooks/intake.ts';
import { readBytes, receive } from '../../webhooks/receive.ts';
import type { ProviderId } from '../domain/apps.ts';
import type { Gateway } from '../gateway.ts';

export const webhookRoutes = (gateway: Gateway, intake: Intake) => {
  const route = (provider: ProviderId, channel: 'events' | 'lifecycle') => async (c: Context) => {
    // Under the Node server the bytes are read from the socket itself; other servers and tests give a Request.
    const incoming = (c.env as Partial<HttpBindings> | undefined)?.incoming;
    const bytes = incoming === undefined ? Buffer.from(await c.req.arrayBuffer()) : await readBytes(incoming);
    const header = incoming === undefined ? (name: string) => c.req.header(name) : (name: string) => joined(incoming.headers[name]);
    const path = incoming === undefined ? c.req.url : (incoming.url ?? '');
    const mark = path.indexOf('?');
    const query = new URLSearchParams(mark === -1 ? '' : path.slice(mark));
    const received = await receive(gateway, intake, provider, { bytes, header, query, channel });
    if (!('body' in received)) return new Response(null, { status: received.status });
    return new Response(received.body, {
      status: received.status,
      headers: { 'content-type': received.contentType, 'x-content-type-options': 'nosniff' },
    });
  };
  return new Hono()
    .post('/webhooks/zoom', route('zoom', 'events'))
    .post('/webhooks/microsoft-teams', route('microsoft-teams', 'events'))
    .post('/webhooks/microsoft-teams/lifecycle', route('microsoft-teams', 'lifecycle'))
    .post('/webhooks/google-meet', route('google-meet', 'events'));
};

const joined = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(', ') : value);
