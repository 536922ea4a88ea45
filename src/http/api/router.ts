import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiEnv } from '../auth.ts';
import { Failure, notFound } from '../../domain/failure.ts';
import { invalidRequest } from '../problem.ts';
import * as schemas from './schemas.ts';

/** A router whose requests are validated before the handler sees them. */
export const apiRouter = () =>
  new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      // An id that nobody can have is as unknown as any other.
      if (result.target === 'param') throw notFound();
      throw invalidRequest(result.error);
    },
  });

/** The answers that every route has. */
export const problems = {
  default: { description: 'A problem (RFC 9457)', content: { 'application/problem+json': { schema: schemas.problem } } },
};

/** What every route of the marketplace's API has in common. */
export const about = (tag: string, summary: string) => ({ tags: [tag], summary, security: [{ apiKey: [] }] });

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
export const body = <Schema extends z.ZodType>(schema: Schema) => ({ required: true, content: { 'application/json': { schema } } });
export const listOf = <Schema extends z.ZodType>(schema: Schema) => z.object({ data: z.array(schema), next_cursor: z.string().nullable() });

export const idParameter = z.object({ id: z.string().regex(/^[a-z]{3}_[A-Za-z0-9_-]{1,60}$/) });
/** A professional by the marketplace's own id. */
export const professionalParameter = z.object({ id: schemas.foreignId });

/** Ids are ordered by time, so the last one of a page leads to the next. @throws Failure `malformed` for what was never a cursor */
export function cursorOf(cursor: string | undefined): string | undefined {
  if (cursor !== undefined && !/^[a-z]{3}_[0-9a-z]{26}$/.test(cursor)) throw new Failure('malformed', 'The cursor is not one of ours.');
  return cursor;
}

export const pageOf = <Row, Shown>(
  rows: readonly Row[],
  limit: number,
  { show, cursor }: { show: (row: Row) => Shown; cursor: (row: Row) => string },
) => ({
  data: rows.slice(0, limit).map(show),
  next_cursor: rows.length > limit ? cursor(rows[limit - 1]!) : null,
});
