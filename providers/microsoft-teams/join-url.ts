import { APPS } from '../approved.ts';

/** A vendor's answer is checked like everybody else's link, by its host only: Microsoft changes the paths, and customers are sent there. */
export function isTeamsJoinUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.port !== '') return false;
  return APPS['microsoft-teams'].joinHosts.includes(url.hostname);
}
