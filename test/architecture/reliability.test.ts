/** `docs/reliability.md` and the names of the tests say the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const CASES = 130;
/** A number, a range or a list: `case 42:`, `cases 40-42:`, `cases 112, 115:`, `cases 94 and 104:`, after ids of the requirements. */
const NAMED = /['"`](?:[A-Z]\d\d )*cases? (\d[\d, and-]*?):/g;
const ROW = /^\| (\d+) \| (.+) \| (.+) \|$/gm;

function numbersOf(text: string): number[] {
  return text.split(/, | and /).flatMap((part) => {
    const [from, to] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: (to ?? from) - from + 1 }, (_, index) => from + index);
  });
}

/** The cases that the names of tests in this text carry. */
const casesIn = (text: string): number[] => [...new Set([...text.matchAll(NAMED)].flatMap(([, list]) => numbersOf(list!)))];

interface Row {
  readonly number: number;
  readonly text: string;
  /** Paths below `test/`; empty where there is no test. */
  readonly files: readonly string[];
}

const rowsIn = (document: string): Row[] =>
  [...document.matchAll(ROW)].map(([, number, text, proof]) => ({
    number: Number(number),
    text: text!,
    files: proof === 'no test' ? [] : proof!.split(', ').map((file) => /^`(.+)`$/.exec(file)?.[1] ?? file),
  }));

const carried = new Map(
  readdirSync(`${ROOT}test`, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.startsWith('architecture/'))
    .map((path) => [path, casesIn(readFileSync(`${ROOT}test/${path}`, 'utf8'))]),
);
const rows = rowsIn(readFileSync(`${ROOT}docs/reliability.md`, 'utf8'));

describe('docs/reliability.md', () => {
  test('has every case once, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: CASES }, (_, index) => index + 1));
  });

  test('names only tests that exist and carry the number', () => {
    const wrong = rows.flatMap(({ number, files }) =>
      files.filter((file) => !carried.get(file)?.includes(number)).map((file) => `${number}: ${file}`),
    );
    expect(wrong).toEqual([]);
  });

  test('names every test that carries a number', () => {
    const missing = [...carried].flatMap(([file, numbers]) =>
      numbers.filter((number) => !rows.find((row) => row.number === number)?.files.includes(file)).map((number) => `${number}: ${file}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('the comparison', () => {
  test.each([
    [`it('case 42: a', () => {});`, [42]],
    [`it.each(A)("cases 40-42, 46: a's", () => {});`, [40, 41, 42, 46]],
    ['it(`G15 F08 cases 94 and 104: ${a}`, () => {});', [94, 104]],
    [`// case 42: the boundary\nit('takes case 42', () => {});`, []],
  ])('reads %j', (text, numbers) => {
    expect(casesIn(text)).toEqual(numbers);
  });

  test('reads rows with tests and rows without', () => {
    expect(rowsIn('| case | what | by |\n| --- | --- | --- |\n| 1 | A. | `a/b.ts`, `c.ts` |\n| 2 | B. | no test |\n')).toEqual([
      { number: 1, text: 'A.', files: ['a/b.ts', 'c.ts'] },
      { number: 2, text: 'B.', files: [] },
    ]);
  });
});
