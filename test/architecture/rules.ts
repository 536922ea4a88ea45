/** The rules of the house that a machine can check. Each takes all files and returns what breaks it, as `path:line what`. */
import { codeOf, importsOf, lineAt, type Source } from './source.ts';

export type Rule = (sources: readonly Source[]) => string[];

/** A part of the program; every file belongs to the first whose pattern it matches. */
const ROOMS = {
  domain: /^src\/domain\//,
  drizzle: /^drizzle\//,
  store: /^src\/store\//,
  composition: /^src\/(main|cli|server|app)\.ts$/,
  config: /^src\/config\.ts$/,
  gateway: /^src\/gateway\.ts$/,
  useCases: /^src\/(meetings|recordings|connections|events|marketplaces|incidents|professionals|calls|meters|contents|evidence)\//,
  client: /^src\/client\//,
  edge: /^(src\/http\/|webhooks\/|src\/worker\.ts$)/,
  zoom: /^providers\/zoom\//,
  microsoftTeams: /^providers\/microsoft-teams\//,
  googleMeet: /^providers\/google-meet\//,
  contract: /^providers\/[^/]+\.ts$/,
  sandbox: /^sandbox\//,
  demo: /^demo\//,
  bench: /^bench\//,
  examples: /^examples\//,
  test: /^test\//,
  tools: /^[^/]+\.config\.ts$/,
  // Helpers of the program itself that are too small for a room: no arrows of their own but those of the use cases.
  program: /^src\/[^/]+\.ts$/,
} as const;

type Room = keyof typeof ROOMS;

const WHOLE_PROGRAM: readonly Room[] = [
  'domain',
  'drizzle',
  'store',
  'composition',
  'config',
  'gateway',
  'useCases',
  'edge',
  'zoom',
  'microsoftTeams',
  'googleMeet',
  'contract',
  'program',
];

/** Which rooms a room may import from, besides itself. What is not named here is forbidden. */
const ARROWS: Record<Room, readonly Room[]> = {
  domain: [],
  drizzle: ['domain'],
  contract: ['domain'],
  zoom: ['contract', 'domain'],
  microsoftTeams: ['contract', 'domain'],
  googleMeet: ['contract', 'domain'],
  store: ['drizzle', 'domain'],
  config: ['contract', 'domain'],
  gateway: ['store', 'contract', 'domain', 'config', 'program', 'useCases'],
  useCases: ['store', 'contract', 'domain', 'config', 'gateway', 'program'],
  program: ['store', 'contract', 'domain', 'config', 'gateway', 'useCases'],
  edge: ['useCases', 'store', 'domain', 'contract', 'config', 'gateway', 'program'],
  composition: WHOLE_PROGRAM,
  // Types only: a rule of its own.
  client: ['edge', 'domain'],
  sandbox: [],
  demo: [...WHOLE_PROGRAM, 'client', 'sandbox', 'examples'],
  bench: [...WHOLE_PROGRAM, 'client', 'sandbox', 'demo'],
  examples: [],
  test: [...WHOLE_PROGRAM, 'client', 'sandbox', 'demo', 'bench', 'examples'],
  tools: [],
};

/** The files that read the machine's clock, chance and environment, and hand them on. */
const OUTERMOST = /^(src\/(main|cli)\.ts$|sandbox\/main\.ts$|demo\/|bench\/|test\/|examples\/|[^/]+\.config\.ts$)/;
/** The client runs in other people's programs and has no outermost file of its own. */
const MAY_READ_THE_CLOCK = new RegExp(`${OUTERMOST.source}|^src/client/`);
const MAY_PRINT = /^(src\/(main|cli)\.ts$|sandbox\/main\.ts$|demo\/|bench\/|examples\/|test\/support\/)/;

/** Where presets are defined, where one is the default, and what plays a marketplace. */
const MAY_NAME_PRESETS = /^(src\/domain\/presets\/|src\/cli\.ts$|demo\/|bench\/|test\/)/;

export const RULES: Record<string, Rule> = {
  'imports go down only': (sources) =>
    sources.flatMap((source) => {
      const from = roomOf(source.path);
      if (from === undefined) return [`${source.path} belongs to no room`];
      return importsOf(source).flatMap(({ specifier, target }) => {
        if (target === undefined) return [];
        const to = roomOf(target);
        if (to === undefined) return [`${source.path} imports ${specifier}, which belongs to no room`];
        return to === from || ARROWS[from].includes(to) ? [] : [`${source.path} (${from}) imports ${target} (${to})`];
      });
    }),

  // It runs in other people's programs: of ours it takes shapes, of packages nothing.
  'the client needs nothing but itself': (sources) =>
    sources
      .filter((source) => roomOf(source.path) === 'client')
      .flatMap((source) => {
        const types = new Set(importsOf({ path: source.path, text: typeImportsOf(source.text) }).map(({ specifier }) => specifier));
        return importsOf(source)
          .filter(({ specifier, target }) => !types.has(specifier) && (target === undefined || roomOf(target) !== 'client'))
          .map(({ specifier }) => `${source.path} imports ${specifier}`);
      }),

  'domain is free of packages that do something': (sources) =>
    sources
      .filter((source) => roomOf(source.path) === 'domain')
      .flatMap((source) =>
        importsOf(source).flatMap(({ specifier, target }) =>
          target !== undefined || /^(zod|node:(crypto|buffer|url|net))$/.test(specifier) || specifier === 'ipaddr.js'
            ? []
            : [`${source.path} imports ${specifier}`],
        ),
      ),

  'the environment is read in main and cli': forbid(/\bprocess\s*\.\s*env\b/g, OUTERMOST),
  'the clock is read in main and cli': forbid(
    /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\w\s(]))|\bperformance\s*\.\s*now\b|\bprocess\s*\.\s*hrtime\b/g,
    MAY_READ_THE_CLOCK,
  ),
  'chance comes from main and cli': forbid(/\bMath\s*\.\s*random\b/g, OUTERMOST),
  'only programs print': forbid(/\bconsole\s*\./g, MAY_PRINT),
  'nothing is any': forbid(/(?::|\bas|<|,|\||&|=>|=)\s*any\b(?!\s*[:(.\w'])|\bany\s*\[\s*\]/g),
  // A policy is data: what holds for one marketplace is a value, never a branch on whose preset it started from.
  'no code asks for the name of a preset': (sources) =>
    sources
      .filter(({ path }) => !MAY_NAME_PRESETS.test(path))
      .flatMap(({ path, text }) => {
        const code = codeOf(text, { keepStrings: true });
        // `guide` is an English word, too: only as a whole string, or as a member of the presets.
        const names = /(['"`])guide\1|\bPRESETS\s*(?:\?\.|\.)\s*\w+|\bGUIDE\b|\b(?:tvip|fiverr|rodrun)\b|\b(?:TVIP|FIVERR|RODRUN)\b/g;
        return [...code.matchAll(names)].map((match) => `${path}:${lineAt(code, match.index)} ${match[0].trim()}`);
      }),
  'no check is switched off': (sources) =>
    forbidIn(sources, /@ts-(ignore|nocheck|expect-error)|(oxlint|eslint)-disable/g, { keepComments: true }),

  // One exception: the faults that need strace, where the system has none or does not let it attach.
  'no test is skipped, alone or missing': forbid(
    /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:skip|only|todo|skipIf(?!\(!canAttach\))|runIf|fails)\b|\bx(?:it|describe|test)\s*\(/g,
    /^(?!test\/)/,
  ),

  'a test file says so in its name': (sources) =>
    sources
      .filter(
        (source) =>
          source.path.startsWith('test/') &&
          !source.path.endsWith('.test.ts') &&
          importsOf(source).some(({ specifier }) => specifier === 'vitest'),
      )
      // Suites and helpers are called by test files; a file that starts tests by itself is a test file.
      .filter((source) => /^(?:test|it|describe)(?:\.each\([^\n]*\))?\(/m.test(codeOf(source.text, { keepStrings: false })))
      .map((source) => `${source.path} starts tests but does not end in .test.ts`),

  'no two tests of a file have the same name': (sources) =>
    sources
      .filter((source) => source.path.endsWith('.test.ts'))
      .flatMap((source) => {
        const seen = new Set<string>();
        return testNamesOf(source).flatMap((name) => {
          const twice = seen.has(name);
          seen.add(name);
          return twice ? [`${source.path} has two tests named "${name}"`] : [];
        });
      }),
};

/** Names of tests with those of the describe blocks around them, by indentation, which the formatter guarantees. */
function testNamesOf(source: Source): string[] {
  const code = codeOf(source.text, { keepStrings: true });
  const blocks: { indentation: number; name: string }[] = [];
  const names: string[] = [];
  const call =
    /^(?<space>[ \t]*)(?<kind>test|it|describe\w*)(?:\.each\([\s\S]*?\)|\.each`[^`]*`)?\(\s*(?<quote>['"`])(?<name>(?:\\.|(?!\k<quote>)[\s\S])*)\k<quote>/gm;
  for (const { groups } of code.matchAll(call)) {
    const { space, kind, name } = groups as Record<'space' | 'kind' | 'name', string>;
    while (blocks.length > 0 && blocks.at(-1)!.indentation >= space.length) blocks.pop();
    if (kind.startsWith('describe')) blocks.push({ indentation: space.length, name });
    else names.push([...blocks.map((block) => block.name), name].join(' > '));
  }
  return names;
}

/** Only the statements that vanish when the program is built. */
const typeImportsOf = (text: string): string =>
  [...codeOf(text, { keepStrings: true }).matchAll(/^(?:import|export) type\b[^;]*;/gm)].map(([statement]) => statement).join('\n');

function roomOf(path: string): Room | undefined {
  return (Object.keys(ROOMS) as Room[]).find((room) => ROOMS[room].test(path));
}

/** No code may match, except in files whose path matches `allowed`. Comments and strings do not count. */
function forbid(pattern: RegExp, allowed?: RegExp): Rule {
  return (sources) =>
    forbidIn(
      sources.filter((source) => allowed === undefined || !allowed.test(source.path)),
      pattern,
      { keepComments: false },
    );
}

function forbidIn(sources: readonly Source[], pattern: RegExp, { keepComments }: { keepComments: boolean }): string[] {
  return sources.flatMap(({ path, text }) => {
    const code = keepComments ? text : codeOf(text, { keepStrings: false });
    return [...code.matchAll(pattern)].map((match) => `${path}:${lineAt(code, match.index)} ${match[0].trim()}`);
  });
}
