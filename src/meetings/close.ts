/** Job `meeting.close`: the window is over. Vendors that never tell the end leave it to the clock. */
import { endsAt, joinWindow } from '../domain/meeting.ts';
import { HOUR, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { expectRecording } from '../recordings/reconcile.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting } from '../store/meetings.ts';
import { lookForAttendance } from './attendance.ts';
import { closeRuns } from './facts.ts';
import { move } from './lifecycle.ts';

/** How long past the window a running meeting is believed to run when the vendor never says that it ended. */
const LONGEST_OVERRUN_MS = 12 * HOUR;

export async function closeMeeting(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    const meeting = await findMeeting(tx, meetingId);
    if (meeting === undefined) return;
    const { closesAt } = joinWindow(await policyFor(tx, meeting), meeting);
    const deadline = meeting.state === 'live' ? plus(closesAt, LONGEST_OVERRUN_MS) : closesAt;
    if (deadline > now()) {
      await scheduleJob(tx, { kind: 'meeting.close', subjectId: meeting.id, dueAt: deadline });
      // Its end may have got lost. If it goes on, its real end is another one to look from.
      if (meeting.state === 'live' && closesAt <= now()) await expectRecording(tx, gateway, meeting, endsAt(meeting));
      return;
    }
    // A continuation whose link the vendor never made.
    if (meeting.state === 'link_pending') {
      await move(tx, gateway, meeting, { type: 'cancelled' }, { cancelReason: 'vendor_unavailable' });
      return;
    }
    await lookForAttendance(tx, gateway, meeting);
    await closeRuns(tx, gateway, meeting, endsAt(meeting));
    await move(tx, gateway, meeting, { type: 'closed', at: endsAt(meeting) });
  });
  wake();
}
