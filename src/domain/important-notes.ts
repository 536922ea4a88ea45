/** The ready text for the "Important Notes" of a booking, and the languages that customers are addressed in. */
import { amount } from './spoken-time.ts';

export const LANGUAGES = ['en', 'de', 'ru', 'bg'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language of a BCP 47 tag (`de-AT`, `ru_RU`); undefined for one that we do not speak. */
export function languageOf(locale: string | undefined): Language | undefined {
  const primary = locale?.trim().toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.find((language) => language === primary);
}

export interface ImportantNotes {
  /** The name of the app, as people know it: `Google Meet`. */
  readonly app: string;
  /** The limit of the plan; null when none is known. */
  readonly limitMinutes: number | null;
  /** The vendor's help page for participants. */
  readonly guideUrl: string | null;
}

/** A few plain-text sentences, one in each line. */
export function importantNotes(language: Language, { app, limitMinutes, guideUrl }: ImportantNotes): string {
  const words = WORDS[language];
  const lines = [words.app(app), words.device];
  if (limitMinutes !== null) lines.push(words.limit(app, amount(language, limitMinutes, 'minute')));
  if (guideUrl !== null) lines.push(words.guide(guideUrl));
  return lines.join('\n');
}

interface Words {
  readonly app: (app: string) => string;
  readonly device: string;
  readonly limit: (app: string, duration: string) => string;
  readonly guide: (url: string) => string;
}

const WORDS: Record<Language, Words> = {
  en: {
    app: (app) => `The meeting takes place in ${app}.`,
    device: 'You need a stable internet connection and a suitable device until the end.',
    limit: (app, duration) => `The free plan of ${app} ends a meeting after ${duration}.`,
    guide: (url) => `How to join: ${url}`,
  },
  de: {
    app: (app) => `Das Meeting findet in ${app} statt.`,
    device: 'Du brauchst bis zum Ende eine stabile Internetverbindung und ein passendes Gerät.',
    limit: (app, duration) => `Der kostenlose Tarif von ${app} beendet ein Meeting nach ${duration}.`,
    guide: (url) => `So nimmst du teil: ${url}`,
  },
  ru: {
    app: (app) => `Встреча проходит в ${app}.`,
    device: 'До самого конца нужны надёжный интернет и подходящее устройство.',
    limit: (app, duration) => `Предел одной встречи на бесплатном тарифе ${app}: ${duration}.`,
    guide: (url) => `Как войти: ${url}`,
  },
  bg: {
    app: (app) => `Срещата се провежда в ${app}.`,
    device: 'До края ви трябват стабилен интернет и подходящо устройство.',
    limit: (app, duration) => `Безплатният план на ${app} прекратява среща след ${duration}.`,
    guide: (url) => `Как да влезете: ${url}`,
  },
};
