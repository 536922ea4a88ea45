/** Links that somebody pasted: what a browser would make of them has to be what a person reads. */

/** Why a link is refused before anybody looks where it leads. */
export type PlainLinkRefusal = keyof typeof PLAIN_LINK_REFUSALS;

export const PLAIN_LINK_REFUSALS = {
  not_a_url: 'The link is not a complete URL.',
  too_long: 'The link is too long.',
  hidden_characters: 'The link contains spaces, line breaks or invisible characters.',
  not_https: 'The link has to begin with https://.',
  credentials: 'The link may not carry a user name or a password.',
  port: 'The link may not name a port.',
  host_not_plain: 'The host of the link has to be spelled plainly, in lower-case Latin letters.',
} as const;

/** Chosen; the longest join links known, Teams with its context, have about 400 characters. */
export const MOST_LINK_CHARACTERS = 2_048;

/** An https URL whose host is spelled as it is; the path is not looked at. */
export function readPlainLink(text: string): URL | PlainLinkRefusal {
  if (text.length > MOST_LINK_CHARACTERS) return 'too_long';
  if (/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\s]/u.test(text)) return 'hidden_characters';
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1];
  if (scheme === undefined) return 'not_a_url';
  if (scheme.toLowerCase() !== 'https') return 'not_https';
  const authority = /^https:\/\/([^/?#]+)/i.exec(text)?.[1];
  if (authority === undefined) return 'not_a_url';
  if (authority.includes('@')) return 'credentials';
  if (/^[^[\]]*:/.test(authority)) return 'port';
  // Upper case, punycode, other scripts, percent signs, a trailing dot: how look-alikes are made.
  if (scheme !== 'https' || !/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(authority) || /(?:^|\.)xn--/.test(authority)) return 'host_not_plain';
  if (!URL.canParse(text)) return 'not_a_url';
  const url = new URL(text);
  return url.hostname === authority ? url : 'host_not_plain';
}
