/** What a professional's pages say while the marketplace gives them no new meetings (C01). */
import type { Regarded } from '../../../domain/standing.ts';
import { type Language, translator } from '../texts/index.ts';
import { dateTime } from './format.ts';
import { type MaybeHtml, notice } from './layout.ts';

/** Nothing for a standing that keeps nobody from working. */
export function standingNotice(language: Language, { standing, until }: Regarded, timeZone: string): MaybeHtml {
  const t = translator(language);
  if (standing === 'terminated') return notice('bad', t('standing.terminatedTitle'), t('standing.terminatedText'));
  if (standing !== 'suspended' || until === null) return '';
  const time = `${dateTime(language, until, timeZone)} (${timeZone})`;
  return notice('bad', t('standing.suspendedTitle'), t('standing.suspendedText', { time }));
}
