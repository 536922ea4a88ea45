/** `googleapis` knows the calls, `callAs` makes them: token, one refresh, timeout, size limit, repeats and names of failures are ours. */
import type { calendar_v3, MethodOptions } from 'googleapis/build/src/apis/calendar/index.js';
import type { meet_v2 } from 'googleapis/build/src/apis/meet/index.js';
import type { workspaceevents_v1 } from 'googleapis/build/src/apis/workspaceevents/index.js';
import type { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { callAs, parseAnswer, type Answer } from '../call.ts';
import type { Account, CountedCall } from '../provider.ts';
import { createGate } from '../rate.ts';
import { refusedByGoogle } from './failures.ts';
import { rateOf } from './limits.ts';
import type { GoogleMeetOptions } from './options.ts';

interface Apis {
  readonly meet: meet_v2.Meet;
  readonly calendar: calendar_v3.Calendar;
  readonly events: workspaceevents_v1.Workspaceevents;
}

export interface Question<T> {
  /** Names the call in failures. */
  readonly what: string;
  /** The scopes of which one is needed; named when Google misses it. */
  readonly scopes: readonly string[];
  /** Repeating this call cannot do harm. */
  readonly repeatable: boolean;
  /** Set where Google keeps a budget for it. */
  readonly counts?: CountedCall;
  readonly request: (apis: Apis, options: MethodOptions) => Promise<unknown>;
  readonly answer: z.ZodType<T>;
}

/** Asks one of Google's APIs in the account's name. @throws the adapter's failures. */
export type Ask = <T>(account: Account, question: Question<T>) => Promise<T>;

export function createAsk({ apiUrl, now }: Pick<GoogleMeetOptions, 'apiUrl' | 'now'>): Ask {
  let loading: Promise<Apis> | undefined;
  const gate = createGate();

  return async (account, { what, scopes, repeatable, counts, request, answer: schema }) => {
    loading ??= load(apiUrl);
    const apis = await loading;
    let answer: Answer | undefined;
    const adapter: NonNullable<MethodOptions['adapter']> = async ({ method = 'GET', url, headers, data }) => {
      answer = await callAs(
        account,
        {
          method,
          url,
          headers: Object.fromEntries(headers),
          body: data,
          repeatable,
          refused: (refused) => refusedByGoogle(refused, scopes, now()),
          now,
        },
        { counts, gate, ...rateOf(account, method, new URL(url)) },
      );
      // What gaxios makes of the answer is not used; it only has to be content with it.
      return { status: answer.status, headers: answer.headers, data: answer.json } as never;
    };
    try {
      await request(apis, { adapter });
    } catch (error) {
      // gaxios wraps whatever its adapter throws.
      throw error instanceof Error && error.cause instanceof Failure ? error.cause : error;
    }
    if (answer === undefined) throw new Error(`"${what}" sent no request.`);
    return parseAnswer(schema, answer, what);
  };
}

/** About 0.1 s and 20 MB, so not before somebody needs Google; the package's root would cost 0.6 s and 100 MB. */
async function load(apiUrl: string | undefined): Promise<Apis> {
  const [{ meet }, { calendar }, { workspaceevents }] = await Promise.all([
    import('googleapis/build/src/apis/meet/index.js'),
    import('googleapis/build/src/apis/calendar/index.js'),
    import('googleapis/build/src/apis/workspaceevents/index.js'),
  ]);
  const options = {
    retry: false,
    // Otherwise GOOGLE_CLOUD_UNIVERSE_DOMAIN in the environment could send tokens to another domain.
    universeDomain: 'googleapis.com',
    ...(apiUrl === undefined ? {} : { rootUrl: apiUrl }),
  };
  return {
    meet: meet({ version: 'v2', ...options }),
    calendar: calendar({ version: 'v3', ...options }),
    events: workspaceevents({ version: 'v1', ...options }),
  };
}
