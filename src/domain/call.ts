/** A call on demand as pure functions: who may start it, whether it rings, how long it is open (T02, T03, R01, R03, F02). */
import type { Language } from './important-notes.ts';
import type { Invitation } from './invitation.ts';
import type { Policy } from './policy.ts';
import { MINUTE, plus } from './time.ts';

export const CALL_STATES = ['ringing', 'accepted', 'declined', 'withdrawn', 'expired'] as const;
export type CallState = (typeof CALL_STATES)[number];

export const CALL_SIDES = ['customer', 'professional'] as const;
export type CallSide = (typeof CALL_SIDES)[number];

/** Longer than a vendor may take to make the meeting: three tries of 15 seconds. */
export const ANSWERING_MS = MINUTE;
/** Of a call for which neither the request nor the professional says a length: fits into every free plan. */
export const DEFAULT_CALL_MINUTES = 30;

export const mayStart = ({ calls: { initiator } }: Policy, side: CallSide): boolean => initiator === 'either' || initiator === side;

export type NoReception = 'busy' | 'away' | 'unknown' | 'no_video' | 'outside_hours';

/**
 * Whether a call rings at the professional, is counted only, or is refused. Who calls is there: only a customer's call depends on the presence.
 * `outside`: it is none of the hours that the professional has given (T01); whoever is available then, is there all the same.
 */
export function receptionOf(
  { calls }: Policy,
  { initiator, video }: { initiator: CallSide; video: boolean },
  { status, video: hasVideo, outside }: { status: string; video: boolean; outside: boolean },
): 'rings' | 'counted' | NoReception {
  if (initiator === 'professional') return 'rings';
  if (outside && status !== 'available' && status !== 'busy') return 'outside_hours';
  switch (status) {
    case 'available':
    case 'away':
      if (status === 'away' && calls.away === 'refuse') return 'away';
      if (video && !hasVideo) return 'no_video';
      return status === 'available' ? 'rings' : 'counted';
    case 'busy':
      return 'busy';
    default:
      return calls.presence === 'required' ? 'unknown' : 'rings';
  }
}

interface Ringing {
  readonly state: string;
  readonly acceptBy: Date;
  /** While it rings: since when somebody is answering it, that is, its meeting is being made. */
  readonly answeredAt: Date | null;
}

/** The moment of the answer counts, not how long the vendor takes: an answer in time keeps the call open for as long as the vendor may take. */
export const openUntil = (call: Ringing): Date =>
  isBeingAnswered(call, call.acceptBy) ? plus(call.answeredAt!, ANSWERING_MS) : call.acceptBy;

export const isBeingAnswered = ({ answeredAt }: Ringing, now: Date): boolean => answeredAt !== null && now < plus(answeredAt, ANSWERING_MS);

export const isOpen = (call: Ringing, now: Date): boolean => call.state === 'ringing' && now < openUntil(call);

/** What the meeting is called when the marketplace names no booking. */
export const callTitle = (language: Language): string => WORDS[language].title;

/** To answer a call that rings, ready for a conversation (F05). `url`: the page of who is called. */
export function callInvitation(language: Language, { title, url }: { title: string; url: string }): Invitation {
  const words = WORDS[language];
  // A line break in a title could pretend to be a line of ours.
  const line = title.replaceAll(/\s+/g, ' ').trim();
  return { title: words.called(line), text: [words.called(line), words.answer(url)].join('\n'), url };
}

interface Words {
  readonly title: string;
  readonly called: (title: string) => string;
  readonly answer: (url: string) => string;
}

const WORDS: Record<Language, Words> = {
  en: { title: 'Video call', called: (title) => `You are being called: ${title}`, answer: (url) => `Answer from here: ${url}` },
  de: { title: 'Videoanruf', called: (title) => `Du wirst angerufen: ${title}`, answer: (url) => `Hier nimmst du an: ${url}` },
  ru: { title: 'Видеозвонок', called: (title) => `Вам звонят: ${title}`, answer: (url) => `Ответить отсюда: ${url}` },
  bg: { title: 'Видео разговор', called: (title) => `Търсят ви: ${title}`, answer: (url) => `Отговорете оттук: ${url}` },
};
