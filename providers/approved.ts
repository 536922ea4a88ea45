/** The approved-app whitelist (G01): what each app is called, where its join links live, where its help pages are (G19). */
import type { ProviderId } from '../src/domain/apps.ts';
import { Failure } from '../src/domain/failure.ts';

export interface App {
  readonly id: ProviderId;
  readonly name: string;
  readonly guides: { readonly participant: string; readonly host: string };
  /** A leading `*.` stands for one or more labels. */
  readonly joinHosts: readonly string[];
  readonly features: readonly string[];
}

export const APPS: Readonly<Record<ProviderId, App>> = {
  zoom: {
    id: 'zoom',
    name: 'Zoom',
    guides: { participant: 'https://support.zoom.com/hc/en', host: 'https://support.zoom.com/hc/en' },
    joinHosts: ['zoom.us', '*.zoom.us', 'zoomgov.com', '*.zoomgov.com'],
    features: ['create', 'change', 'cancel', 'end', 'live_events', 'recordings'],
  },
  'microsoft-teams': {
    id: 'microsoft-teams',
    name: 'Microsoft Teams',
    guides: { participant: 'https://support.microsoft.com/teams', host: 'https://support.microsoft.com/teams' },
    joinHosts: ['teams.microsoft.com', 'teams.live.com', 'teams.cloud.microsoft', 'gov.teams.microsoft.us', 'dod.teams.microsoft.us'],
    features: ['create', 'change', 'cancel', 'recordings'],
  },
  'google-meet': {
    id: 'google-meet',
    name: 'Google Meet',
    guides: { participant: 'https://support.google.com/meet', host: 'https://support.google.com/meet' },
    joinHosts: ['meet.google.com'],
    features: ['create', 'change', 'cancel', 'end', 'live_events', 'recordings'],
  },
};

const JOIN_PATHS: Readonly<Record<ProviderId, RegExp>> = {
  zoom: /^\/(?:j|w|s)\/\d{9,12}$|^\/my\/[A-Za-z0-9.]{3,40}$/,
  'microsoft-teams': /^\/l\/meetup-join\/[^/]+(?:\/[^/]+)?$|^\/meet\/\d{9,16}$/,
  'google-meet': /^\/[a-z]{3}-[a-z]{4}-[a-z]{3}$/,
};

export interface JoinLink {
  readonly provider: ProviderId;
  readonly url: string;
  /** Equal for every spelling of the same meeting: host, path, no query. */
  readonly identity: string;
}

/**
 * The approved app behind a join link.
 * @throws Failure `join_url_invalid` (not an https join link), `app_not_approved` (carries the approved apps)
 */
export function classifyJoinUrl(text: string, approved: readonly ProviderId[]): JoinLink {
  // Anything that a URL parser would repair in silence (tabs, backslashes, spaces) is refused before it can.
  if (!/^https:\/\/[\x21-\x5b\x5d-\x7e]+$/.test(text) || text.length > 2_048) throw invalid('The link has to be a plain https URL.');
  if (!URL.canParse(text)) throw invalid('The link is not a URL.');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.port !== '')
    throw invalid('The link may not carry a user name, a password or a port.');
  // A host that needs normalizing (upper case, punycode, percent signs) is how look-alikes are made.
  if (!text.startsWith(`https://${url.hostname}/`)) throw invalid('The host of the link is not spelled plainly.');
  const app = Object.values(APPS).find(({ joinHosts }) => joinHosts.some((pattern) => matches(url.hostname, pattern)));
  if (app === undefined || !approved.includes(app.id)) {
    throw new Failure(
      'app_not_approved',
      `The link does not belong to an approved app (${approved.map((id) => APPS[id].name).join(', ')}).`,
      {
        extra: { approved_apps: approved },
      },
    );
  }
  const path = url.pathname.replace(/\/$/, '');
  if (!JOIN_PATHS[app.id].test(path)) throw invalid(`This is not a join link of ${app.name}.`);
  return { provider: app.id, url: text, identity: `${url.hostname}${path.toLowerCase()}` };
}

const invalid = (detail: string): Failure => new Failure('join_url_invalid', detail);

const matches = (host: string, pattern: string): boolean => (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern);
