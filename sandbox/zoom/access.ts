/** Who calls, and whether he may. */
import type { Context } from 'hono';
import type { Env } from '../world.ts';
import { zoomError } from './state.ts';
import type { Zoom, ZoomMeeting, ZoomUser } from './state.ts';

export interface Caller {
  /** Null for a server-to-server token: it acts for the users of its account. */
  readonly user: ZoomUser | null;
  readonly accountId: string;
}

/** The caller, or Zoom's refusal. */
export function callerOf({ world, state, options }: Zoom, c: Context<Env>, scope: string): Caller | Response {
  const token = world.oauth.access(c.req.header('authorization'), 'zoom');
  if (!token) return zoomError(c, 401, 124, 'Invalid access token.');
  if (!token.scopes.some((granted) => granted === scope || granted === `${scope}:admin`)) {
    return zoomError(c, 400, 4711, `Invalid access token, does not contain scopes:[${scope}].`);
  }
  const user = state.users.find(({ id }) => id === token.grant.userId) ?? null;
  return { user, accountId: user?.accountId ?? options.accountId };
}

/** The user named in the path. User-managed apps have to say `me`; server-to-server apps cannot. */
export function pathUser({ state }: Zoom, c: Context<Env>, caller: Caller): ZoomUser | Response {
  const named = c.req.param('user') ?? '';
  if (caller.user) return named === 'me' ? caller.user : zoomError(c, 404, 1001, `User does not exist: ${named}.`);
  const user = state.users.find(({ id, email, accountId }) => accountId === caller.accountId && (id === named || email === named));
  return user ?? zoomError(c, 404, 1001, `User does not exist: ${named}.`);
}

/** The meeting named in the path by its number. */
export function pathMeeting(zoom: Zoom, c: Context<Env>, caller: Caller): ZoomMeeting | Response {
  const named = c.req.param('meeting') ?? '';
  const meeting = zoom.state.meetings.find(({ id, deleted }) => String(id) === named && !deleted);
  if (!meeting || meeting.host.accountId !== caller.accountId) return zoomError(c, 404, 3001, `Meeting does not exist: ${named}.`);
  if (caller.user && meeting.host !== caller.user) {
    return zoomError(c, 403, 2306, 'The authenticated user has not permitted access to the targeted resource.');
  }
  return meeting;
}

/**
 * The uuid or number in a path. A uuid that starts with `/` or contains `//` has to be encoded twice; the segment arrives here
 * decoded once.
 */
export function readMeetingSegment(segment: string): string | undefined {
  if (segment.includes('%')) return decodeURIComponent(segment);
  return segment.startsWith('/') || segment.includes('//') ? undefined : segment;
}
