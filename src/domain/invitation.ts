/** The invitation to a call, ready to be put into a conversation (F05). */
import type { Language } from './important-notes.ts';
import { endsAt } from './meeting.ts';
import { dateTimeRange, zoneName } from './spoken-time.ts';

export interface InvitedMeeting {
  readonly title: string;
  /** The name of the app, as people know it: `Google Meet` (G09). */
  readonly app: string;
  readonly startsAt: Date;
  /** IANA name. */
  readonly timeZone: string;
  readonly durationMinutes: number;
  /** The join page of the customer who is invited; never the vendor's link (C03). */
  readonly joinUrl: string;
}

export interface Invitation {
  readonly title: string;
  /** A few plain-text lines that end with the link. */
  readonly text: string;
  readonly url: string;
}

export function invitation(language: Language, meeting: InvitedMeeting): Invitation {
  const { app, startsAt, timeZone, joinUrl } = meeting;
  const words = WORDS[language];
  // A line break in a title could pretend to be a line of ours.
  const title = meeting.title.replaceAll(/\s+/g, ' ').trim();
  const when = dateTimeRange(language, startsAt, endsAt(meeting), timeZone);
  return {
    title: words.title(title),
    text: [words.about(title, app), `${when}, ${zoneName(language, startsAt, timeZone)}`, words.join(joinUrl)].join('\n'),
    url: joinUrl,
  };
}

interface Words {
  readonly title: (title: string) => string;
  readonly about: (title: string, app: string) => string;
  readonly join: (url: string) => string;
}

const WORDS: Record<Language, Words> = {
  en: {
    title: (title) => `Invitation: ${title}`,
    about: (title, app) => `You are invited to “${title}” in ${app}.`,
    join: (url) => `Join from here: ${url}`,
  },
  de: {
    title: (title) => `Einladung: ${title}`,
    about: (title, app) => `Du bist eingeladen: „${title}“ in ${app}.`,
    join: (url) => `Hier nimmst du teil: ${url}`,
  },
  ru: {
    title: (title) => `Приглашение: ${title}`,
    about: (title, app) => `Вас приглашают на встречу «${title}» в ${app}.`,
    join: (url) => `Войти отсюда: ${url}`,
  },
  bg: {
    title: (title) => `Покана: ${title}`,
    about: (title, app) => `Поканени сте на „${title}“ в ${app}.`,
    join: (url) => `Влезте оттук: ${url}`,
  },
};
