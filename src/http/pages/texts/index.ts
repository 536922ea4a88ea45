/** The languages of the pages. */
import { type Language, languageOf } from '../../../domain/important-notes.ts';

export { type Language, LANGUAGES } from '../../../domain/important-notes.ts';
export type { Key, Texts } from './keys.ts';
export { TEXTS, type Translate, translator } from './translate.ts';

/** The person's stored locale, else what the browser prefers, else English. */
export function chooseLanguage(locale: string | undefined, acceptLanguage: string | undefined): Language {
  return (
    languageOf(locale) ??
    preferred(acceptLanguage ?? '')
      .map(languageOf)
      .find(Boolean) ??
    'en'
  );
}

/** The tags of an Accept-Language header, best first; equal weights keep their order. */
function preferred(header: string): string[] {
  return header
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return { tag, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}
