import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RULES } from './rules.ts';
import { codeOf, importsOf, type Source } from './source.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDERS = ['src', 'providers', 'webhooks', 'drizzle', 'sandbox', 'demo', 'bench', 'test'];
/** May come later. */
const MORE_FOLDERS = ['examples'].filter((folder) => existsSync(ROOT + folder));

const sources: Source[] = [...FOLDERS, ...MORE_FOLDERS]
  .flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
  )
  .filter((path) => path.endsWith('.ts'))
  // This room is made of counter-examples.
  .filter((path) => !path.startsWith('test/architecture/'))
  .map((path) => ({ path, text: readFileSync(ROOT + path, 'utf8') }));

describe('the program keeps the rule', () => {
  test.each(Object.keys(RULES))('%s', (name) => {
    expect(RULES[name]!(sources)).toEqual([]);
  });

  test('and all of its files were read', () => {
    expect(sources.map((source) => source.path)).toEqual(
      expect.arrayContaining(['src/domain/failure.ts', 'providers/provider.ts', 'drizzle/schema.ts']),
    );
  });
});

/** Per rule: files that break it, each alone; and files that do not, though they look like it. */
const EXAMPLES: Record<string, { wrong: Source[]; right: Source[] }> = {
  'imports go down only': {
    wrong: [
      file('src/domain/policy.ts', `import type { Reader } from '../store/database.ts';`),
      file('drizzle/schema.ts', `import { a } from '../src/store/database.ts';`),
      file('providers/call.ts', `import { a } from './zoom/zoom.ts';`),
      file('providers/zoom/zoom.ts', `import { a } from '../google-meet/meet.ts';`),
      file('providers/zoom/zoom.ts', `import { a } from '../../src/store/jobs.ts';`),
      file('src/store/jobs.ts', `import type { ProviderId } from '../../providers/provider.ts';`),
      file('src/store/jobs.ts', `export * from '../meetings/create.ts';`),
      file('src/meetings/create.ts', `import { createZoom } from '../../providers/zoom/zoom.ts';`),
      file('src/meetings/create.ts', `const app = await import('../http/app.ts');`),
      file('src/meetings/create.ts', `import {\n  a,\n  b,\n} from '../http/problem.ts';`),
      file('src/gateway.ts', `import { a } from '../providers/zoom/zoom.ts';`),
      file('src/http/api.ts', `import { a } from '../../providers/microsoft-teams/teams.ts';`),
      file('webhooks/receive.ts', `import { a } from '../sandbox/zoom.ts';`),
      file('src/main.ts', `import { a } from '../test/support/databases.ts';`),
      file('sandbox/zoom.ts', `import { a } from '../src/domain/time.ts';`),
      file('demo/main.ts', `import '../test/support/setup.ts';`),
      file('examples/marketplace.ts', `import { a } from '../src/main.ts';`),
      file('src/client/call.ts', `import type { Gateway } from '../gateway.ts';`),
      file('src/http/api/meetings.ts', `import { createClient } from '../../client/index.ts';`),
      file('src/extra/thing.ts', `export {};`),
    ],
    right: [
      file('src/main.ts', `import { createZoom } from '../providers/zoom/zoom.ts';`),
      file(
        'src/store/jobs.ts',
        `import { a } from './database.ts';\nimport { b } from '../domain/time.ts';\n// import { c } from '../main.ts';`,
      ),
      file(
        'src/meetings/create.ts',
        `import { emit } from '../events/emit.ts';\nimport type { Provider } from '../../providers/provider.ts';`,
      ),
      file('webhooks/receive.ts', `import { a } from '../src/store/inbox.ts';`),
      file('sandbox/zoom.ts', `import { a } from './state.ts';\nimport { Hono } from 'hono';`),
      file('test/http/links.test.ts', `import { a } from '../../sandbox/zoom.ts';`),
    ],
  },
  'the client needs nothing but itself': {
    wrong: [
      file('src/client/call.ts', `import { meeting } from '../http/api/schemas.ts';`),
      file('src/client/call.ts', `import { type Problem, problem } from '../http/api/schemas.ts';`),
      file('src/client/call.ts', `import retry from 'p-retry';`),
      file('src/client/verify.ts', `import { createHmac } from 'node:crypto';`),
    ],
    right: [
      file('src/client/call.ts', `import type { z } from 'zod';\nimport { GatewayError } from './error.ts';`),
      file('src/client/operations.ts', `import type * as schemas from '../http/api/schemas.ts';`),
      file('src/http/app.ts', `import { Hono } from 'hono';`),
    ],
  },
  'domain is free of packages that do something': {
    wrong: [
      file('src/domain/policy.ts', `import { eq } from 'drizzle-orm';`),
      file('src/domain/policy.ts', `import { readFileSync } from 'node:fs';`),
    ],
    right: [file('src/domain/policy.ts', `import { z } from 'zod';`), file('src/store/jobs.ts', `import { eq } from 'drizzle-orm';`)],
  },
  'the environment is read in main and cli': {
    wrong: [file('src/config.ts', `const port = process.env['PORT'];`), file('src/config.ts', 'const port = `${process.env.PORT}`;')],
    right: [file('src/main.ts', `readConfig(process.env);`), file('src/config.ts', `/** Not process.env. */ const words = 'process.env';`)],
  },
  'the clock is read in main and cli': {
    wrong: [
      file('src/worker.ts', `const now = Date.now();`),
      file('src/worker.ts', `const now = Date.now;`),
      file('src/worker.ts', `const now = new Date();`),
      file('src/worker.ts', `const now = new Date;`),
      file('providers/zoom/zoom.ts', `const start = performance.now();`),
      file('sandbox/zoom.ts', `const at = () => new Date( );`),
    ],
    right: [
      file('src/main.ts', `const now = () => new Date();`),
      file('src/client/verify.ts', `const now = () => new Date();`),
      file('src/worker.ts', `const at = new Date(value); // new Date()`),
      file('sandbox/main.ts', `const now = new Date();`),
    ],
  },
  'chance comes from main and cli': {
    wrong: [file('src/worker.ts', `backoff(Math.random());`), file('providers/call.ts', `const random = Math.random;`)],
    right: [file('src/cli.ts', `run({ random: Math.random });`)],
  },
  'only programs print': {
    wrong: [file('src/worker.ts', `console.error(error);`), file('test/http/links.test.ts', `console.log(body);`)],
    right: [file('src/cli.ts', `console.log('done');`), file('src/worker.ts', `const title = 'console.log';`)],
  },
  'nothing is any': {
    wrong: [
      file('src/a.ts', `const a: any = 1;`),
      file('src/a.ts', `const a = b as any;`),
      file('src/a.ts', `const a = new Map<string, any>();`),
      file('src/a.ts', `type A = Record<string, any>;`),
      file('test/a.test.ts', `let list: any[] = [];`),
      file('src/a.ts', `type A = string | any;`),
      file('src/a.ts', `type A = (b: string) => any;`),
    ],
    right: [file('src/a.ts', `const any = 1; expect.any(Date); const b = { any: 2 }; const c = "as any"; Promise.any(list);`)],
  },
  'no code asks for the name of a preset': {
    wrong: [
      file('src/meetings/create.ts', `if (marketplace.preset === 'fiverr') return;`),
      file('src/meetings/create.ts', 'switch (preset) { case `guide`: break; }'),
      file('src/recordings/ready.ts', `const days = { guide: 14, fiverr: 30 }[preset];`),
      file('src/domain/policy.ts', `const strict = preset === "tvip";`),
      file('src/domain/recording.ts', `if (policy === PRESETS.guide) return;`),
      file('src/domain/recording.ts', `import { RODRUN } from './presets/rodrun.ts';`),
      file('src/marketplaces/manage.ts', `const preset = 'rodrun';`),
      file('src/main.ts', `const preset = 'guide';`),
      file('providers/zoom/zoom.ts', `const hosted = name.startsWith('fiverr');`),
    ],
    right: [
      file('src/domain/presets/guide.ts', `export const GUIDE = { name: 'guide' };`),
      file('src/cli.ts', `const preset = values.policy ?? 'guide';`),
      file('demo/world.ts', `const policy = 'guide';`),
      file('test/domain/policy.test.ts', `expect(PRESETS.fiverr).toBeDefined();`),
      file(
        'src/meetings/create.ts',
        `const { guide } = texts; // as 'fiverr' does\nconst policy = PRESETS[preset]; const help = app.guides.host;`,
      ),
      file('src/http/pages/texts/en.ts', `export const guide = 'A guide for participants';`),
    ],
  },
  'no check is switched off': {
    wrong: [file('src/a.ts', ['// @ts', 'ignore'].join('-')), file('src/a.ts', ['// oxlint', 'disable-next-line'].join('-'))],
    right: [file('src/a.ts', '// ignore what follows')],
  },
  'no test is skipped, alone or missing': {
    wrong: [
      file('test/a.test.ts', `test.skip('a', () => {});`),
      file('test/a.test.ts', `describe.only('a', () => {});`),
      file('test/a.test.ts', `it.todo('a');`),
      file('test/a.test.ts', `describe.skipIf(!patient)('a', () => {});`),
      file('test/a.test.ts', `test.concurrent.only('a', () => {});`),
    ],
    right: [
      file('test/a.test.ts', `test('has no .skip', () => { only.skip(); });`),
      file('test/faults/disk.test.ts', `describe.skipIf(!canAttach)('a', () => {});`),
    ],
  },
  'a test file says so in its name': {
    wrong: [
      file('test/http/links.ts', `import { test } from 'vitest';\ntest('a', () => {});`),
      file('test/http/links.spec.ts', `import { describe } from 'vitest';\ndescribe('a', () => {});`),
    ],
    right: [
      file(
        'test/conformance/provider.ts',
        `import { describe, test } from 'vitest';\nexport function suite() {\n  describe('a', () => {\n    test('b', () => {});\n  });\n}`,
      ),
      file('test/http/links.test.ts', `import { test } from 'vitest';\ntest('a', () => {});`),
    ],
  },
  'no two tests of a file have the same name': {
    wrong: [
      file('test/a.test.ts', `test('a', () => {});\ntest('a', () => {});`),
      file('test/a.test.ts', `describe('x', () => {\n  test('a', () => {});\n  it("a", () => {});\n});`),
      file('test/a.test.ts', `test(\n  'a',\n  () => {},\n);\ntest('a', () => {});`),
    ],
    right: [
      file(
        'test/a.test.ts',
        `describe('x', () => {\n  test('a', () => {});\n});\ndescribe('y', () => {\n  test('a', () => {});\n});\ntest('a', () => {});`,
      ),
    ],
  },
};

describe('the rules notice what they are for', () => {
  test('every rule has an example', () => {
    expect(Object.keys(EXAMPLES)).toEqual(Object.keys(RULES));
  });

  const wrong = Object.entries(EXAMPLES).flatMap(([rule, { wrong }]) => wrong.map((source) => ({ rule, ...source })));
  const right = Object.entries(EXAMPLES).flatMap(([rule, { right }]) => right.map((source) => ({ rule, ...source })));

  test.each(wrong)('$rule: is broken by $path with $text', ({ rule, path, text }) => {
    expect(RULES[rule]!([{ path, text }])).not.toEqual([]);
  });

  test.each(right)('$rule: is kept by $path with $text', ({ rule, path, text }) => {
    expect(RULES[rule]!([{ path, text }])).toEqual([]);
  });
});

describe('the reader of the rules', () => {
  test('takes comments, strings and regular expressions for what they are', () => {
    const text = [
      'const a = "// no comment"; // one',
      "const b = /['`]/; const c = 'it\\'s';",
      '/* process.env',
      ' */ const d = `x ${e} y`;',
    ].join('\n');
    expect(codeOf(text, { keepStrings: false })).toBe(
      ["const a = '';  ", "const b = /./; const c = '';", '', ' const d = `${e}`;'].join('\n'),
    );
  });

  test('finds every kind of import', () => {
    const text = `import a from 'a';\nimport type { B } from "../b.ts";\nexport { c } from './c.ts';\nimport './d.ts';\nconst e = await import('../../e.ts');`;
    expect(importsOf({ path: 'x/y/z.ts', text }).map(({ target }) => target)).toEqual([
      undefined,
      'x/b.ts',
      'x/y/c.ts',
      'x/y/d.ts',
      'e.ts',
    ]);
  });
});

function file(path: string, text: string): Source {
  return { path, text };
}
