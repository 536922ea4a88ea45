/** Where events may be sent: public https addresses only, checked at the moment of the connection (SSRF). */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Failure } from '../domain/failure.ts';

/** Chosen; real ones have about 100 characters. */
const MOST_TARGET_CHARACTERS = 1_000;
/** Where system services listen (RFC 6335); of these, https alone is what an event may be sent to. */
const LAST_SYSTEM_PORT = 1_023;
/** Azure's wire server: unicast by its class, never a marketplace. The other clouds' metadata addresses are link-local or private. */
const METADATA = new Set(['168.63.129.16']);
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/** A DNS64 puts the IPv4 address of a name without an IPv6 one into its last 32 bits (RFC 6052, 6147). */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
/** Ends of names that are never public: special use (RFC 6761, 6762, 7686, 8375, 9476), reserved by ICANN, and habits of internal networks. */
const CLOSED_NAMES = [
  'localhost',
  'local',
  'internal',
  'alt',
  'arpa',
  'invalid',
  'onion',
  'test',
  'corp',
  'home',
  'intranet',
  'lan',
  'localdomain',
  'private',
];

/** @throws Failure `invalid` when the URL may not be a webhook target */
export function checkTargetUrl(text: string, allowPrivate: boolean): URL {
  const refuse = (detail: string): Failure => new Failure('invalid', detail, { errors: [{ pointer: '/url', detail }] });
  if (text.length > MOST_TARGET_CHARACTERS) throw refuse(`must have ${MOST_TARGET_CHARACTERS} characters at most`);
  if (!URL.canParse(text) || /[\p{C}\p{Z}\s]/u.test(text)) throw refuse('must be a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw refuse('must not carry a user name or password');
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) throw refuse('must be https');
  // What the marketplace wrote has to be what is called: `0x7f.1`, `①②⑦.0.0.1`, Cyrillic letters and `https:\\host` are not.
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1]?.toLowerCase();
  if (authority !== url.host && authority !== `${url.hostname}:443`) {
    throw refuse('must spell its host plainly: a name in Latin letters or as punycode, an address in its usual form');
  }
  if (allowPrivate) return url;
  if (url.port !== '' && Number(url.port) <= LAST_SYSTEM_PORT) throw refuse('must have the port 443, or one above 1023');
  if (!mayBePublic(url.hostname.replace(/^\[|\]$/g, ''))) throw refuse('must be a public address');
  return url;
}

/** Names get a first look only, for the marketplace's sake; where they lead is seen when they are called. */
function mayBePublic(host: string): boolean {
  if (isIP(host) !== 0) return isPublicAddress(host);
  // A single label is for the machine's own search list, and with a dot at the end a server does not know its certificate.
  return host.includes('.') && !host.endsWith('.') && !CLOSED_NAMES.some((end) => host.endsWith(`.${end}`));
}

/** True for globally routable unicast addresses; the hidden IPv4 inside mapped, NAT64 and 6to4 forms does not make them public. */
export function isPublicAddress(address: string): boolean {
  // An address with a zone is one of a link, whatever its prefix.
  if (isIP(address) === 0 || address.includes('%') || METADATA.has(address)) return false;
  // Everything global that was ever assigned is in 2000::/3; what lies outside may hide an IPv4 address (`::7f00:1`).
  if (isIP(address) === 6 && !ipaddr.IPv6.parse(address).match(GLOBAL_UNICAST)) return false;
  return ipaddr.process(address).range() === 'unicast' && ipaddr.parse(address).range() === 'unicast';
}

/**
 * A DNS look-up that gives nothing but public addresses; what it gives is what is connected to, so rebinding cannot get in between. One
 * address that is not public spoils the others: a connection would go to any of them. One that a DNS64 has made is judged by the IPv4
 * address inside: where there is a DNS64, every name without IPv6 has one.
 */
export function createPublicLookup({ resolve = lookup, isPublic = isPublicAddress } = {}): LookupFunction {
  return (hostname, options, callback) => {
    // With a dot at the end: the machine's search list must not make `db.svc` of a cluster out of a public name.
    resolve(`${hostname}.`, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const forbidden = addresses.find(({ address }) => !isPublic(withoutNat64(address)));
      const first = addresses[0];
      if (forbidden !== undefined || first === undefined) {
        return callback(Object.assign(new Error('The address of the endpoint is not public.'), { code: 'EADDRNOTPUBLIC' }), '', 0);
      }
      if (options.all === true) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

/** In results of look-ups only: nobody has reason to write one into a URL, and there it stays refused. */
function withoutNat64(address: string): string {
  if (isIP(address) !== 6 || address.includes('%')) return address;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.match(NAT64) ? new ipaddr.IPv4(parsed.toByteArray().slice(12)).toString() : address;
}
