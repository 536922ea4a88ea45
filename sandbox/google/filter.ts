/** The part of Google's list filters (https://google.aip.dev/160) that Meet documents: comparisons joined by AND. */
export type Comparable = Readonly<Record<string, string | undefined>>;

/** Undefined for a filter that Meet would refuse. Moments are ISO texts in UTC, so text order is time order. */
export function readFilter(text: string | undefined, fields: readonly string[]): ((candidate: Comparable) => boolean) | undefined {
  const clauses = (text ?? '').split(/\s+AND\s+/i).filter((clause) => clause.trim() !== '');
  const checks: ((candidate: Comparable) => boolean)[] = [];
  for (const clause of clauses) {
    const check = readClause(clause.trim(), fields);
    if (!check) return undefined;
    checks.push(check);
  }
  return (candidate) => checks.every((check) => check(candidate));
}

function readClause(clause: string, fields: readonly string[]): ((candidate: Comparable) => boolean) | undefined {
  const nothing = /^([\w.]+)\s+IS\s+NULL$/i.exec(clause)?.[1];
  if (nothing !== undefined) return fields.includes(nothing) ? (candidate) => candidate[nothing] === undefined : undefined;
  const [, field = '', operator = '', quoted, bare] = /^([\w.]+)\s*(>=|<=|=|>|<)\s*(?:"([^"]*)"|(\S+))$/.exec(clause) ?? [];
  if (!fields.includes(field)) return undefined;
  const given = quoted ?? bare ?? '';
  const wanted = field.endsWith('_time') && !Number.isNaN(Date.parse(given)) ? new Date(given).toISOString() : given;
  return (candidate) => {
    const value = candidate[field];
    if (value === undefined) return false;
    const order = value < wanted ? -1 : Number(value > wanted);
    return { '=': order === 0, '>': order > 0, '<': order < 0, '>=': order >= 0, '<=': order <= 0 }[operator] ?? false;
  };
}
