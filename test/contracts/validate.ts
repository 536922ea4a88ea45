/** Checks every request that an adapter sends, and every answer that a test gives it, against the vendors' published shapes. */
import type { SetupServer } from 'msw/node';
import { loadContract, type Content, type Contract, type Operation, type Spec } from './contract.ts';

export interface GuardOptions {
  readonly spec: Spec;
  /** Documented base URL by the base URL that the test uses: `{ 'https://zoom.test/v2': 'https://api.zoom.us/v2' }`. */
  readonly origins?: Readonly<Record<string, string>>;
  /** URL prefixes that the published shapes do not cover: OAuth endpoints and hosts of media. */
  readonly uncovered?: readonly string[];
}

export interface ContractGuard {
  /** What was wrong so far, as sentences. Await `settled` first. */
  violations(): string[];
  /** How many exchanges were checked: zero means that the guard looked at the wrong place. */
  exchanges(): number;
  /** Resolves when everything that happened has been looked at. */
  settled(): Promise<void>;
  /** Forgets the violations, not the count. */
  clear(): void;
}

/** Put on a mocked answer that is wrong on purpose; the value says why. The request is checked all the same. */
export const OUTSIDE_CONTRACT = 'x-outside-contract';

/** Query parameters that a vendor's framework understands on every operation. */
const SYSTEM_PARAMETERS: Readonly<Record<Spec, readonly string[]>> = {
  zoom: [],
  'microsoft-graph': ['$select', '$expand', '$filter', '$top', '$orderby', '$skip', '$skiptoken', '$deltatoken', '$count'],
  google: ['fields', 'alt', 'prettyPrint', 'quotaUser'],
};

/** Attach after `server.listen()`, once for each server. */
export function guardContract(server: SetupServer, { spec, origins = {}, uncovered = [] }: GuardOptions): ContractGuard {
  const contract = loadContract(spec);
  const found: string[] = [];
  const pending = new Set<Promise<void>>();
  let checked = 0;

  const track = (work: Promise<void>): void => {
    const tracked = work
      .catch((error: unknown) => void found.push(`the guard itself failed: ${String(error)}`))
      .finally(() => pending.delete(tracked));
    pending.add(tracked);
  };

  const documented = (url: string): string => {
    const base = Object.keys(origins)
      .toSorted((a, b) => b.length - a.length)
      .find((base) => url.startsWith(base));
    return base === undefined ? url : `${origins[base]}${url.slice(base.length)}`;
  };
  const covered = (url: string): boolean => !uncovered.some((prefix) => url.startsWith(prefix));

  server.events.on('request:start', ({ request }) => {
    if (!covered(request.url)) return;
    const copy = request.clone();
    track(
      (async () => {
        checked += 1;
        const url = new URL(documented(copy.url));
        const operation = contract.find(copy.method, url);
        if (operation === undefined) return void found.push(`${copy.method} ${copy.url} is not a documented operation`);
        found.push(...parameterViolations(contract, operation, url, SYSTEM_PARAMETERS[spec]));
        found.push(...requestViolations(contract, operation, copy.headers.get('content-type'), await copy.text()));
      })(),
    );
  });

  server.events.on('response:mocked', ({ request, response }) => {
    const json = mediaType(response.headers.get('content-type')) === 'application/json';
    // This copy shares its source with the one that the adapter reads: unless it is let go, a stream of media can never be stopped.
    if (!json) void response.body?.cancel();
    if (!covered(request.url) || response.type === 'error' || response.headers.has(OUTSIDE_CONTRACT)) return;
    const operation = contract.find(request.method, new URL(documented(request.url)));
    if (operation === undefined) return;
    const text = json ? response.clone().text() : Promise.resolve(undefined);
    track(text.then((text) => void found.push(...answerViolations(contract, operation, response, text))));
  });
  server.events.on('response:bypass', ({ response }) => void response.body?.cancel());

  return {
    violations: () => [...found],
    exchanges: () => checked,
    clear: () => void found.splice(0),
    async settled() {
      // The events of the last exchange are emitted in a microtask of their own.
      await new Promise((resolve) => setImmediate(resolve));
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}

function parameterViolations(contract: Contract, operation: Operation, url: URL, system: readonly string[]): string[] {
  const where = `${operation.method} ${operation.path}`;
  const violations: string[] = [];
  const known = new Map(
    operation.parameters.filter((parameter) => parameter.in === 'query').map((parameter) => [parameter.name, parameter]),
  );
  for (const [name, value] of url.searchParams) {
    const parameter = known.get(name);
    if (parameter === undefined) {
      if (!system.includes(name)) violations.push(`${where}: the query parameter "${name}" is not documented`);
    } else violations.push(...contract.checkText(parameter.schema, value).map((error) => `${where}: query parameter "${name}"${error}`));
  }
  for (const [name, parameter] of known) {
    if (parameter.required && !url.searchParams.has(name)) violations.push(`${where}: the query parameter "${name}" is missing`);
  }
  for (const parameter of operation.parameters.filter((parameter) => parameter.in === 'path')) {
    const value = operation.pathValues(url.pathname)[parameter.name];
    if (value === undefined || value === '') violations.push(`${where}: the path parameter "${parameter.name}" is empty`);
    else
      violations.push(
        ...contract.checkText(parameter.schema, value).map((error) => `${where}: path parameter "${parameter.name}"${error}`),
      );
  }
  return violations;
}

function requestViolations(contract: Contract, operation: Operation, contentType: string | null, text: string): string[] {
  const where = `${operation.method} ${operation.path}: the request`;
  if (operation.body === undefined) return text === '' || text === '{}' ? [] : [`${where} has a body, and none is documented`];
  if (text === '') return operation.body.required ? [`${where} has no body`] : [];
  const type = mediaType(contentType);
  const schema = operation.body.content[type];
  if (schema === undefined)
    return [`${where} has the content type "${type}", documented: ${Object.keys(operation.body.content).join(', ')}`];
  const value = type === 'application/x-www-form-urlencoded' ? Object.fromEntries(new URLSearchParams(text)) : parse(text);
  return contract.checkRequest(schema, value).map((error) => `${where}${error}`);
}

/** `text` is undefined when the body is not JSON. */
function answerViolations(contract: Contract, operation: Operation, { status, headers }: Response, text: string | undefined): string[] {
  const where = `${operation.method} ${operation.path}: the answer ${status}`;
  const content: Content | undefined = operation.answers[status] ?? operation.answers[`${Math.floor(status / 100)}XX`];
  if (content === undefined) {
    // Gateways in front of the vendors add refusals of their own; a success has to be a documented one.
    return status < 400 && status !== 304 && status !== 206 ? [`${where} is not documented`] : [];
  }
  const documented = Object.keys(content);
  if (text === undefined) {
    const type = mediaType(headers.get('content-type'));
    return status < 400 && documented.includes('application/json') && documented.length === 1 && type !== ''
      ? [`${where} has the content type "${type}", documented: application/json`]
      : [];
  }
  const schema = content['application/json'];
  if (schema === undefined)
    return status < 400 && documented.length === 0 && text !== '' && text !== '{}' ? [`${where} has a body, and none is documented`] : [];
  return contract.checkAnswer(schema, parse(text)).map((error) => `${where}${error}`);
}

const mediaType = (contentType: string | null): string => contentType?.split(';')[0]?.trim().toLowerCase() ?? '';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
