/**
 * JSON of which every value has one spelling: names in order of their UTF-16 code units, no spaces. The JSON Canonicalization Scheme (RFC
 * 8785) of everything whose names are words; names that are whole numbers would stand first here.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));

/** The same value with the names of all its objects in order, as far as JSON can say it. */
function sorted(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) as unknown;
}
