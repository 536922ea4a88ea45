/** The approved-app whitelist (G01): what each app is called, where its join links live, where its help pages are (G19). */
import type { ProviderId } from '../src/domain/apps.ts';
import { Failure } from '../src/domain/failure.ts';
import { PLAIN_LINK_REFUSALS, readPlainLink } from '../src/domain/plain-link.ts';

export interface App {
  readonly id: ProviderId;
  readonly name: string;
  readonly guides: { readonly participant: string; readonly host: string };
  /** A leading `*.` stands for exactly one label. */
  readonly joinHosts: readonly string[];
  readonly features: readonly string[];
}

export const APPS: Readonly<Record<ProviderId, App>> = {
  zoom: {
    id: 'zoom',
    name: 'Zoom',
    guides: { participant: 'https://support.zoom.com/hc/en', host: 'https://support.zoom.com/hc/en' },
    // `zoom.com` is Zoom's own and carries real join links (MeetingBar issue 652, pull request 657). Not here, because others run
    // them: `zoom.com.cn` (partners only since August 2020) and `zoom-x.de` (Deutsche Telekom).
    joinHosts: ['zoom.us', '*.zoom.us', 'zoom.com', '*.zoom.com', 'zoomgov.com', '*.zoomgov.com'],
    features: ['create', 'change', 'cancel', 'end', 'live_events', 'recordings'],
  },
  'microsoft-teams': {
    id: 'microsoft-teams',
    name: 'Microsoft Teams',
    guides: { participant: 'https://support.microsoft.com/teams', host: 'https://support.microsoft.com/teams' },
    // Exact hosts: below `teams.microsoft.com` live dial-in pages and other services, too. The last one is China's own cloud.
    joinHosts: [
      'teams.microsoft.com',
      'teams.live.com',
      'teams.cloud.microsoft',
      'gov.teams.microsoft.us',
      'dod.teams.microsoft.us',
      'teams.microsoftonline.cn',
    ],
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

export interface JoinLink {
  readonly provider: ProviderId;
  /** As it was given, without what only the vendor's own pages add: Meet's query (it can name an account), Zoom's `#success`. */
  readonly url: string;
  /** Equal for every spelling of the same meeting; see `linkIdentity`. */
  readonly identity: string;
}

/** Why a link is refused; the member `reason` of the failure. */
export type LinkRefusal = keyof typeof REFUSALS;

const REFUSALS = {
  ...PLAIN_LINK_REFUSALS,
  not_approved_app: 'The link does not belong to an approved app',
  redirector: 'The link leads to its target by a detour. Use the join link of the invitation itself.',
  path_not_plain: 'The link has to be spelled as the app gave it, without other encodings or path tricks.',
  fragment: 'The link may not carry a part behind #.',
  host_link: 'This link starts the meeting as its host. Use the link for participants.',
  not_a_join_link: 'This is not a join link.',
} as const;

/**
 * The approved app behind a join link that somebody pasted.
 * @throws Failure `join_url_invalid` (not an https join link), `app_not_approved` (carries the approved apps); both with a `reason`
 */
export function classifyJoinUrl(text: string, approved: readonly ProviderId[]): JoinLink {
  const { app, url } = checkApprovedHost(text, approved);
  // What a parser would repair in silence (dot segments, backslashes, other scripts) is refused; a missing path is told apart below.
  if (url.href !== text && url.href !== text.replace(url.origin, `${url.origin}/`)) throw refusal('path_not_plain');
  if (/%(?!3a|40)|\/\//i.test(url.pathname)) throw refusal('path_not_plain');
  const verdict = GRAMMARS[app.id](url.hostname, readablePath(url));
  if (typeof verdict === 'string') throw refusal(verdict);
  const detour = queryRefusal(app.id, url);
  if (detour !== undefined) throw refusal(detour);
  // Zoom's page appends `#success` to the address bar, from where people copy.
  if (text.includes('#') && !(app.id === 'zoom' && url.hash === '#success')) throw refusal('fragment');
  const { identity } = verdict;
  const clean =
    app.id === 'google-meet' ? `https://meet.google.com/${identity.slice('google-meet/'.length)}` : text.replace('#success', '');
  return { provider: app.id, url: clean, identity };
}

/**
 * The approved app whose host a plainly spelled https link has; the path is not looked at. For links that a vendor's API made.
 * @throws Failure as `classifyJoinUrl`
 */
export function checkApprovedHost(text: string, approved: readonly ProviderId[]): { readonly app: App; readonly url: URL } {
  const url = plainUrl(text);
  const app = appOf(url.hostname);
  if (app !== undefined && approved.includes(app.id)) return { app, url };
  const approvedApps = approved.filter((id) => Object.hasOwn(APPS, id));
  const reason: LinkRefusal = app === undefined && isRedirector(url) ? 'redirector' : 'not_approved_app';
  throw new Failure('app_not_approved', `${REFUSALS.not_approved_app} (${approvedApps.map((id) => APPS[id].name).join(', ')}).`, {
    extra: { reason, approved_apps: approvedApps },
  });
}

/**
 * What a vendor knows the meeting by, equal for every spelling of a link, whoever made it (G05): the number, thread or code. The host
 * in front (vanity, cluster, cloud) and the passcode do not count, upper and lower case neither. Two kinds of link to one meeting that
 * only the vendor can connect stay different: Teams' thread and number, Zoom's personal name and number.
 */
export function linkIdentity(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  const app = appOf(url.hostname);
  const verdict = app && GRAMMARS[app.id](url.hostname, readablePath(url));
  // A form that we do not know yet: every part may be what names the meeting.
  return typeof verdict === 'object' ? verdict.identity : `${url.host}${url.pathname}${url.search}`;
}

const refusal = (reason: LinkRefusal): Failure => new Failure('join_url_invalid', REFUSALS[reason], { extra: { reason } });

function plainUrl(text: string): URL {
  const url = readPlainLink(text);
  if (typeof url === 'string') throw refusal(url);
  return url;
}

const appOf = (host: string): App | undefined =>
  Object.values(APPS).find(({ joinHosts }) =>
    joinHosts.some((pattern) => host === pattern || (pattern.startsWith('*.') && host.slice(host.indexOf('.')) === pattern.slice(1))),
  );

/** Without a trailing slash, and with the two signs decoded that Teams spells both ways. */
const readablePath = ({ pathname }: URL): string => pathname.replaceAll(/%3a/gi, ':').replaceAll('%40', '@').replace(/\/$/, '');

type Verdict = { readonly identity: string } | LinkRefusal;

const GRAMMARS: Readonly<Record<ProviderId, (host: string, path: string) => Verdict>> = {
  zoom: (host, path) => {
    if (ZOOM_SERVICES.has(host.split('.')[0]!)) return 'not_a_join_link';
    // The government's cloud counts its meetings for itself.
    const cloud = host.endsWith('zoomgov.com') ? 'zoomgov' : 'zoom';
    // Meeting numbers have 9 to 11 digits today; webinars (`/w/`) share them.
    const number = /^\/(?:j|w|wc\/join)\/([1-9]\d{8,11})$/.exec(path)?.[1] ?? /^\/wc\/([1-9]\d{8,11})\/join$/.exec(path)?.[1];
    if (number !== undefined) return { identity: `${cloud}/${number}` };
    const name = /^\/my\/([a-z][a-z0-9.]{2,39})$/i.exec(path)?.[1];
    if (name !== undefined) return { identity: `${cloud}/my/${name.toLowerCase()}` };
    if (/^\/(?:s|start)\/|^\/wc\/(?:start\/\d+|\d+\/start)$/.test(path)) return 'host_link';
    return /^\/redirect(?:\/|$)/.test(path) ? 'redirector' : 'not_a_join_link';
  },
  'microsoft-teams': (_host, path) => {
    const [, thread, message] = /^\/l\/meetup-join\/(19:[\w:.=+-]{1,200}@thread\.(?:v2|tacv2|skype))(?:\/(\d{1,20}))?$/.exec(path) ?? [];
    if (thread !== undefined) {
      // A scheduled meeting has its own thread; in a channel's thread the first message tells the meetings apart.
      const own = /^19:(?:\w+:)?meeting_/.test(thread);
      return { identity: `microsoft-teams/${thread.toLowerCase()}${own ? '' : `/${BigInt(message ?? 0)}`}` };
    }
    const number = /^\/meet\/(\d{9,16})$/.exec(path)?.[1];
    if (number !== undefined) return { identity: `microsoft-teams/meet/${number}` };
    // The launcher and the web client carry the real link in a parameter or fragment. It is not taken out: one grammar, not two.
    return /^\/(?:dl\/launcher|v2|_|light-meetings)(?:\/|$)/.test(path) ? 'redirector' : 'not_a_join_link';
  },
  'google-meet': (_host, path) => {
    // "Non-case sensitive" (Meet API, spaces.get).
    const code = /^\/([a-z]{3}-[a-z]{4}-[a-z]{3})$/i.exec(path)?.[1];
    if (code !== undefined) return { identity: `google-meet/${code.toLowerCase()}` };
    return /^\/linkredirect(?:\/|$)/.test(path) ? 'redirector' : 'not_a_join_link';
  },
};

/** Hosts of Zoom that run forums, help desks and shops, some of them other companies' software. */
const ZOOM_SERVICES: ReadonlySet<string> = new Set([
  'api',
  'blog',
  'click',
  'community',
  'developers',
  'devforum',
  'devsupport',
  'explore',
  'marketplace',
  'status',
  'support',
]);

/** They answer with a redirect to whatever they are told: the reason only, none of them is approved. */
const REDIRECTOR_HOSTS =
  /(?:^|\.)(?:safelinks\.protection\.outlook\.com|statics\.teams\.cdn\.office\.net|urldefense(?:\.proofpoint)?\.com|linkprotect\.cudasvc\.com|l\.facebook\.com|bit\.ly|t\.co|g\.co|goo\.gl|lnkd\.in|tinyurl\.com|aka\.ms|is\.gd|ow\.ly|cutt\.ly|rebrand\.ly)$/;

const isRedirector = ({ hostname, pathname }: URL): boolean =>
  REDIRECTOR_HOSTS.test(hostname) || (/^(?:www\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?$/.test(hostname) && pathname === '/url');

const REDIRECT_NAME =
  /^(?:url|u|uri|dest|destination|redir|redirect|redirecturi|redirecturl|redirectto|return|returnto|returnurl|next|continue|goto|target|out|link|callback|callbackurl|relaystate|forward)$/;
/** Passcodes and tokens; they are base64 at times and may look like the beginning of an address. */
const SECRETS: ReadonlySet<string> = new Set(['pwd', 'p', 'tk']);

/** A parameter that leads elsewhere, or makes a host of who follows it. */
function queryRefusal(provider: ProviderId, { search }: URL): LinkRefusal | undefined {
  for (const parameter of search.slice(1).split('&')) {
    const at = parameter.indexOf('=');
    const name = decoded(at < 0 ? parameter : parameter.slice(0, at))?.toLowerCase();
    const value = decoded(at < 0 ? '' : parameter.slice(at + 1));
    if (name === undefined || value === undefined) return 'path_not_plain';
    if (/[\p{C}\p{Default_Ignorable_Code_Point}]/u.test(name + value)) return 'hidden_characters';
    if (provider === 'zoom' && name === 'zak') return 'host_link';
    if (REDIRECT_NAME.test(name.replaceAll(/[_-]/g, ''))) return 'redirector';
    if (!SECRETS.has(name) && /[a-z][a-z0-9+.-]*:[/\\]{2}|^\s*(?:[/\\]{2}|(?:https?|javascript|data|vbscript):)/i.test(value))
      return 'redirector';
  }
  return undefined;
}

/** Decoded again and again, as a chain of pages would; undefined when it is broken, or wrapped more than three times. */
function decoded(text: string): string | undefined {
  let current = text;
  for (let round = 0; round < 4; round += 1) {
    try {
      const next = decodeURIComponent(current);
      if (next === current) return current;
      current = next;
    } catch {
      return round === 0 ? undefined : current;
    }
  }
  return undefined;
}
