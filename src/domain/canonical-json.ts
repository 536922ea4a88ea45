/**
 * JSON of which every value has one spelling: names in order of their UTF-16 code units, no spaces. The JSON Canonicalization Scheme (RFC
 * 8785) of everything whose names are words; names that are whole numbers would stand first here.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(JSON.parse(JSON.stringify(value))));

/** The same value with the names of all its objects in order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
