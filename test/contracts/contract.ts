/** The published shapes of one vendor, ready to be asked. How the JSON files were made: README.md. */
import { readFileSync } from 'node:fs';
import { Ajv2019, type ValidateFunction } from 'ajv/dist/2019.js';

export type Spec = 'zoom' | 'microsoft-graph' | 'google';
type Schema = Readonly<Record<string, unknown>>;
/** Schema by media type. */
export type Content = Readonly<Record<string, Schema>>;

interface Documented {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly servers: readonly string[];
  readonly parameters: readonly { name: string; in: 'path' | 'query'; required: boolean; schema: Schema }[];
  readonly body?: { readonly required: boolean; readonly content: Content };
  readonly answers: Readonly<Record<string, Content>>;
}

export interface Operation extends Documented {
  pathValues(pathname: string): Readonly<Record<string, string>>;
}

export interface Contract {
  readonly operations: readonly Operation[];
  readonly webhooks: Readonly<Record<string, Schema>>;
  find(method: string, url: URL): Operation | undefined;
  /** Errors as sentence endings: ` at /settings/auto_recording: must be equal to one of the allowed values`. */
  checkAnswer(schema: Schema, value: unknown): string[];
  /** The same, and fields that the vendor does not document are errors too. */
  checkRequest(schema: Schema, value: unknown): string[];
  /** For query and path parameters, which arrive as text. */
  checkText(schema: Schema, value: string): string[];
}

const loaded = new Map<Spec, Contract>();

export function loadContract(spec: Spec): Contract {
  const contract = loaded.get(spec) ?? buildContract(spec);
  loaded.set(spec, contract);
  return contract;
}

function buildContract(spec: Spec): Contract {
  // The files are written by scripts/contracts.js in exactly this shape.
  const document = JSON.parse(readFileSync(new URL(`${spec}.json`, import.meta.url), 'utf8')) as {
    operations: Documented[];
    schemas: Record<string, Schema>;
    webhooks: Record<string, Schema>;
  };
  const lenient = checker(document.schemas);
  const strict = checker(closed(document.schemas, false));
  const text = checker({}, { coerceTypes: true });
  const closedCopies = new WeakMap<Schema, Schema>();
  const closedCopy = (schema: Schema): Schema => {
    const copy = closedCopies.get(schema) ?? (closed(schema, false) as Schema);
    closedCopies.set(schema, copy);
    return copy;
  };
  const operations = document.operations.flatMap((operation) =>
    operation.servers.map((server): { server: URL; pattern: RegExp; operation: Operation } => {
      const base = new URL(server);
      const prefix = base.pathname.replace(/\/$/, '');
      const pattern = patternOf(prefix + operation.path);
      return { server: base, pattern, operation: { ...operation, pathValues: (pathname) => ({ ...pattern.exec(pathname)?.groups }) } };
    }),
  );
  // The most literal template wins: `/users/me/zak` before `/users/{userId}/zak`.
  operations.sort((a, b) => literals(b.operation.path) - literals(a.operation.path));
  const wrappers = new WeakMap<Schema, Schema>();
  const wrapped = (schema: Schema): Schema => {
    const wrapper = wrappers.get(schema) ?? { type: 'object', properties: { value: schema } };
    wrappers.set(schema, wrapper);
    return wrapper;
  };
  const original = (groups: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(groups).map(([name, value]) => [decodeName(name), decodeURIComponent(value)]));

  return {
    operations: operations.map(({ operation }) => ({ ...operation, pathValues: (pathname) => original(operation.pathValues(pathname)) })),
    webhooks: document.webhooks,
    find(method, url) {
      const hit = operations.find(
        ({ server, pattern, operation }) => operation.method === method && server.origin === url.origin && pattern.test(url.pathname),
      );
      return hit && { ...hit.operation, pathValues: (pathname) => original(hit.operation.pathValues(pathname)) };
    },
    checkAnswer: (schema, value) => lenient(schema, value),
    checkRequest: (schema, value) => strict(closedCopy(schema), value),
    checkText: (schema, value) => text(wrapped(schema), { value }),
  };
}

function checker(schemas: unknown, options: { coerceTypes?: boolean } = {}): (schema: Schema, value: unknown) => string[] {
  const ajv = new Ajv2019({ strict: false, allErrors: true, logger: false, ...options });
  // Vendors leave out seconds, add seven digits of fraction and send "" for "none"; other formats are not looked at.
  ajv.addFormat('date-time', /^$|^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i);
  ajv.addFormat('date', /^$|^\d{4}-\d\d-\d\d$/);
  for (const ignored of [
    'int32',
    'int64',
    'uint32',
    'uint64',
    'double',
    'float',
    'byte',
    'binary',
    'email',
    'uri',
    'uuid',
    'duration',
    'google-datetime',
    'google-duration',
    'google-fieldmask',
  ]) {
    ajv.addFormat(ignored, true);
  }
  ajv.addSchema({ $id: 'contract:vendor', schemas });
  const compiled = new WeakMap<Schema, ValidateFunction>();
  return (schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile(absolute(schema) as Schema);
    compiled.set(schema, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      (error) =>
        `${error.instancePath === '' ? '' : ` at ${error.instancePath}`}: ${error.message ?? error.keyword} ${JSON.stringify(error.params)}`,
    );
  };
}

/** `#/schemas/X` seen from a schema of its own. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? `contract:vendor${inner}` : absolute(inner),
    ]),
  );
}

/**
 * A copy in which objects take no undocumented members, so that a misspelt field of a request is noticed. OData's `@…` annotations
 * stay allowed. Parts of an `allOf` are left open, because each of them knows only its own members.
 */
function closed(value: unknown, partOfAll: boolean): unknown {
  if (Array.isArray(value)) return value.map((inner) => closed(inner, partOfAll));
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner, key === 'allOf')]));
  const open = copy['additionalProperties'] === undefined || copy['additionalProperties'] === true;
  const isSchemaWithMembers = typeof copy['properties'] === 'object' && copy['type'] === 'object';
  return isSchemaWithMembers && open && !partOfAll ? { ...copy, patternProperties: { '@': {} }, additionalProperties: false } : copy;
}

/** A named group takes letters only, so the name travels as hex. */
function patternOf(template: string): RegExp {
  const source = template
    .split(/(\{[^}]+\})/)
    .map((part) =>
      part.startsWith('{') ? `(?<p${Buffer.from(part.slice(1, -1)).toString('hex')}>[^/]+?)` : part.replace(/[.*+?^$()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`);
}

const decodeName = (group: string): string => Buffer.from(group.slice(1), 'hex').toString();
const literals = (path: string): number => path.replace(/\{[^}]+\}/g, '').length;
