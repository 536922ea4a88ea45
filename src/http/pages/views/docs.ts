/** The API for people who write programs, made from the document that programs read. In English. */
import { html } from 'hono/html';
import { FAILURE_CODES, failureStatus, failureTitle } from '../../../domain/failure.ts';
import { badge, fact, type Html, type MaybeHtml, page } from './layout.ts';
import { fieldLine, type Schema, schemaFields, schemaId } from './schema.ts';

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

export interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema?: Schema }[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
}

/** The parts of an OpenAPI document that the page shows. */
export interface ApiDocument {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly webhooks?: Readonly<Record<string, { readonly post?: Operation }>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

export interface DocsPage {
  readonly now: Date;
  readonly document: ApiDocument;
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function docsPage({ now, document }: DocsPage): Html {
  const routes = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Route => ({ method: method.toUpperCase(), path, operation })),
  );
  const tags = [...new Set(routes.map(tagOf))];
  return page(
    { language: 'en', now, marketplace: null },
    'API of the conferencing gateway',
    html`<div class="intro">
        <h1>API of the conferencing gateway</h1>
        <p>Every call carries <code>Authorization: Bearer &lt;api key&gt;</code>; bodies and answers are JSON.</p>
        <p>The same for programs: <a href="/openapi.json">openapi.json</a></p>
      </div>
      <nav aria-label="On this page">
        <ul class="tags">
          ${[...tags, 'Events', 'Schemas', 'Problems'].map((tag) => html`<li><a href="#${anchor(tag)}">${tag}</a></li>`)}
        </ul>
      </nav>
      ${tags.map((tag) =>
        group(
          tag,
          routes.filter((route) => tagOf(route) === tag),
        ),
      )}
      <section class="card" aria-labelledby="events">
        <h2 id="events">Events</h2>
        <p>What your endpoint gets, signed by Standard Webhooks.</p>
        <ul class="routes">
          ${Object.entries(document.webhooks ?? {}).map(([type, { post = {} }]) => route(type, post, event(post)))}
        </ul>
      </section>
      <h2 id="schemas">Schemas</h2>
      ${Object.entries(document.components?.schemas ?? {}).map(
        ([name, schema]) =>
          html`<section class="card" id="${schemaId(name)}">
            <h3>${name}</h3>
            ${schemaFields(schema)}
          </section>`,
      )}
      <section class="card" id="problems">
        <h2>Problems</h2>
        <p>Whatever goes wrong is answered as <code>application/problem+json</code> (RFC 9457) with one of these codes.</p>
        <dl class="facts fields">
          ${FAILURE_CODES.map((code) =>
            fact(html`<a href="/problems/${code}"><code>${code}</code></a>`, html`<p>${failureStatus(code)}, ${failureTitle(code)}</p>`),
          )}
        </dl>
      </section>`,
  );
}

const group = (tag: string, routes: readonly Route[]): Html =>
  html`<section class="card" aria-labelledby="${anchor(tag)}">
    <h2 id="${anchor(tag)}">${tag}</h2>
    <ul class="routes">
      ${routes.map(({ method, path, operation }) => route(html`${badge('', method)} <code>${path}</code>`, operation, details(operation)))}
    </ul>
  </section>`;

const route = (name: Html | string, { summary = '' }: Operation, inside: Html): Html =>
  html`<li>
    <details>
      <summary>
        ${typeof name === 'string' ? html`<code>${name}</code>` : name} <span class="quiet small">${withCode(summary)}</span>
      </summary>
      <div class="stack">${inside}</div>
    </details>
  </li>`;

/** The headers and answers are the same for all: `docs/events.md` and the document have them. */
function event({ description = '', requestBody }: Operation): Html {
  const schema = schemaIn(requestBody?.content) ?? {};
  return html`<p>${withCode(description)}</p>
    <h3 class="eyebrow">Body</h3>
    ${schemaFields(schema)}
    <h3 class="eyebrow">Example</h3>
    <pre><code>${JSON.stringify(schema.example, null, 2)}</code></pre>`;
}

function details({ description, parameters = [], requestBody, responses = {} }: Operation): Html {
  const request = schemaIn(requestBody?.content);
  return html`${description === undefined ? '' : html`<p>${withCode(description)}</p>`}
    ${
      parameters.length === 0
        ? ''
        : html`<h3 class="eyebrow">Parameters</h3>
            <dl class="facts fields">
              ${parameters.map(({ name, required, schema }) => fieldLine(name, schema ?? {}, required ?? false))}
            </dl>`
    }
    ${
      request === undefined
        ? ''
        : html`<h3 class="eyebrow">Body</h3>
            ${schemaFields(request)}`
    }
    <h3 class="eyebrow">Answers</h3>
    <dl class="facts fields">
      ${Object.entries(responses).map(([status, { description: meaning = '', content }]) =>
        fact(
          html`<code>${status === 'default' ? 'else' : status}</code>`,
          html`<p>${meaning}</p>
            ${shapeOf(content)}`,
        ),
      )}
    </dl>`;
}

function shapeOf(content: Content | undefined): MaybeHtml {
  const schema = schemaIn(content);
  return schema === undefined ? '' : schemaFields(schema);
}

const schemaIn = (content: Content | undefined): Schema | undefined => Object.values(content ?? {})[0]?.schema;
/** What stands between backticks is code; the only markup in the descriptions. */
const withCode = (text: string): Html =>
  html`${text.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}`;
const tagOf = ({ operation }: Route): string => operation.tags?.[0] ?? 'Other';
const anchor = (tag: string): string => tag.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
