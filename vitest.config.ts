import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/setup.ts'],
    setupFiles: ['test/support/as-found.ts'],
    // Every file would load and compile the program anew, which takes as long as many a file's tests. Nothing in the program is global.
    isolate: false,
    reporters: ['default', './test/support/closing-line.ts'],
    // Many tests wait for a vendor or a process: one core less, the default, would stand idle.
    maxWorkers: '100%',
    // On a shared machine a real browser or a killed process may stumble once; the report names a test that did. Twice is a failure.
    retry: process.env['CI'] === undefined ? 0 : 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
