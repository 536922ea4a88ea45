// Turns the vendors' OpenAPI slices (YAML) into the compact JSON of test/contracts: `node scripts/contracts.js <folder of yaml files>`.
// Prose goes, OpenAPI 3.0 schemas become JSON Schema, one operation or schema per line keeps differences readable.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const KEYWORDS = new Set(
  [
    'type format enum properties required items additionalProperties allOf anyOf oneOf $ref',
    'minimum maximum minLength maxLength minItems maxItems pattern readOnly',
  ].flatMap((names) => names.split(' ')),
);
/** What no adapter calls: changing or deleting the professional's account or settings. */
const NOT_NEEDED = new Set(['userDelete', 'userUpdate', 'userSettingsUpdate', 'DeleteMeetingTranscript', 'userZak', 'meetingInvitation']);
/** Zoom's settings answer is 40 kB of shapes; only this much of it is read. */
const SETTINGS_KEPT = new Set(['feature', 'recording']);

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: node scripts/contracts.js <folder with zoom.yaml, microsoft-graph.yaml, google.yaml>');
for (const name of ['zoom', 'microsoft-graph', 'google']) {
  const document = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'), { maxAliasCount: -1 });
  writeFileSync(new URL(`../test/contracts/${name}.json`, import.meta.url), print(convert(document)));
}

function convert(document) {
  const servers = document.servers.map((server) => server.url);
  const resolve = (value) =>
    value?.$ref?.startsWith('#/components/') ? document.components[value.$ref.split('/')[2]][value.$ref.split('/')[3]] : value;
  const bodies = (content) => Object.fromEntries(Object.entries(content ?? {}).map(([type, body]) => [type, schema(body.schema ?? {})]));
  const operations = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((method) => item[method] && !NOT_NEEDED.has(item[method].operationId))) {
      const { operationId, parameters = [], requestBody, responses, servers: own } = item[method];
      if (operationId === 'userSettings') narrowSettings(responses['200'].content['application/json']);
      const body = resolve(requestBody);
      operations.push({
        id: operationId,
        method: method.toUpperCase(),
        path,
        servers: own?.map((server) => server.url) ?? servers,
        parameters: [...(item.parameters ?? []), ...parameters]
          .map(resolve)
          .filter((parameter) => parameter.in !== 'header')
          .map(({ name, in: place, required = false, schema: shape = {} }) => ({ name, in: place, required, schema: schema(shape) })),
        ...(body ? { body: { required: body.required ?? false, content: bodies(body.content) } } : {}),
        answers: Object.fromEntries(Object.entries(responses).map(([status, answer]) => [status, bodies(resolve(answer).content)])),
      });
    }
  }
  const schemas = Object.fromEntries(Object.entries(document.components?.schemas ?? {}).map(([name, shape]) => [name, schema(shape)]));
  const webhooks = Object.fromEntries(
    Object.entries(document.webhooks ?? {}).map(([name, item]) => [name, schema(item.post.requestBody.content['application/json'].schema)]),
  );
  return { operations, schemas: used(schemas, operations), webhooks };
}

/** OpenAPI 3.0 says `nullable`; JSON Schema says `type: [..., 'null']`, and an `enum` has to list null as well. */
function schema(shape) {
  if (shape.$ref) return { $ref: shape.$ref.replace('#/components/schemas/', '#/schemas/') };
  const result = {};
  for (const [key, value] of Object.entries(shape)) {
    if (!KEYWORDS.has(key)) continue;
    if (key === 'properties') result.properties = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, schema(inner)]));
    else if (['allOf', 'anyOf', 'oneOf'].includes(key)) result[key] = value.map(schema);
    else if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object')) result[key] = schema(value);
    else if (key === 'required' && !Array.isArray(value)) continue;
    else result[key] = value;
  }
  if (!shape.nullable) return result;
  if (result.type === undefined) return { anyOf: [result, { type: 'null' }] };
  return { ...result, type: [result.type, 'null'].flat(), ...(result.enum ? { enum: [...new Set([...result.enum, null])] } : {}) };
}

function narrowSettings(body) {
  const [settings] = body.schema.oneOf;
  body.schema = {
    type: 'object',
    properties: Object.fromEntries(Object.entries(settings.properties).filter(([name]) => SETTINGS_KEPT.has(name))),
  };
}

/** The schemas that the operations reach. */
function used(schemas, operations) {
  const reached = new Set();
  const visit = (value) => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/schemas\/([^"]+)"/g)) {
      if (reached.has(name)) continue;
      reached.add(name);
      visit(schemas[name]);
    }
  };
  visit(operations);
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => reached.has(name)));
}

function print({ operations, schemas, webhooks }) {
  const entries = (record) =>
    Object.entries(record)
      .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
      .join(',\n');
  return `{"operations":[\n${operations.map((operation) => JSON.stringify(operation)).join(',\n')}\n],\n"schemas":{\n${entries(schemas)}\n},\n"webhooks":{\n${entries(webhooks)}\n}}\n`;
}
