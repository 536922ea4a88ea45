/** What the sandbox's few pages for people look like. */
import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

export const shell = (title: string, content: Html): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · sandbox</title>
        <link rel="icon" href="data:," />
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <p class="strip">Sandbox: a stand-in for tests, not the vendor</p>
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`;

const STYLE = html`
  :root { color-scheme: light dark; } * { box-sizing: border-box; } body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background:
  light-dark(#fff, #16181d); color: light-dark(#1b1e24, #e8eaee); overflow-wrap: anywhere; } .strip { margin: 0; padding: 0.4rem 1rem;
  text-align: center; font-size: 0.875rem; background: light-dark(#fff0c7, #453708); } main { max-width: 34rem; margin: 1.5rem auto 3rem;
  padding: 0 1rem; } h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-bottom: 0.25rem; } a { color:
  light-dark(#1d4fc4, #a4bfff); } fieldset { min-width: 0; margin: 1rem 0; padding: 0.5rem 1rem 0.75rem; border: 1px solid
  light-dark(#c9ced8, #454b57); border-radius: 8px; } legend { font-weight: 600; padding: 0 0.35rem; } label { display: flex; gap: 0.6rem;
  padding: 0.35rem 0; cursor: pointer; } input { flex: none; width: 1.1rem; height: 1.1rem; margin: 0.2rem 0 0; } small { color:
  light-dark(#59606d, #a7afbc); display: block; } code { font: 0.875em ui-monospace, monospace; } ul { padding-left: 1.1rem; margin: 0.25rem
  0; } button { font: inherit; min-height: 2.75rem; padding: 0.4rem 1.5rem; margin-right: 0.5rem; border-radius: 8px; border: 1px solid
  light-dark(#767d8a, #868e9c); background: transparent; color: inherit; cursor: pointer; } button[value='allow'] { background:
  light-dark(#1d4fc4, #a4bfff); border-color: transparent; color: light-dark(#fff, #10141d); }
`;
