/** One file instead of five hundred: most of a start was spent on finding and linking small modules. */
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('dist/bundle', { recursive: true, force: true });
await build({
  entryPoints: ['dist/src/main.js', 'dist/src/cli.js'],
  outdir: 'dist/bundle',
  bundle: true,
  // What is loaded on first use stays apart.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  // Native code, code that looks for its own files, and SDKs that most starts never need.
  external: ['better-sqlite3', 'pg', 'pg-native', 'pino', 'googleapis', 'googleapis/*', '@microsoft/*', '@azure/*'],
  // For the CommonJS packages inside.
  banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
});
