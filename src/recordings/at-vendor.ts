/** What a recording is at the vendor, what has to be done there when its time is over, and what the account lets us do. */
import type { Account, RecordingRef, Recordings, RecordingShares } from '../../providers/provider.ts';
import { vendorRecordingContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import { recordingGone } from '../domain/recording.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { meetingRef } from '../meetings/link.ts';
import type { Connection } from '../store/connections.ts';
import { findRecordingAtVendor, type Recording, type RecordingAtVendor } from '../store/recordings.ts';

/** How the adapter knows the recording; undefined once that is erased. */
export function recordingRef(
  { vault }: Pick<Gateway, 'vault'>,
  { id, vendorRecordingSealed }: Pick<Recording, 'id' | 'vendorRecordingSealed'>,
  meeting: RecordingAtVendor['meeting'],
): RecordingRef | undefined {
  const ref = meetingRef({ vault }, meeting);
  if (ref === undefined || vendorRecordingSealed === null) return undefined;
  return { meeting: ref, recordingId: vault.open(vendorRecordingSealed, vendorRecordingContext(id)) };
}

/** The same of one that is to be opened now. @throws Failure `gone` */
export async function findRecordingRef(gateway: Gateway, id: string): Promise<RecordingRef> {
  const found = await findRecordingAtVendor(gateway.db.read, id);
  const ref = found && recordingRef(gateway, found.recording, found.meeting);
  if (ref === undefined) throw recordingGone();
  return ref;
}

export interface VendorWork {
  /** Its page at the vendor is open to whoever has the link. */
  readonly close: boolean;
  /** The policy wants it deleted there. */
  readonly remove: boolean;
}

export const wantedAtVendor = (policy: Policy, { source, sharedAt, vendorRecordingSealed }: Recording): VendorWork => {
  const isThere = source === 'provider' && vendorRecordingSealed !== null;
  return { close: isThere && sharedAt !== null, remove: isThere && policy.recording.delete_at_vendor };
};

/**
 * Opening a page is its second call at the vendor, and each of them is tried for 45 seconds at most. What opens it may have died meanwhile,
 * with its call still on the way.
 */
const LONGEST_OPEN_MS = 2 * MINUTE;

/** From then on nothing that was asked at the vendor opens its page any more, so that one that is closed stays so. */
export const sureFrom = ({ sharedAt }: Pick<Recording, 'sharedAt'>): Date =>
  sharedAt === null ? new Date(0) : plus(sharedAt, LONGEST_OPEN_MS);

/** As much of it as the app offers and the account has allowed. */
export function possibleAtVendor(
  { shares, removal }: Pick<Recordings, 'shares' | 'removal'>,
  { scopes }: Pick<Connection, 'scopes'>,
  { close, remove }: VendorWork,
): VendorWork {
  const granted = (part: { readonly scopes: readonly string[] } | undefined): boolean =>
    part !== undefined && part.scopes.every((scope) => scopes.includes(scope));
  return { close: close && granted(shares), remove: remove && granted(removal) };
}

/** What is deleted is shown to nobody any more, so that a page which cannot be closed does not count then. */
export const isAll = (wanted: VendorWork, done: VendorWork): boolean =>
  (done.remove || !wanted.remove) && (done.close || done.remove || !wanted.close);

/** Its page is open to nobody any more, as the vendor tells it. @throws Failure `vendor_nonsense` while it is not so */
export async function closePage(shares: RecordingShares, account: Account, named: RecordingRef): Promise<void> {
  await shares.close(account, named);
  if (await shares.isOpen(account, named)) throw new Failure('vendor_nonsense', 'The vendor still shows the recording after closing it.');
}
