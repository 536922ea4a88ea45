/** Just enough of a TypeScript reader for the rules: which text is code, and what a file imports. */

export interface Source {
  /** From the top folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The file it means, from the top folder; undefined for packages. */
  readonly target: string | undefined;
}

/** The text without comments; strings and templates stay, with `keepStrings` false they are emptied. Lines keep their numbers. */
export function codeOf(text: string, { keepStrings }: { keepStrings: boolean }): string {
  // One pass, so that a quote in a comment and a comment sign in a string are taken for what they are. A regular expression
  // literal is only told from a division where one can start: after an operator, a bracket, a comma or `return`.
  const token =
    /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<before>(?:^|[=(,:;!&|?{}[\n]|return|=>)[ \t]*)(?<regex>\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*)|(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|(?<template>`(?:\\[\s\S]|[^`\\])*`)/g;
  return text.replace(token, (match: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<'comment' | 'before' | 'regex' | 'string' | 'template', string | undefined>;
    if (groups.comment !== undefined) return blank(match);
    if (groups.regex !== undefined) return groups.before + (keepStrings ? groups.regex : '/./');
    if (keepStrings) return match;
    if (groups.string !== undefined) return "''";
    // What a template computes is code.
    return `\`${[...match.matchAll(/\$\{([^}]*)\}/g)].map((hole) => `\${${hole[1]}}`).join('')}${'\n'.repeat(match.split('\n').length - 1)}\``;
  });
}

/** Every static, dynamic and re-exporting import, `import type` included. */
export function importsOf({ path, text }: Source): Import[] {
  const code = codeOf(text, { keepStrings: true });
  const found = [
    ...code.matchAll(/(?:^|[\n;}])\s*(?:import|export)\b(?:[^'";]*?\bfrom)?\s*(['"])(?<specifier>[^'"\n]+)\1/g),
    ...code.matchAll(/\bimport\s*\(\s*(['"])(?<specifier>[^'"\n]+)\1/g),
  ];
  return found.map(({ groups }) => {
    const specifier = groups!['specifier']!;
    return { specifier, target: specifier.startsWith('.') ? resolve(path, specifier) : undefined };
  });
}

/** The 1-based line of an index of a text. */
export const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

const blank = (text: string): string => '\n'.repeat(text.split('\n').length - 1) || ' ';

function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
