/** Where a content lies. Sealed, and erased with it. */
import type { Opener } from '../connections/opener.ts';
import { contentContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import type { StoredLink } from '../recordings/stored-link.ts';
import type { Content } from '../store/contents.ts';

/** @throws Failure `gone` when nothing is stored any more */
export function storedContent({ vault }: Pick<Gateway, 'vault'>, { id, linkSealed }: Content): StoredLink {
  if (linkSealed === null) throw new Failure('gone', 'This content is no longer available.');
  return JSON.parse(vault.open(linkSealed, contentContext(id))) as StoredLink;
}

export const sealContent = ({ vault }: Pick<Gateway, 'vault'>, contentId: string, { url, passcode }: StoredLink): Buffer =>
  vault.seal(JSON.stringify({ url, passcode }), contentContext(contentId));

/** The host alone may be shown; null when nothing is stored any more, or does not open. */
export function contentHost({ id, linkSealed }: Content, opener: Opener): string | null {
  const opened = linkSealed === null ? null : opener.open(linkSealed, contentContext(id));
  return opened === null ? null : new URL((JSON.parse(opened) as StoredLink).url).hostname;
}
