/**
 * Of all declarations in `dist/types` keeps those that the client's lead to, and makes them fit for strangers: files are named as
 * Node.js names them, and `z` comes from zod itself, so that nobody who type-checks against the client reads the server's packages.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const types = fileURLToPath(new URL('../dist/types/', import.meta.url));
const SPECIFIER = /(?<before>\b(?:from|import)\s*\(?\s*)'(?<specifier>[^']+)'/g;

const reached = new Set();
const visit = (path) => {
  if (reached.has(path)) return;
  reached.add(path);
  for (const { groups } of readFileSync(path, 'utf8').matchAll(SPECIFIER)) {
    const { specifier } = groups;
    if (specifier.startsWith('.')) visit(join(dirname(path), specifier.replace(/\.ts$/, '.d.ts')));
    else if (specifier !== 'zod' && specifier !== '@hono/zod-openapi') throw new Error(`${path} needs the types of ${specifier}`);
  }
};
visit(join(types, 'src/client/index.d.ts'));

for (const entry of readdirSync(types, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && !reached.has(path)) rmSync(path);
}
for (const path of reached) {
  const renamed = (specifier) => (specifier === '@hono/zod-openapi' ? 'zod' : specifier.replace(/^(\..*)\.ts$/, '$1.js'));
  const text = readFileSync(path, 'utf8').replace(SPECIFIER, (_, before, specifier) => `${before}'${renamed(specifier)}'`);
  writeFileSync(path, text);
}
