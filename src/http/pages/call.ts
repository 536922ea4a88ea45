import { type Context, Hono } from 'hono';
import { acceptCall } from '../../calls/accept.ts';
import { openCallLink, wayIntoMeeting, type CallDoor } from '../../calls/door.ts';
import { endCall } from '../../calls/end.ts';
import { versionOf } from '../../calls/news.ts';
import { askedOf } from '../../calls/request.ts';
import { isOpen, type CallState } from '../../domain/call.ts';
import { Failure } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import type { Live } from '../live.ts';
import { sendCallLive } from './live.ts';
import { languageFor, sendPage } from './page.ts';
import { callPage } from './views/index.ts';

/** A call that rings, for who is called and for who calls; then the way into its meeting. */
export const callPageRoutes = (gateway: Gateway, live: Live) =>
  new Hono()
    .get('/c/:token', (c) => showCallPage(c, gateway))
    .get('/c/:token/live', async (c) => sendCallLive(c, live, await openCallLink(gateway, c.req.param('token'))))
    .post('/c/:token/accept', (c) =>
      answer(c, gateway, 'callee', async ({ call: { id: callId, marketplaceId } }) => {
        await acceptCall(gateway, { marketplaceId, callId, by: 'page' });
      }),
    )
    .post('/c/:token/decline', (c) =>
      answer(c, gateway, 'callee', async ({ call: { id: callId, marketplaceId } }) => {
        await endCall(gateway, { marketplaceId, callId, by: 'page' }, 'declined');
      }),
    )
    .post('/c/:token/withdraw', (c) =>
      answer(c, gateway, 'caller', async ({ call: { id: callId, marketplaceId } }) => {
        await endCall(gateway, { marketplaceId, callId, by: 'page' }, 'withdrawn');
      }),
    );

type Role = 'caller' | 'callee';
const roleOf = ({ call, side }: CallDoor): Role => (call.initiator === side ? 'caller' : 'callee');

/** Leads back to the page, which shows what has become of the call; when somebody else was faster, that. */
async function answer(c: Context, gateway: Gateway, role: Role, work: (door: CallDoor) => Promise<void>): Promise<Response> {
  const token = c.req.param('token') ?? '';
  const door = await openCallLink(gateway, token);
  if (roleOf(door) !== role) throw new Failure('forbidden', 'This side of the call cannot do that.');
  try {
    await work(door);
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code !== 'conflict') {
      gateway.log.warn({ err: failure, call: door.call.id }, 'a call could not be answered');
      return showCallPage(c, gateway, failure);
    }
  }
  return c.redirect(`/c/${token}`, 303);
}

async function showCallPage(c: Context, gateway: Gateway, failure?: Failure): Promise<Response> {
  const token = c.req.param('token') ?? '';
  const door = await openCallLink(gateway, token);
  const meeting = await wayIntoMeeting(gateway, door);
  if (meeting !== undefined) return c.redirect(meeting, 303);
  const { call, side } = door;
  const { title, locale, customerName, professionalName } = askedOf(call);
  const at = gateway.now();
  const open = isOpen(call, at);
  const view = callPage({
    language: languageFor(c, side === 'customer' ? locale : null),
    now: at,
    marketplace: (await findMarketplace(gateway.db.read, call.marketplaceId))?.name ?? null,
    token,
    title,
    side,
    role: roleOf(door),
    other: side === 'customer' ? professionalName : customerName,
    purpose: call.purpose,
    rings: call.rings,
    acceptBy: call.acceptBy,
    // The job that ends it may not have got to it yet.
    state: call.state === 'ringing' && !open ? 'expired' : (call.state as CallState),
    version: versionOf(call),
    failed: failure !== undefined,
  });
  return sendPage(c, gateway, view, { status: failure?.status ?? (open ? 200 : 410) });
}
