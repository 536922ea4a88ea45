/** Reads what a page offers, as a browser would. */

export const CONSENT_VERSION_PATTERN = /^[A-Za-z0-9_-]{2,100}$/;

/** The hidden fields of the form that asks for the consent. */
export function consentFormOf(page: string): Record<string, string> {
  const [, form] = /<form[^>]*action="[^"]*\/consent"[^>]*>(.*?)<\/form>/s.exec(page) ?? [];
  if (form === undefined) throw new Error('The page asks for no consent.');
  const fields = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(
    ([input]) => [attribute(input, 'name'), attribute(input, 'value')] as const,
  );
  return Object.fromEntries(fields);
}

const attribute = (tag: string, name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
