/** JSON Schema for people: the fields of an object, one line each. Covers what the API's own schemas use. */
import { html } from 'hono/html';
import { fact, type Html, type MaybeHtml } from './layout.ts';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
  readonly description?: string;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

export function schemaFields(schema: Schema): Html {
  const parts = schema.allOf ?? [];
  const fields = Object.entries(schema.properties ?? {});
  if (parts.length === 0 && fields.length === 0) return html`<p>${typeOf(schema)}</p>`;
  return html`${parts.map((part) => schemaFields(part))}
  ${
    fields.length === 0
      ? ''
      : html`<dl class="facts fields">
          ${fields.map(([name, field]) => fieldLine(name, field, schema.required?.includes(name) ?? false))}
        </dl>`
  }`;
}

export const fieldLine = (name: string, schema: Schema, required: boolean): Html =>
  fact(html`<code>${name}</code>${required ? '' : html` <span class="quiet small">optional</span>`}`, fieldType(schema));

export const schemaId = (name: string): string => `schema-${name}`;

function fieldType(schema: Schema): Html {
  const inner = nested(schema);
  return html`<p>${typeOf(schema)}</p>
    ${rules(schema)} ${inner === undefined ? '' : schemaFields(inner)}`;
}

/** The object whose fields are told right below: the value itself, or what a list consists of. */
function nested(schema: Schema): Schema | undefined {
  const candidate = schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : schema);
  return candidate.properties === undefined ? undefined : candidate;
}

function typeOf(schema: Schema): Html {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return html`<a href="#${schemaId(name)}">${name}</a>`;
  }
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices !== undefined) return html`${choices.map((choice, index) => html`${index === 0 ? '' : ' or '}${typeOf(choice)}`)}`;
  if (schema.enum !== undefined)
    return html`${schema.enum.map((value, index) => html`${index === 0 ? '' : ' | '}<code>${String(value)}</code>`)}`;
  const names = [schema.type ?? 'anything'].flat();
  if (schema.items !== undefined) return html`list of ${typeOf(schema.items)}${names.includes('null') ? ' or null' : ''}`;
  return html`${names.map((name) => (name === 'null' ? 'null' : named(name, schema))).join(' or ')}`;
}

function named(type: string, { format, additionalProperties }: Schema): string {
  if (format === 'date-time') return 'moment (RFC 3339)';
  if (format === 'uri') return 'URL';
  if (type === 'object' && typeof additionalProperties === 'object') return 'object with any names';
  return format === undefined ? type : `${type} (${format})`;
}

function rules(schema: Schema): MaybeHtml {
  const told = [
    schema.description,
    schema.default === undefined ? undefined : `if left out: ${JSON.stringify(schema.default)}`,
    range(schema.minimum, schema.maximum, ''),
    // At least one character goes without saying.
    range(schema.minLength === 1 ? undefined : schema.minLength, schema.maxLength, ' characters'),
    range(schema.minItems, schema.maxItems, ' entries'),
  ].filter((rule) => rule !== undefined);
  return told.length === 0 ? '' : html`<p class="quiet small">${told.join('; ')}</p>`;
}

function range(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  if (least !== undefined && most !== undefined) return `${least} to ${most}${unit}`;
  if (most !== undefined) return `at most ${most}${unit}`;
  return least === undefined ? undefined : `at least ${least}${unit}`;
}
