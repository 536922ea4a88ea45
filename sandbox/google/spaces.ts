import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { alphanumeric, letters } from '../ids.ts';
import type { Env, Routes } from '../world.ts';
import { endConference } from './happenings.ts';
import { CREATED, READONLY, SETTINGS, googleCaller, rpcError } from './state.ts';
import type { Google, GoogleUser, Space } from './state.ts';

/** https://developers.google.com/workspace/meet/api/guides/limits: spaces.create per minute, of one user and of all users of the project. */
const CREATIONS_PER_MINUTE = { user: 10, project: 100 };

const DENIED = 'Permission denied on resource Space (or it might not exist)';

const config = z.looseObject({
  accessType: z.enum(['OPEN', 'TRUSTED', 'RESTRICTED']).optional(),
  entryPointAccess: z.enum(['ALL', 'CREATOR_APP_ONLY']).optional(),
});
const spaceBody = z.looseObject({ config: config.optional() });

export function googleSpaceRoutes(google: Google): Routes {
  const { state } = google;
  const readBody = async (c: Context<Env>) => spaceBody.safeParse(await c.req.json().catch(() => ({})));

  return new Hono<Env>()
    .post('/v2/spaces', async (c) => {
      const caller = googleCaller(google, c, 'meet', [CREATED]);
      if (caller instanceof Response) return caller;
      if (caller.user.hd === null) return rpcError(c, 403, 'PERMISSION_DENIED', DENIED);
      const body = await readBody(c);
      if (!body.success) return rpcError(c, 400, 'INVALID_ARGUMENT', z.prettifyError(body.error));
      const exceeded = countCreation(google, caller.user);
      if (exceeded !== null) {
        const detail = {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'RATE_LIMIT_EXCEEDED',
          domain: 'googleapis.com',
          metadata: {
            service: 'meet.googleapis.com',
            quota_limit: exceeded === 'user' ? 'CreateSpaceRequestsPerMinutePerUser' : 'CreateSpaceRequestsPerMinutePerProject',
          },
        };
        return rpcError(c, 429, 'RESOURCE_EXHAUSTED', "Quota exceeded for quota metric 'Create space requests'", [detail]);
      }
      const space = makeSpace(google, caller.user, true);
      Object.assign(space.config, body.data.config);
      dropForbidden(google, space);
      return c.json(describe(google, space));
    })

    .get('/v2/spaces/:space', (c) => {
      const caller = googleCaller(google, c, 'meet', [CREATED, READONLY, SETTINGS]);
      if (caller instanceof Response) return caller;
      const named = c.req.param('space');
      const space = state.spaces.find(({ id, code }) => id === named || code === named.toLowerCase());
      // `created` alone does not reach what Calendar made.
      const reached = space && (space.createdByApp || caller.token.scopes.some((scope) => scope === READONLY || scope === SETTINGS));
      return space && reached ? c.json(describe(google, space)) : rpcError(c, 403, 'PERMISSION_DENIED', DENIED);
    })

    .patch('/v2/spaces/:space', async (c) => {
      const caller = googleCaller(google, c, 'meet', [CREATED, SETTINGS]);
      if (caller instanceof Response) return caller;
      const space = state.spaces.find(({ id, owner }) => id === c.req.param('space') && owner === caller.user);
      if (!space || !(space.createdByApp || caller.token.scopes.includes(SETTINGS))) return rpcError(c, 403, 'PERMISSION_DENIED', DENIED);
      const body = await readBody(c);
      if (!body.success) return rpcError(c, 400, 'INVALID_ARGUMENT', z.prettifyError(body.error));
      const mask = c.req.query('updateMask');
      const paths =
        mask === undefined || mask === '*' ? Object.keys(body.data.config ?? {}).map((name) => `config.${name}`) : mask.split(',');
      for (const path of paths) {
        if (!path.startsWith('config')) return rpcError(c, 400, 'INVALID_ARGUMENT', `Invalid field mask path: ${path}`);
        copyPath(body.data, { config: space.config }, path.split('.').map(camelCase));
      }
      dropForbidden(google, space);
      return c.json(describe(google, space));
    })

    .post('/v2/spaces/:space', (c) => {
      const [id, verb] = c.req.param('space').split(':');
      if (verb !== 'endActiveConference') return rpcError(c, 404, 'NOT_FOUND', 'Method not found.');
      const caller = googleCaller(google, c, 'meet', [CREATED]);
      if (caller instanceof Response) return caller;
      const space = state.spaces.find((candidate) => candidate.id === id && candidate.owner === caller.user);
      if (!space?.createdByApp) return rpcError(c, 403, 'PERMISSION_DENIED', DENIED);
      if (!endConference(google, space))
        return rpcError(c, 400, 'FAILED_PRECONDITION', 'There is no active conference for the given space.');
      return c.json({});
    });
}

export function makeSpace({ world, state }: Google, owner: GoogleUser, createdByApp: boolean): Space {
  const { random } = world;
  const space: Space = {
    id: alphanumeric(random, 12),
    code: `${letters(random, 3)}-${letters(random, 4)}-${letters(random, 3)}`,
    owner,
    createdByApp,
    config: {
      accessType: owner.hd === null ? 'RESTRICTED' : 'TRUSTED',
      entryPointAccess: 'ALL',
      moderation: 'OFF',
      attendanceReportGenerationType: 'DO_NOT_GENERATE',
    },
    createdAt: world.agenda.now(),
  };
  state.spaces.push(space);
  return space;
}

/** Chosen: the setting stays off without a word. Google does not say what it does for an edition that cannot record. */
function dropForbidden({ state }: Google, space: Space): void {
  if (!state.mayNotRecord.has(space.owner.id)) return;
  const artifacts = space.config['artifactConfig'] as Record<string, unknown> | undefined;
  if (artifacts) space.config['artifactConfig'] = { ...artifacts, recordingConfig: { autoRecordingGeneration: 'OFF' } };
}

function describe({ state }: Google, space: Space): object {
  const active = state.records.find((record) => record.space === space && record.endTime === null);
  return {
    name: `spaces/${space.id}`,
    meetingUri: `https://meet.google.com/${space.code}`,
    meetingCode: space.code,
    config: space.config,
    ...(active ? { activeConference: { conferenceRecord: active.name } } : {}),
  };
}

/** Which limit is exceeded; null when there was room, and then it is counted. */
function countCreation({ state, world }: Google, user: GoogleUser): 'user' | 'project' | null {
  const minute = world.agenda.now().toISOString().slice(0, 16);
  const keys = { user: `${user.id} ${minute}`, project: minute };
  const count = (whose: 'user' | 'project'): number => state.creations.get(keys[whose]) ?? 0;
  for (const whose of ['user', 'project'] as const) if (count(whose) >= CREATIONS_PER_MINUTE[whose]) return whose;
  for (const whose of ['user', 'project'] as const) state.creations.set(keys[whose], count(whose) + 1);
  return null;
}

const camelCase = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Copies what a field mask names; a field that is named and missing is cleared. */
function copyPath(from: Record<string, unknown>, to: Record<string, unknown>, [head = '', ...rest]: readonly string[]): void {
  if (rest.length === 0) {
    if (from[head] === undefined) delete to[head];
    else to[head] = from[head];
    return;
  }
  const inner = { ...(to[head] as Record<string, unknown> | undefined) };
  copyPath((from[head] ?? {}) as Record<string, unknown>, inner, rest);
  if (head === 'config') Object.assign(to[head] as object, inner);
  else to[head] = inner;
}
