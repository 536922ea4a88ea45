/** The marketplace files what a customer or professional told it, by the rules of their own pages (T14, F06). */
import { Failure, found } from '../domain/failure.ts';
import { MOST_CHARACTERS } from '../domain/incident.ts';
import type { Gateway } from '../gateway.ts';
import type { Reader } from '../store/database.ts';
import type { Incident } from '../store/incidents.ts';
import { findAttendee, findOwnMeeting, type Meeting } from '../store/meetings.ts';
import { reportIncident, type Report } from './report.ts';

/** @throws Failure `not_found`, `invalid`, `conflict` when too many reports of this person are open */
export async function reportFor(
  gateway: Gateway,
  { marketplaceId, meetingId, ...report }: { marketplaceId: string; meetingId: string } & Pick<Report, 'reporter' | 'kind' | 'text'>,
): Promise<{ incident: Incident; isNew: boolean }> {
  const { read } = gateway.db;
  const meeting = found(await findOwnMeeting(read, marketplaceId, meetingId));
  if (!(await takesPart(read, meeting, report.reporter))) throw invalid('/reporter_id', `is no ${report.reporter.side} of this meeting`);
  const reported = await reportIncident(gateway, { ...report, meeting, by: 'marketplace' });
  switch (reported.outcome) {
    case 'filed':
      return reported;
    case 'invalid':
      throw invalid('/text', `has to have 1 to ${MOST_CHARACTERS} characters`);
    case 'too_many':
      throw new Failure('conflict', `${reported.open} reports of this person about this meeting are open. Move one of them first.`);
  }
}

const takesPart = async (db: Reader, meeting: Meeting, { side, id }: Report['reporter']): Promise<boolean> =>
  side === 'professional' ? id === meeting.professionalId : (await findAttendee(db, meeting.id, id)) !== undefined;

const invalid = (pointer: string, detail: string): Failure =>
  new Failure('invalid', 'The report cannot be filed.', { errors: [{ pointer, detail }] });
