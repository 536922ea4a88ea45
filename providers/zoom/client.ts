/** Zoom's REST API: paths below the base URL, our retry policy, refusals by Zoom's names. */
import type { z } from 'zod';
import { callAs, parseAnswer, type Answer } from '../call.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Account, CountedCall } from '../provider.ts';
import { createGate } from '../rate.ts';
import { refusedByZoom } from './failures.ts';
import { rateOf } from './limits.ts';
import type { ZoomOptions } from './options.ts';

interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Without a leading slash; ids in it already escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Set where Zoom counts it against the host's day. */
  readonly counts?: CountedCall;
}

export interface ZoomApi {
  send(account: Account, request: ApiRequest): Promise<Answer>;
  get<T>(account: Account, path: string, schema: z.ZodType<T>, query?: Readonly<Record<string, string>>): Promise<T>;
  /** All pages of a list. @throws Failure `vendor_nonsense` when the pages do not end. */
  pages<T extends { readonly next_page_token?: string | undefined }>(
    account: Account,
    path: string,
    schema: z.ZodType<T>,
    query: Readonly<Record<string, string>>,
  ): Promise<readonly T[]>;
}

/** Chosen: 50 pages of 300 are more than one host can have in the time that we ask about. */
const MAX_PAGES = 50;
/** The documented maximum. */
const PAGE_SIZE = '300';

export function zoomApi({ apiUrl, now }: Pick<ZoomOptions, 'apiUrl' | 'now'>): ZoomApi {
  const gate = createGate();
  const send: ZoomApi['send'] = (account, { method, path, query = {}, body, counts }) => {
    const url = new URL(`${apiUrl}/${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return callAs(
      account,
      {
        method,
        url,
        body,
        // Only a create makes something new each time it is sent.
        repeatable: method !== 'POST',
        refused: (answer) => refusedByZoom(answer, now()),
        now,
      },
      { counts, gate, ...rateOf(account, method, path) },
    );
  };

  const get: ZoomApi['get'] = async (account, path, schema, query = {}) =>
    parseAnswer(schema, await send(account, { method: 'GET', path, query }), `GET ${path.split('/')[0]}`);

  return {
    send,
    get,
    async pages(account, path, schema, query) {
      const pages = [];
      const seen = new Set<string>();
      for (let token = ''; ;) {
        const page = await get(account, path, schema, {
          ...query,
          page_size: PAGE_SIZE,
          ...(token === '' ? {} : { next_page_token: token }),
        });
        pages.push(page);
        token = page.next_page_token ?? '';
        if (token === '') return pages;
        if (seen.has(token) || seen.size >= MAX_PAGES) throw new Failure('vendor_nonsense', 'The list of the vendor does not end.');
        seen.add(token);
      }
    },
  };
}
