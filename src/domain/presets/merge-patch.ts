/** JSON merge patches (RFC 7396): lists are values, null removes a member. */

type JsonObject = Readonly<Record<string, unknown>>;

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map<string, unknown>(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** The smallest patch that leads from `before` to `after`, which have the same members. */
export function difference(before: JsonObject, after: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(after).flatMap(([key, value]): [string, unknown][] => {
      const old = before[key];
      if (!isObject(value) || !isObject(old)) return JSON.stringify(old) === JSON.stringify(value) ? [] : [[key, value]];
      const inside = difference(old, value);
      return Object.keys(inside).length === 0 ? [] : [[key, inside]];
    }),
  );
}

/** The JSON pointers (RFC 6901) of the values that a patch sets. Its names have no character to escape. */
export const pointersOf = (patch: JsonObject, base = ''): string[] =>
  Object.entries(patch).flatMap(([key, value]) => (isObject(value) ? pointersOf(value, `${base}/${key}`) : [`${base}/${key}`]));

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
