import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { digits } from '../ids.ts';
import { VIDEO, fileOrRange } from '../media.ts';
import type { Env, Routes } from '../world.ts';
import { DRIVE_READ, DRIVE_WRITE, googleCaller, legacyError } from './state.ts';
import type { DriveFile, Google } from './state.ts';

const permissionBody = z.looseObject({
  type: z.enum(['user', 'group', 'domain', 'anyone']),
  role: z.enum(['reader', 'commenter', 'writer', 'owner']),
  emailAddress: z.string().optional(),
  expirationTime: z.iso.datetime({ offset: true }).optional(),
});
/** Of `files.get` without `fields`. */
const STANDARD_FIELDS = ['kind', 'id', 'name', 'mimeType'];

export function googleDriveRoutes(google: Google): Routes {
  const { world, state } = google;
  const find = (c: Context<Env>, scopes: readonly string[]): DriveFile | Response => {
    const caller = googleCaller(google, c, 'drive', scopes);
    if (caller instanceof Response) return caller;
    const id = c.req.param('file') ?? '';
    const file = state.files.find((candidate) => candidate.id === id && !candidate.trashed && candidate.owner === caller.user);
    // "Does not exist" and "not yours" look the same.
    return file ?? legacyError(c, 404, 'notFound', `File not found: ${id}.`);
  };
  const base = '/drive/v3/files/:file';

  return new Hono<Env>()
    .get(base, (c) => {
      const file = find(c, DRIVE_READ);
      if (file instanceof Response) return file;
      if (c.req.query('alt') === 'media') return fileOrRange(VIDEO(), c.req.header('range'));
      const fields =
        c.req
          .query('fields')
          ?.replaceAll(/\([^)]*\)|\/\w+/g, '')
          .split(',') ?? STANDARD_FIELDS;
      const all = Object.entries(describe(file));
      return c.json(Object.fromEntries(fields.includes('*') ? all : all.filter(([name]) => fields.includes(name))));
    })

    .delete(base, (c) => {
      const file = find(c, DRIVE_WRITE);
      if (file instanceof Response) return file;
      file.trashed = true;
      return c.body(null, 204);
    })

    .post(`${base}/permissions`, async (c) => {
      const file = find(c, DRIVE_WRITE);
      if (file instanceof Response) return file;
      const body = permissionBody.safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return legacyError(c, 400, 'badRequest', z.prettifyError(body.error));
      const { type, expirationTime } = body.data;
      const now = world.agenda.now();
      const wrongExpiry = expirationTime !== undefined && (new Date(expirationTime) <= now || !['user', 'group'].includes(type));
      if (wrongExpiry) return legacyError(c, 400, 'cannotSetExpiration', 'An expiration date cannot be set on this item.');
      const permission = { kind: 'drive#permission', id: type === 'anyone' ? 'anyoneWithLink' : digits(world.random, 20), ...body.data };
      file.permissions.push(permission);
      return c.json(permission);
    })

    .get(`${base}/permissions`, (c) => {
      const file = find(c, DRIVE_READ);
      return file instanceof Response ? file : c.json({ kind: 'drive#permissionList', permissions: file.permissions });
    })

    .patch(`${base}/permissions/:permission`, async (c) => {
      const file = find(c, DRIVE_WRITE);
      if (file instanceof Response) return file;
      const permission = file.permissions.find(({ id }) => id === c.req.param('permission'));
      if (!permission) return legacyError(c, 404, 'notFound', 'Permission not found.');
      const body = permissionBody.partial().safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return legacyError(c, 400, 'badRequest', z.prettifyError(body.error));
      return c.json(Object.assign(permission, body.data));
    })

    .delete(`${base}/permissions/:permission`, (c) => {
      const file = find(c, DRIVE_WRITE);
      if (file instanceof Response) return file;
      const kept = file.permissions.filter(({ id }) => id !== c.req.param('permission'));
      if (kept.length === file.permissions.length) return legacyError(c, 404, 'notFound', 'Permission not found.');
      file.permissions = kept;
      return c.body(null, 204);
    });
}

function describe({ id, name, createdAt, owner }: DriveFile): object {
  return {
    kind: 'drive#file',
    id,
    name,
    mimeType: 'video/mp4',
    size: String(VIDEO().bytes.length),
    createdTime: createdAt.toISOString(),
    modifiedTime: createdAt.toISOString(),
    trashed: false,
    webViewLink: `https://drive.google.com/file/d/${id}/view?usp=drivesdk`,
    owners: [{ kind: 'drive#user', displayName: owner.name, emailAddress: owner.email, me: true }],
    capabilities: { canDownload: true, canShare: true, canDelete: true },
  };
}
