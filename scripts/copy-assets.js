/** Puts next to the built files what the compiler does not copy: the migrations, and files that pages are served from. */
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { extname } from 'node:path';

const root = new URL('../', import.meta.url);
const STATIC = new Set(['.css', '.svg', '.html', '.ico', '.png', '.txt', '.json', '.woff2']);

for (const folder of ['drizzle/sqlite', 'drizzle/postgres']) {
  // A migration that was generated anew has another name, and the old one must not stay.
  rmSync(new URL(`dist/${folder}`, root), { recursive: true, force: true });
  cpSync(new URL(folder, root), new URL(`dist/${folder}`, root), { recursive: true });
}

for (const room of ['src', 'providers', 'webhooks', 'sandbox', 'demo']) {
  if (!existsSync(new URL(room, root))) continue;
  for (const entry of readdirSync(new URL(room, root), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !STATIC.has(extname(entry.name))) continue;
    const path = `${entry.parentPath}/${entry.name}`.slice(root.pathname.length);
    cpSync(new URL(path, root), new URL(`dist/${path}`, root));
  }
}
