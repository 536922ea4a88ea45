import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { GatewayEvent } from '../../src/client/index.ts';
import { dataSchema, entryOf, EVENT_TYPES, MOST_EVENT_BYTES, type EventType, type OwnData } from '../../src/events/catalogue.ts';
import type { NewEvent } from '../../src/events/emit.ts';
import { inPieces } from '../../src/events/pieces.ts';
import { breakOfCatalogue } from '../support/catalogue.ts';

/** As much of a JSON schema as the catalogue's has. */
interface Described {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Described[];
  readonly format?: string;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: Described;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly required?: readonly string[];
  readonly description?: string;
}

const describedBy = (type: EventType) => z.toJSONSchema(dataSchema(type)) as Described;
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('the catalogue of events', () => {
  it.each(EVENT_TYPES)('says of %s in one sentence what it is, and has an example that it accepts', (type) => {
    const { description, when, version, example } = entryOf(type);
    expect(description).toMatch(/^[A-Z][^.]*\.$/);
    expect(when).toMatch(/^[A-Z].*\.$/);
    expect(version).toBe(1);
    expect(breakOfCatalogue({ type, data: example })).toBeUndefined();
    expect(Object.keys(example)).toEqual(expect.arrayContaining(Object.keys(entryOf(type).links)));
  });

  it.each(EVENT_TYPES)('refuses %s with a member too many or too few', (type) => {
    const { example } = entryOf(type);
    expect(breakOfCatalogue({ type, data: { ...example, more: 1 } })).toContain(type);
    const [, ...members] = Object.entries(example);
    expect(breakOfCatalogue({ type, data: Object.fromEntries(members) })).toContain(type);
  });

  it('knows no other type', () => {
    expect(breakOfCatalogue({ type: 'meeting.exploded', data: {} })).toContain('not in the catalogue');
  });

  it('describes every member of every event', () => {
    for (const type of EVENT_TYPES)
      for (const [name, member] of Object.entries(describedBy(type).properties!))
        expect(member.description ?? member.enum, `${name} of ${type}`).toBeDefined();
  });

  it('decides what may be written of an event, and what a receiver reads', () => {
    expectTypeOf<OwnData<'meeting.ended'>['at']>().toEqualTypeOf<string>();
    expectTypeOf<OwnData<'meeting.ended'>>().not.toHaveProperty('sequence');
    const common = { marketplaceId: 'mkt_1', subjectId: 'whe_1', key: 'once' };
    type Test = NewEvent<'endpoint.test'>;
    expectTypeOf({ ...common, type: 'endpoint.test' as const, data: { endpoint_id: 'whe_1' } }).toExtend<Test>();
    expectTypeOf({ ...common, type: 'endpoint.test' as const, data: { endpoint: 'whe_1' } }).not.toExtend<NewEvent>();
    expectTypeOf({ ...common, type: 'meeting.ended' as const, data: { endpoint_id: 'whe_1' } }).not.toExtend<NewEvent>();
    type Published = Extract<GatewayEvent, { type: 'recording.published' }>;
    expectTypeOf<NonNullable<Published['data']['links']>[number]>().toEqualTypeOf<{ customer_id: string; url: string }>();
    expectTypeOf<Extract<GatewayEvent, { type: 'meeting.created' }>['data']>().not.toHaveProperty('links');
  });
});

describe('an event', () => {
  it.each(EVENT_TYPES)('%s has less than 20 kB when everything in it is as large as it may be', (type) => {
    const data = largest(describedBy(type)) as Record<string, unknown>;
    expect(breakOfCatalogue({ type, data })).toBeUndefined();
    const bytes = bytesOf({ type, timestamp: new Date(0).toISOString(), data });
    expect(bytes).toBeLessThan(MOST_EVENT_BYTES);
    // It is not small by a mistake of this test.
    expect(bytes).toBeGreaterThan(bytesOf(entryOf(type).example));
  });

  it('whose audience is too large is told in pieces, of which nothing is missing and each is told under a key of its own', () => {
    const link = fc.record({ customer_id: fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }), url: fc.webUrl() });
    fc.assert(
      fc.property(fc.array(link, { maxLength: 300, size: 'max' }), (links) => {
        const pieces = inPieces('once', links);
        expect(pieces.flatMap(({ items }) => items)).toEqual(links);
        expect(new Set(pieces.map(({ key }) => key)).size).toBe(pieces.length);
        expect(pieces[0]!.key).toBe('once');
        for (const { items } of pieces) expect(bytesOf(items)).toBeLessThanOrEqual(12_001);
        // No piece that was not needed.
        expect(pieces.length).toBeLessThanOrEqual(Math.ceil(bytesOf(links) / (12_000 - 4_000)));
      }),
      { numRuns: 30 },
    );
  });

  it('whose list begins with something that is too large has no piece without anything in it', () => {
    const items = ['x'.repeat(13_000), 'y'];
    expect(inPieces('once', items).map((piece) => piece.items)).toEqual([[items[0]], [items[1]]]);
  });
});

describe('docs/events.md', () => {
  const path = new URL('../../docs/events.md', import.meta.url);
  const HEADING = '\n## Every event\n';

  // `npx vitest run test/domain/event-catalogue.test.ts -u` writes them anew.
  it('has a section for every event of the catalogue, with its members and its example, and no other', async () => {
    const [byHand] = readFileSync(path, 'utf8').split(HEADING);
    await expect(`${byHand}${HEADING}\n${EVENT_TYPES.map(sectionOf).join('\n')}`).toMatchFileSnapshot(path.pathname);
  });

  it('has code that proves the published vector, and the vector itself', async () => {
    const text = readFileSync(path, 'utf8');
    for (const part of [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      '1614265330',
      '{"test": 2432232314}',
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    ])
      expect(text).toContain(`\`${part}\``);
  });
});

function sectionOf(type: EventType): string {
  const { description, when, example } = entryOf(type);
  const { properties = {}, required = [] } = describedBy(type);
  const rows = Object.entries(properties).map(
    ([name, member]) => `| \`${name}\` | ${wordsOf(member)}${required.includes(name) ? '' : ', optional'} | ${member.description ?? ''} |`,
  );
  return [
    `### ${type}`,
    '',
    description,
    '',
    `**When:** ${when[0]!.toLowerCase()}${when.slice(1)}`,
    '',
    '| data | type | |',
    '| --- | --- | --- |',
    ...rows,
    '',
    '```json',
    JSON.stringify(example, null, 2),
    '```',
    '',
  ].join('\n');
}

function wordsOf({ type, const: only, enum: names, anyOf, format, items, properties }: Described): string {
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (names !== undefined) return names.map((name) => `\`${name}\``).join(', ');
  if (anyOf !== undefined) return anyOf.map(wordsOf).join(' or ');
  if (items !== undefined) return `list of ${wordsOf(items)}`;
  if (properties !== undefined)
    return `object: ${Object.entries(properties)
      .map(([name, member]) => `\`${name}\` (${wordsOf(member)})`)
      .join(', ')}`;
  return { 'date-time': 'moment', uri: 'URL' }[format ?? ''] ?? type ?? 'anything';
}

/** As many bytes as the schema allows. A list without a bound is as long as an event takes. */
function largest(schema: Described): unknown {
  const { type, const: only, enum: names, anyOf, items, properties } = schema;
  if (only !== undefined) return only;
  if (names !== undefined) return names.toSorted((a, b) => b.length - a.length)[0];
  if (anyOf !== undefined) return anyOf.map(largest).toSorted((a, b) => bytesOf(b) - bytesOf(a))[0];
  if (items !== undefined) {
    const item = largest(items);
    if (schema.maxItems !== undefined) return Array.from({ length: schema.maxItems }, () => item);
    return inPieces(
      'once',
      Array.from({ length: 1_000 }, () => item),
    )[0]!.items;
  }
  if (properties !== undefined) return Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, largest(member)]));
  if (type === 'boolean') return false;
  if (type === 'null') return null;
  if (type === 'string') return longest(schema);
  expect(schema.maximum).toBeDefined();
  return schema.maximum;
}

function longest({ format, maxLength, pattern }: Described): string {
  if (format === 'date-time') return new Date(0).toISOString();
  expect(maxLength).toBeDefined();
  if (format === 'uri') return 'https://a.example/'.padEnd(maxLength!, 'a');
  // In JSON a control character and half of a surrogate pair take six bytes, a Chinese character three.
  return ['\u0001', '\ud800', '語']
    .map((character) => character.repeat(maxLength!))
    .find((text) => pattern === undefined || new RegExp(pattern, 'u').test(text))!;
}
