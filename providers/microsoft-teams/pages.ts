/** Lists that come in pages. */
import { Failure } from '../../src/domain/failure.ts';

/** A list with more pages than this is a loop. */
export const MAX_PAGES = 50;

/** A next page is followed on Graph only: the token goes with it. */
export function nextPath(nextLink: string | undefined, graphUrl: string): string | undefined {
  if (nextLink === undefined) return undefined;
  const url = URL.canParse(nextLink) ? new URL(nextLink) : undefined;
  if (url?.origin === new URL(graphUrl).origin && url.pathname.startsWith('/v1.0/')) return url.pathname.slice('/v1.0'.length) + url.search;
  throw new Failure('vendor_nonsense', 'The next page of a list lies outside Microsoft Graph.');
}
