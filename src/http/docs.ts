/** The description of the API, for programs at `/openapi.json` and for people at `/docs`. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Gateway } from '../gateway.ts';
import { sendPage } from './pages/page.ts';
import { stylesheetPath } from './pages/views/index.ts';

interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly requestBody?: unknown;
  readonly parameters?: readonly unknown[];
  readonly responses?: unknown;
}

type Document = ReturnType<Parameters<typeof docsRoutes>[1]>;

/** Made at the first request: most processes are never asked. */
export const docsRoutes = (
  gateway: Gateway,
  describe: () => { readonly paths?: object; readonly components?: { readonly schemas?: object } },
) => {
  let document: Document | undefined;
  const described = (): Document => (document ??= describe());
  return new Hono()
    .get('/openapi.json', (c) => c.json(described()))
    .get('/docs', (c) => {
      const operations = Object.entries(described().paths ?? {}).flatMap(([path, methods]) =>
        Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
          path,
          method: method.toUpperCase(),
          operation,
        })),
      );
      const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? 'Other'))];
      const shown = (value: unknown) => html`<pre><code>${JSON.stringify(value, null, 2)}</code></pre>`;
      return sendPage(
        c,
        gateway,
        html`<!doctype html>
          <html lang="en">
            <head>
              <meta charset="utf-8" />
              <meta name="viewport" content="width=device-width, initial-scale=1" />
              <title>API of the conferencing gateway</title>
              <link rel="stylesheet" href="${stylesheetPath}" />
            </head>
            <body>
              <main class="docs">
                <h1>API of the conferencing gateway</h1>
                <p>
                  Send <code>Authorization: Bearer &lt;api key&gt;</code>. The same as a program reads it:
                  <a href="/openapi.json">openapi.json</a>.
                </p>
                ${tags.map(
                  (tag) =>
                    html`<h2>${tag}</h2>
                      ${operations
                        .filter(({ operation }) => (operation.tags?.[0] ?? 'Other') === tag)
                        .map(
                          ({ path, method, operation }) =>
                            html`<details class="card">
                              <summary><code>${method} ${path}</code> ${operation.summary ?? ''}</summary>
                              ${
                                operation.parameters === undefined
                                  ? ''
                                  : html`<h3>Parameters</h3>
                                      ${shown(operation.parameters)}`
                              }
                              ${
                                operation.requestBody === undefined
                                  ? ''
                                  : html`<h3>Request</h3>
                                      ${shown(operation.requestBody)}`
                              }
                              <h3>Answers</h3>
                              ${shown(operation.responses)}
                            </details>`,
                        )}`,
                )}
                <h2>Schemas</h2>
                ${Object.entries(described().components?.schemas ?? {}).map(
                  ([name, schema]) =>
                    html`<details class="card">
                      <summary><code>${name}</code></summary>
                      ${shown(schema)}
                    </details>`,
                )}
              </main>
            </body>
          </html>`,
      );
    });
};
