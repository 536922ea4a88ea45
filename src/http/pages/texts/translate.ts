/** The texts of one language, by i18next: keys, places to fill in, plural forms by the rules of the language. */
import { createInstance } from 'i18next';
import { LANGUAGES, type Language } from '../../../domain/important-notes.ts';
import { bg } from './bg.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import type { Key, Texts, Values } from './keys.ts';
import { ru } from './ru.ts';

/** A text by its key. The result is plain text: the page escapes it. A wrong key or a place left empty does not compile. */
export type Translate = <K extends Key>(key: K, ...values: Values<K>) => string;

export const TEXTS: Readonly<Record<Language, Texts>> = { en, de, ru, bg };

export const translator = (language: Language): Translate => TRANSLATORS[language];

// An instance of our own instead of the package's global one. The texts are in memory, so it is ready at once.
const i18n = createInstance();
void i18n.init({
  resources: Object.fromEntries(LANGUAGES.map((language) => [language, { translation: TEXTS[language] }])),
  supportedLngs: LANGUAGES,
  fallbackLng: false,
  initAsync: false,
  nsSeparator: false,
  // Templates escape every value; a second time would show `&amp;`.
  interpolation: { escapeValue: false, skipOnVariables: true },
});

const TRANSLATORS = Object.fromEntries(LANGUAGES.map((language) => [language, ofLanguage(language)])) as Record<Language, Translate>;

function ofLanguage(language: Language): Translate {
  const find = i18n.getFixedT(language);
  // A look-up takes tens of microseconds, and most texts have nothing to fill in.
  const fixed = new Map<string, string>();
  return (key, ...[values]) => {
    if (values !== undefined) return find(key, { ...(values as object), nest: false });
    const text = fixed.get(key) ?? find(key, { nest: false });
    fixed.set(key, text);
    return text;
  };
}
