/** Where a recording's media lie when not at the vendor alone: an uploaded link, or the vendor's own page. Sealed, and erased with it. */
import { recordingPlaceContext } from '../connections/sealed.ts';
import { recordingGone } from '../domain/recording.ts';
import type { Gateway } from '../gateway.ts';
import type { OpenedRecording } from '../store/recordings.ts';

/** A link that is kept until its recording ends. */
export interface StoredLink {
  readonly url: string;
  readonly passcode: string | null;
}

/** @throws Failure `gone` when nothing is stored any more */
export function storedLink({ vault }: Pick<Gateway, 'vault'>, { id, linkSealed }: Pick<OpenedRecording, 'id' | 'linkSealed'>): StoredLink {
  if (linkSealed === null) throw recordingGone();
  return JSON.parse(vault.open(linkSealed, recordingPlaceContext(id))) as StoredLink;
}

export const sealLink = ({ vault }: Pick<Gateway, 'vault'>, recordingId: string, { url, passcode }: StoredLink): Buffer =>
  vault.seal(JSON.stringify({ url, passcode }), recordingPlaceContext(recordingId));
