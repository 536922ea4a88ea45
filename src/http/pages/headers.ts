/** What every page for people is sent with. */
export interface PageHeaderOptions {
  /** True when the public URL is https. */
  readonly secure: boolean;
  /**
   * Where the forms of this page may lead besides the gateway itself: `https://zoom.us`, `https://*.zoom.us`. Chromium
   * applies `form-action` to every redirect that follows a form, an organisation's own sign-in included: `https:` where that may happen.
   */
  readonly formTargets?: readonly string[];
}

/** A scheme and a host, or `https:` for all of them; nothing else can get into the policy. */
const TARGET = /^https:$|^https?:\/\/(\*\.)?[a-z0-9.-]+(:\d{1,5})?$|^https?:\/\/\[[0-9a-f:]+\](:\d{1,5})?$/;
/** ASVS 5.0, 3.4.1: at least one year. */
const HSTS_SECONDS = 31_536_000;

/** The same object for the same options, which come from the configuration: there are few, and every page needs them. */
export function pageHeaders({ secure, formTargets = [] }: PageHeaderOptions): Readonly<Record<string, string>> {
  const key = [secure, ...formTargets].join(' ');
  const headers = known.get(key) ?? headersFor({ secure, formTargets });
  known.set(key, headers);
  return headers;
}

const known = new Map<string, Readonly<Record<string, string>>>();

function headersFor({ secure, formTargets }: Required<PageHeaderOptions>): Readonly<Record<string, string>> {
  const wrong = formTargets.find((target) => !TARGET.test(target));
  if (wrong !== undefined) throw new Error(`Not an origin that a form may lead to: ${wrong}`);
  const policy = [
    `default-src 'none'`,
    `style-src 'self'`,
    `script-src 'self'`,
    `img-src 'self' data:`,
    `media-src 'self'`,
    // The page of a meeting listens to its stream, and is fetched again when something has changed.
    `connect-src 'self'`,
    ['form-action', `'self'`, ...formTargets].join(' '),
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ];
  return {
    'content-security-policy': policy.join('; '),
    // What `frame-ancestors` says, for browsers that do not know it.
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-robots-tag': 'noindex',
    ...(secure ? { 'strict-transport-security': `max-age=${HSTS_SECONDS}` } : {}),
  };
}

/** For the stylesheet and the script: their paths change with their content. */
export const assetHeaders = (contentType: string): Record<string, string> => ({
  'content-type': contentType,
  'cache-control': 'public, max-age=31536000, immutable',
  'x-content-type-options': 'nosniff',
});
