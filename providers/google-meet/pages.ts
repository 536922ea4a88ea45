/** Reads lists that come in pages, with an end in sight. */
import { Failure } from '../../src/domain/failure.ts';

/** Chosen: 5,000 entries; a meeting has a handful of conferences, and a conference a handful of recordings. */
const MAX_PAGES = 50;

/** @throws Failure `vendor_nonsense` when the pages go round in circles or never end. */
export async function allPages<T>(
  read: (pageToken: string | undefined) => Promise<{ items: readonly T[]; nextPageToken?: string | undefined }>,
): Promise<T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  let pageToken: string | undefined;
  for (;;) {
    const page = await read(pageToken);
    items.push(...page.items);
    if (!page.nextPageToken) return items;
    if (seen.has(page.nextPageToken) || seen.size + 1 >= MAX_PAGES) throw new Failure('vendor_nonsense', 'The pages of a list do not end.');
    seen.add(page.nextPageToken);
    pageToken = page.nextPageToken;
  }
}
