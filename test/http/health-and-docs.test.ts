import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import { createWorld, type World } from '../../demo/world.ts';
import { FAILURE_CODES } from '../../src/domain/failure.ts';
import { EVENT_TYPES } from '../../src/events/catalogue.ts';
import { databaseOf, must, otherMarketplace } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { meetingBody, testWorld } from '../support/world.ts';

/** The body of an event in the OpenAPI document. */
interface Described {
  readonly example: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
}

const TOKEN = 'metrics-token-of-the-operator';
let world: World;
beforeAll(async () => {
  world = await createWorld({ logLevel: 'silent', operator: 'direct', clock: 'standing', environment: { METRICS_TOKEN: TOKEN } });
});
afterAll(() => world.close());

const get = (path: string, headers: Record<string, string> = {}) => visit(`${world.publicUrl}${path}`, { headers });

describeOnBothDatabases('health', (_open, engine) => {
  it('alive and ready need no key', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    expect(must(await visit(`${world.publicUrl}/healthz`), 200).json).toEqual({ status: 'ok' });
    expect(must(await visit(`${world.publicUrl}/readyz`), 200).json).toEqual({ status: 'ready' });
  });
});

describe('a gateway without its database', () => {
  it('cases 124, 126: is not ready when the database takes no writes, and says nothing about it in detail', async () => {
    const world = await testWorld();
    await world.gateway.gateway.db.close();
    const answer = await visit(`${world.publicUrl}/readyz`);
    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({ status: 'not ready' });
    expect(answer.text).not.toMatch(/postgres:|\.db|password/);
    expect((await visit(`${world.publicUrl}/healthz`)).status).toBe(200);
    const api = await world.api('GET', '/v1/meetings');
    expect(api.status).toBeGreaterThanOrEqual(500);
    expect(api.text).not.toMatch(/postgres:|\.db\b|stack|select /i);
  });
});

describe('metrics', () => {
  it('case 126: are hidden from everybody without the token', async () => {
    for (const authorization of ['', 'Bearer x', `Bearer ${world.apiKey}`, `Basic ${TOKEN}`])
      expect((await get('/metrics', { authorization })).status).toBe(404);
    const hidden = await testWorld();
    expect((await visit(`${hidden.publicUrl}/metrics`, { headers: { authorization: 'Bearer undefined' } })).status).toBe(404);
  });

  it('are what Prometheus reads', async () => {
    const answer = must(await get('/metrics', { authorization: `Bearer ${TOKEN}` }), 200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = answer.text.trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^# (HELP|TYPE) gateway_[a-z_]+ .+$|^gateway_[a-z_]+(\{[^}]*\})? -?[0-9.e+]+$/);
    for (const name of [
      'gateway_inbox_pending',
      'gateway_jobs_waiting',
      'gateway_jobs_dead',
      'gateway_deliveries_pending',
      'gateway_deliveries_dead',
    ])
      expect(answer.text).toMatch(new RegExp(`^${name} \\d+$`, 'm'));
  });
});

describe('the description of the API', () => {
  interface Operation {
    readonly responses: Record<string, unknown>;
    readonly security?: unknown;
    readonly summary?: string;
  }

  it('is OpenAPI 3.1 and has the paths of the contract', async () => {
    const { json } = must(await get('/openapi.json'), 200);
    expect(json).toMatchObject({ openapi: '3.1.0', info: { title: 'Conferencing gateway' }, servers: [{ url: world.publicUrl }] });
    const paths = json['paths'] as Record<string, Record<string, Operation>>;
    const known = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    for (const wanted of [
      'GET /v1/providers',
      'POST /v1/connect-sessions',
      'GET /v1/connections',
      'GET /v1/connections/{id}',
      'DELETE /v1/connections/{id}',
      'POST /v1/meetings',
      'GET /v1/meetings',
      'GET /v1/meetings/{id}',
      'PATCH /v1/meetings/{id}',
      'POST /v1/meetings/{id}/purchases',
      'POST /v1/meetings/{id}/cancel',
      'POST /v1/meetings/{id}/end',
      'PUT /v1/meetings/{id}/attendees/{customer_id}',
      'PUT /v1/meetings/{id}/attendees/{customer_id}/recording-consent',
      'GET /v1/meetings/{id}/recordings',
      'POST /v1/meetings/{id}/recordings',
      'GET /v1/recordings/{id}',
      'POST /v1/recordings/{id}/access',
      'POST /v1/recordings/{id}/publish',
      'POST /v1/recordings/{id}/revoke',
      'POST /v1/webhook-endpoints',
      'GET /v1/webhook-endpoints/{id}',
      'PATCH /v1/webhook-endpoints/{id}',
      'DELETE /v1/webhook-endpoints/{id}',
      'POST /v1/webhook-endpoints/{id}/rotate-secret',
      'POST /v1/webhook-endpoints/{id}/test',
      'GET /v1/webhook-endpoints/{id}/deliveries',
      'POST /v1/webhook-endpoints/{id}/recover',
      'GET /v1/events',
      'GET /v1/events/{id}',
      'POST /v1/events/{id}/redeliver',
    ])
      expect(known).toContain(wanted);
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { responses, security, summary }] of Object.entries(methods)) {
        expect({ path, method, security, problem: 'default' in responses, summary: typeof summary }).toEqual({
          path,
          method,
          security: [{ apiKey: [] }],
          problem: true,
          summary: 'string',
        });
      }
    }
  });

  it('has no pattern but regular expressions of JSON Schema, and they mean what the gateway does', async () => {
    const document = must(await get('/openapi.json'), 200).json;
    const patterns = new Set<string>();
    JSON.stringify(document, (key, value: unknown) => {
      if (key === 'pattern' && typeof value === 'string') patterns.add(value);
      return value;
    });
    // Anchored at both ends, so one that was copied with its slashes or flags is seen.
    for (const pattern of patterns) {
      expect(pattern).toMatch(/^\^.*\$$/);
      expect(() => new RegExp(pattern, 'u'), pattern).not.toThrow();
    }
    const ajv = new Ajv2020({ strict: false, formats: { ...fullFormats }, schemas: [{ $id: 'document', ...document }] });
    const accepts = ajv.getSchema('document#/components/schemas/NewMeeting')!;
    for (const title of ['Tax', 'Überprüfung — 確定申告 🧾', '\u{1f468}\u200d\u{1f469}', 'a\u0000', 'a\nb', 'a\u007f', 'a\u0085', '']) {
      const body = meetingBody(world, { booking: { id: 'bk_1', kind: 'one_to_one', title } });
      const taken = (await world.api('POST', '/v1/meetings/preview', body)).status === 200;
      expect({ title, accepted: accepts(body) }).toEqual({ title, accepted: taken });
    }
  });

  it('describes every event with an example that its own schema accepts', async () => {
    const { webhooks } = must(await get('/openapi.json'), 200).json as unknown as {
      webhooks: Record<string, { post: { 'x-event-version': number; requestBody: { content: Record<string, { schema: Described }> } } }>;
    };
    expect(Object.keys(webhooks)).toEqual(EVENT_TYPES);
    const ajv = new Ajv2020({ strict: false, formats: { ...fullFormats } });
    for (const [type, { post }] of Object.entries(webhooks)) {
      const { schema } = post.requestBody.content['application/json']!;
      expect([schema.example.type, post['x-event-version']]).toEqual([type, 1]);
      const accepts = ajv.compile(schema);
      expect(accepts(schema.example), `${type}: ${JSON.stringify(accepts.errors)}`).toBe(true);
      const { data } = schema.example;
      expect(accepts({ ...schema.example, data: { ...data, more: 1 } }), `${type} with more than it has`).toBe(false);
    }
  });

  it('is readable by people without anything from elsewhere', async () => {
    const page = must(await get('/docs'), 200);
    for (const type of EVENT_TYPES) expect(page.text).toContain(`<code>${type}</code>`);
    expect(page.text).toContain('/v1/meetings');
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    const stylesheet = /<link rel="stylesheet" href="([^"]+)"/.exec(page.text)![1]!;
    expect((await get(stylesheet)).headers.get('content-type')).toMatch(/^text\/css/);
  });

  it.each(FAILURE_CODES)('has a page about the problem %s', async (code) => {
    const page = must(await get(`/problems/${code}`), 200);
    expect(page.text).toContain(code);
  });

  it('has no page about a problem that does not exist', async () => {
    for (const code of ['toString', 'constructor', '__proto__', 'x']) expect((await get(`/problems/${code}`)).status, code).toBe(404);
  });
});

describe('providers', () => {
  it('G14 G19 names limits with date and source, guides and hosts', async () => {
    const { data } = must(await world.api('GET', '/v1/providers'), 200).json as { data: Record<string, unknown>[] };
    expect(data.map(({ id, name, configured }) => [id, name, configured])).toEqual([
      ['zoom', 'Zoom', true],
      ['microsoft-teams', 'Microsoft Teams', true],
      ['google-meet', 'Google Meet', true],
    ]);
    for (const provider of data) {
      expect(provider).toMatchObject({
        free_plan: {
          limit_minutes: provider['id'] === 'zoom' ? 40 : 60,
          applies_to: expect.any(String),
          as_of: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
          source: expect.any(String),
        },
        guides: { participant: expect.stringMatching(/^https:/), host: expect.stringMatching(/^https:/) },
        join_hosts: expect.arrayContaining([expect.any(String)]),
        features: expect.arrayContaining(['create']),
      });
    }
  });

  it('G01 a marketplace sees the apps that it uses, and those that are not set up say so', async () => {
    const fiverr = await otherMarketplace(world, 'fiverr');
    expect(must(await fiverr.api('GET', '/v1/providers'), 200).json['data']).toMatchObject([{ id: 'zoom' }]);
    const bare = await testWorld({ environment: { GOOGLE_CLIENT_ID: undefined, GOOGLE_CLIENT_SECRET: undefined } });
    const { data } = must(await bare.api('GET', '/v1/providers'), 200).json as { data: { id: string; configured: boolean }[] };
    expect(data.find(({ id }) => id === 'google-meet')).toMatchObject({ configured: false });
    expect((await visit(`${bare.publicUrl}/webhooks/google-meet`, { method: 'POST', body: '{}' })).status).toBe(503);
  });
});
