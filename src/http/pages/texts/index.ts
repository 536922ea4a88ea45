/** The languages of the pages. */
import { type Language, languageOf } from '../../../domain/important-notes.ts';
import { bg } from './bg.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { ru } from './ru.ts';

export { type Language, LANGUAGES } from '../../../domain/important-notes.ts';
export type Texts = typeof en;

const TEXTS: Record<Language, Texts> = { en, de, ru, bg };

export const textsFor = (language: Language): Texts => TEXTS[language];

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

/** Puts values into the `{places}` of a text. The result is plain text: the page escapes it. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
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
