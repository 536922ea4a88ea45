/** The only stylesheet of the pages. Contrasts are at least WCAG AA in both colour schemes. */
export const stylesheet = `:root {
  color-scheme: light dark;
  --ground: #f4f5f8; --surface: #ffffff; --line: #dde1e8; --field: #7d8797;
  --ink: #1a2130; --quiet: #545f70; --accent: #2a52be; --accent-strong: #1f3f96; --on-accent: #ffffff; --wash: #ebf0fc;
  --good: #17663a; --good-wash: #e4f4ea; --warn: #7d4a00; --warn-wash: #fdf1da; --bad: #a1232b; --bad-wash: #fce9ea;
  --shadow: 0 1px 2px rgb(20 30 50 / 5%), 0 6px 24px rgb(20 30 50 / 6%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #11141a; --surface: #1a1e27; --line: #2d3340; --field: #78839a;
    --ink: #e8ebf1; --quiet: #a5afbf; --accent: #9db8ff; --accent-strong: #bccfff; --on-accent: #0f1729; --wash: #232c42;
    --good: #83d6a4; --good-wash: #17301f; --warn: #f0c173; --warn-wash: #362a12; --bad: #ffa3a8; --bad-wash: #3b1c20;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
@media (min-width: 48rem) { html { scrollbar-gutter: stable; } }
.live { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.live:not(:has(section)) { display: none; }
[hidden] { display: none !important; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Open Sans', sans-serif; overflow-wrap: break-word;
}
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; }
h1 { font-size: clamp(1.5rem, 1.2rem + 1.6vw, 2rem); line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h2 { font-size: 1.125rem; line-height: 1.35; }
h3 { font-size: 1rem; line-height: 1.35; }
a { color: var(--accent); text-underline-offset: 0.18em; }
a:hover { color: var(--accent-strong); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
code { font: 0.9em ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere; }
pre { margin: 0; white-space: pre-wrap; }

.skip { position: absolute; left: 1rem; top: -6rem; background: var(--surface); padding: 0.6rem 1rem; border-radius: 8px; z-index: 1; }
.skip:focus { top: 1rem; }
.top, main, footer { width: 100%; max-width: 42rem; margin-inline: auto; padding-inline: 1rem; }
.top { padding-top: 1.5rem; }
.brand { font-weight: 600; color: var(--quiet); display: flex; align-items: center; gap: 0.55rem; }
.brand::before { content: ''; flex: none; width: 0.7rem; height: 0.7rem; border-radius: 50%; background: var(--accent); }
main { flex: 1; padding-block: 1.25rem 2rem; display: grid; gap: 1rem; align-content: start; grid-template-columns: minmax(0, 1fr); }
footer { padding-block: 1rem 2rem; color: var(--quiet); font-size: 0.875rem; }

.intro { display: grid; gap: 0.5rem; padding-block: 0.25rem 0.5rem; }
.eyebrow { color: var(--quiet); font-size: 0.9375rem; font-weight: 600; }
.quiet { color: var(--quiet); }
.small { font-size: 0.9375rem; }
.card { background: var(--surface); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem; box-shadow: var(--shadow); display: grid; gap: 0.85rem; grid-template-columns: minmax(0, 1fr); }
.card > * { min-width: 0; }
.card-head { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; justify-content: space-between; }
.stack { display: grid; gap: 0.35rem; grid-template-columns: minmax(0, 1fr); }
.stack.wide { gap: 0.85rem; }
.facts { display: grid; gap: 0.7rem; }
.facts > div { display: grid; gap: 0.05rem; }
.ruled { border-top: 1px solid var(--line); padding-top: 1.1rem; margin-top: 0.35rem; }
.facts dt { color: var(--quiet); font-size: 0.875rem; }
.facts dd { font-weight: 500; }
.facts dd p { font-weight: 400; }
@media (min-width: 34rem) {
  .card { padding: 1.5rem; }
  .facts > div { grid-template-columns: 10rem minmax(0, 1fr); gap: 1rem; }
  .facts dt { font-size: 1rem; }
}
.account { display: grid; gap: 0.85rem; grid-template-columns: minmax(0, 1fr); border-top: 1px solid var(--line); padding-top: 1.1rem; margin-top: 0.35rem; }
.account > * { min-width: 0; }
.account h3 { overflow-wrap: anywhere; }
.list { padding-inline-start: 1.15rem; display: grid; gap: 0.4rem; }
.list::marker, .list li::marker { color: var(--quiet); }
.people { list-style: none; padding: 0; display: grid; }
.people li { display: flex; flex-wrap: wrap; gap: 0.4rem 0.75rem; align-items: center; justify-content: space-between; padding-block: 0.7rem; border-top: 1px solid var(--line); }
.people li:first-child { border-top: 0; padding-top: 0; }
.people li:last-child { padding-bottom: 0; }
.tags { display: flex; flex-wrap: wrap; gap: 0.4rem; }

.badge { display: inline-block; font-size: 0.8125rem; font-weight: 600; line-height: 1.3; padding: 0.2rem 0.6rem; border-radius: 999px; background: var(--wash); color: var(--accent); }
.badge.good { background: var(--good-wash); color: var(--good); }
.badge.warn { background: var(--warn-wash); color: var(--warn); }
.badge.bad { background: var(--bad-wash); color: var(--bad); }
.badge.plain { background: var(--ground); color: var(--quiet); }
.notice { border-radius: 12px; padding: 0.95rem 1.1rem; background: var(--wash); display: grid; gap: 0.2rem; grid-template-columns: minmax(0, 1fr); }
.notice h2 { font-size: 1rem; }
.notice.good { background: var(--good-wash); } .notice.good h2 { color: var(--good); }
.notice.warn { background: var(--warn-wash); } .notice.warn h2 { color: var(--warn); }
.notice.bad { background: var(--bad-wash); } .notice.bad h2 { color: var(--bad); }

form { display: grid; gap: 0.85rem; }
.actions { display: flex; flex-wrap: wrap; gap: 0.6rem; }
.actions form { display: contents; }
.button { appearance: none; display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; max-width: 100%; padding: 0.55rem 1.15rem; border-radius: 10px; border: 1px solid transparent; background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; line-height: 1.3; text-align: center; text-decoration: none; cursor: pointer; transition: background-color 120ms ease; }
.button:hover { background: var(--accent-strong); color: var(--on-accent); }
.button:focus-visible { border-radius: 10px; }
.button.second { background: transparent; color: var(--accent); border-color: var(--field); }
.button.second:hover { background: var(--wash); }
.button.big { width: 100%; min-height: 3.5rem; font-size: 1.125rem; border-radius: 12px; }
label { font-weight: 500; }
.field { display: grid; gap: 0.3rem; }
.field select, .field textarea, .field input { width: 100%; min-height: 2.75rem; padding: 0.55rem 0.75rem; border: 1px solid var(--field); border-radius: 10px; background: var(--surface); color: var(--ink); font: inherit; }
.field textarea { resize: vertical; min-height: 8rem; }
details > .notice, details > [role='status'] + form { margin-top: 0.85rem; }
fieldset { border: 0; padding: 0; margin: 0; min-width: 0; }
legend { padding: 0; font-weight: 500; }
.scale > div { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-top: 0.35rem; }
.scale label { display: inline-flex; align-items: center; gap: 0.4rem; min-height: 2.75rem; padding: 0.3rem 0.75rem; border: 1px solid var(--field); border-radius: 10px; cursor: pointer; }
.scale input { width: 1.2rem; height: 1.2rem; margin: 0; accent-color: var(--accent); }
.part:not(:has(*)) { display: none; }
.people .full { flex: 1 0 100%; }
.check { font-weight: 400; display: flex; gap: 0.65rem; align-items: flex-start; cursor: pointer; }
.check input { flex: none; width: 1.2rem; height: 1.2rem; margin: 0.17rem 0 0; accent-color: var(--accent); }

.clock { font-variant-numeric: tabular-nums; white-space: nowrap; }
.countdown { display: grid; gap: 0.1rem; }
.countdown .clock { font-size: 2.25rem; font-weight: 600; line-height: 1.2; letter-spacing: -0.02em; }
.limit { display: grid; gap: 0.85rem; }
.local { min-height: 0; }
@media (scripting: enabled) { .local { min-height: 3.1em; } }
@media (scripting: enabled) and (min-width: 34rem) { .local { min-height: 1.55em; } }
video { width: 100%; aspect-ratio: 16 / 9; background: #000; border-radius: 10px; display: block; }
details.card { display: block; }
nav ul { list-style: none; padding: 0; }
nav a { display: inline-block; padding-block: 0.35rem; margin-inline-end: 0.5rem; }
.fields .fields { border-inline-start: 2px solid var(--line); padding-inline-start: 0.9rem; margin-block: 0.35rem; }
.fields dd { font-weight: 400; }
.fields .fields .fields > div { grid-template-columns: minmax(0, 1fr); gap: 0.05rem; }
.routes { list-style: none; padding: 0; display: grid; }
.routes > li { border-top: 1px solid var(--line); padding-block: 0.7rem; }
.routes > li:first-child { border-top: 0; padding-top: 0; }
.routes > li:last-child { padding-bottom: 0; }
.routes summary { font-weight: 400; }
.routes summary .quiet { display: block; }
.routes h3 { margin-top: 0.6rem; }
[id] { scroll-margin-top: 1rem; }
summary { cursor: pointer; font-weight: 600; padding-block: 0.15rem; }
details[open] summary { margin-bottom: 0.6rem; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation: none !important; scroll-behavior: auto !important; } }
@media (forced-colors: active) { .badge, .notice, .button { border: 1px solid; } }
`;
