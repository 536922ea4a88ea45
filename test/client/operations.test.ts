import { expect, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { testWorld } from '../support/world.ts';

const METHODS = new Set(['get', 'post', 'put', 'patch', 'delete']);

/** What each method of the client asks for, by its name: called with `{id}` for an id, it says which path it fills. */
async function operationsOfClient(): Promise<Map<string, string>> {
  const asked: string[] = [];
  const client = createClient({
    baseUrl: 'https://gateway.test',
    apiKey: 'key',
    fetch: async (url, init) => {
      asked.push(`${init?.method} ${decodeURIComponent(new URL(url as string).pathname)}`);
      return Response.json({ data: [], next_cursor: null });
    },
  });
  const operations = new Map<string, string>();
  for (const [resource, methods] of Object.entries(client)) {
    for (const [name, method] of Object.entries(methods)) {
      await (method as (...ids: string[]) => Promise<unknown>)('{id}', '{customer_id}');
      operations.set(`${resource}.${name}`, asked.at(-1)!);
    }
  }
  return operations;
}

it('every operation of the OpenAPI document has one method of the client, and every method an operation', async () => {
  const world = await testWorld();
  const document = (await (await fetch(`${world.publicUrl}/openapi.json`)).json()) as { paths: Record<string, Record<string, unknown>> };
  const described = Object.entries(document.paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, item]) =>
      Object.keys(item)
        .filter((method) => METHODS.has(method))
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
  const operations = await operationsOfClient();
  expect([...operations.values()].toSorted()).toEqual(described.toSorted());
  expect(described.length).toBeGreaterThan(35);
});
