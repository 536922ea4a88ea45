/**
 * Attendance reports: Teams writes one for each run of a meeting, after its end. Shapes: Microsoft's pages about `meetingAttendanceReport` and
 * `attendanceRecord` (v1.0), read in 2026-11.
 */
import { z } from 'zod';
import { parseAnswer } from '../call.ts';
import type { AttendanceReport, AttendanceReports } from '../provider.ts';
import { isGone } from './events.ts';
import type { Graph } from './graph.ts';
import { onlineMeetingPath } from './online-meeting.ts';
import { PERSONAL_TENANT } from './options.ts';
import { MAX_PAGES, nextPath } from './pages.ts';

/** A user may agree to it alone. It is asked for together with recordings, so that nobody who wants links only is asked for more. */
export const ATTENDANCE = ['OnlineMeetingArtifact.Read.All'];

const moment = z
  .string()
  .transform((text) => new Date(text))
  .refine((date) => !Number.isNaN(date.getTime()));
const report = z.object({ id: z.string().min(1), meetingStartDateTime: moment, meetingEndDateTime: moment });
const record = z.object({
  id: z.string().nullish(),
  role: z.string().nullish(),
  identity: z.object({ id: z.string().nullish() }).nullish(),
  attendanceIntervals: z.array(z.object({ joinDateTime: moment, leaveDateTime: moment })).nullish(),
});
const ORGANIZER = 'Organizer';

export function createAttendance({ graph, graphUrl }: { graph: Graph; graphUrl: string }): AttendanceReports {
  return {
    scopes: ATTENDANCE,
    async list(account, meeting) {
      if (account.organisation === PERSONAL_TENANT) return [];
      const all = async <T>(first: string, item: z.ZodType<T>, what: string): Promise<T[]> => {
        const page = z.object({ value: z.array(item), '@odata.nextLink': z.string().optional() });
        const items: T[] = [];
        let path: string | undefined = first;
        for (let pages = 0; path !== undefined && pages < MAX_PAGES; pages += 1) {
          const answer: z.output<typeof page> = parseAnswer(page, await graph(account, { method: 'GET', path, repeatable: true }), what);
          items.push(...answer.value);
          path = nextPath(answer['@odata.nextLink'], graphUrl);
        }
        return items;
      };
      const base = `${onlineMeetingPath(account, meeting.id)}/attendanceReports`;
      const reports: AttendanceReport[] = [];
      try {
        for (const { id, meetingStartDateTime, meetingEndDateTime } of await all(base, report, 'list attendance reports')) {
          const people = await all(`${base}/${encodeURIComponent(id)}/attendanceRecords`, record, 'list attendance records');
          reports.push({
            id,
            startedAt: meetingStartDateTime,
            endedAt: meetingEndDateTime,
            people: people.map((person, index) => ({
              // Guests have no identity.
              id: person.id ?? person.identity?.id ?? `guest ${index}`,
              userId: person.role === ORGANIZER ? account.id : (person.identity?.id ?? null),
              stays: (person.attendanceIntervals ?? []).map(({ joinDateTime, leaveDateTime }) => ({
                joinedAt: joinDateTime,
                leftAt: leaveDateTime,
              })),
            })),
          });
        }
      } catch (error) {
        // A meeting that was deleted, or has expired 60 days after its end, has nothing to tell any more.
        if (!isGone(error)) throw error;
      }
      return reports;
    },
  };
}
