/** Where events may be sent: public https addresses only, checked at the moment of the connection (SSRF). */
import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Failure } from '../domain/failure.ts';

/** Azure's wire server: unicast by its class, never a marketplace. */
const METADATA = new Set(['168.63.129.16']);
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** @throws Failure `invalid` when the URL may not be a webhook target */
export function checkTargetUrl(text: string, allowPrivate: boolean): URL {
  const refuse = (detail: string): Failure => new Failure('invalid', detail, { errors: [{ pointer: '/url', detail }] });
  if (!URL.canParse(text)) throw refuse('must be a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw refuse('must not carry a user name or password');
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) throw refuse('must be https');
  // A trailing dot names the same host.
  const host = url.hostname.replace(/^\[|\]$|\.$/g, '');
  if (!allowPrivate && (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && !isPublicAddress(host)))) {
    throw refuse('must be a public address');
  }
  return url;
}

/** True for globally routable unicast addresses; the hidden IPv4 inside mapped, NAT64 and 6to4 forms does not make them public. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || METADATA.has(address)) return false;
  // Everything global that was ever assigned is in 2000::/3; what lies outside may hide an IPv4 address (`::7f00:1`).
  if (isIP(address) === 6 && !ipaddr.IPv6.parse(address).match(GLOBAL_UNICAST)) return false;
  return ipaddr.process(address).range() === 'unicast' && ipaddr.parse(address).range() === 'unicast';
}

/** A DNS look-up that gives nothing but public addresses; what it gives is what is connected to, so rebinding cannot get in between. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '', 0);
    const forbidden = addresses.find(({ address }) => !isPublicAddress(address));
    const first = addresses[0];
    if (forbidden !== undefined || first === undefined) {
      return callback(Object.assign(new Error('The address of the endpoint is not public.'), { code: 'EADDRNOTPUBLIC' }), '', 0);
    }
    if (options.all === true) return callback(null, addresses);
    return callback(null, first.address, first.family);
  });
};
