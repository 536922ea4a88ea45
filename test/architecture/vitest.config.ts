import { defineConfig } from 'vitest/config';

/** These tests alone: no database, no build. */
export default defineConfig({
  test: { root: new URL('../..', import.meta.url).pathname, include: ['test/architecture/**/*.test.ts'] },
});
