/** Links to videos and files that lie elsewhere: only https, spelled plainly, on a storage that the marketplace approves (G16, T13). */
import { Failure } from './failure.ts';
import { PLAIN_LINK_REFUSALS, readPlainLink } from './plain-link.ts';
import type { Policy } from './policy.ts';

/** The address as it is followed. @throws Failure `upload_not_approved`, with a `reason` */
export function approvedAddress(text: string, policy: Policy): string {
  const { hosts } = policy.recording.uploads;
  const url = readPlainLink(text.trim());
  const refuse = (reason: string, detail: string): Failure =>
    new Failure('upload_not_approved', detail, { extra: { reason, approved_hosts: hosts } });
  if (typeof url === 'string') throw refuse(url, PLAIN_LINK_REFUSALS[url]);
  if (!isApproved(url.hostname, policy))
    throw refuse('not_approved_host', `The link does not lead to an approved storage (${hosts.join(', ')}).`);
  return url.href;
}

/** A stored address at the moment when it is followed. @throws Failure `gone` when its storage is not approved any more */
export function followedAddress(url: string, policy: Policy): string {
  if (!isApproved(new URL(url).hostname, policy)) throw new Failure('gone', 'The storage of this link is not approved any more.');
  return url;
}

/** `*.zoom.us` is every name below it, and not `zoom.us` itself. */
const isApproved = (host: string, { recording }: Policy): boolean =>
  recording.uploads.hosts.some((pattern) => (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern));
