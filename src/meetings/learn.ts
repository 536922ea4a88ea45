/** What a run shows of the plan of the account that hosted it. */
import { learnPlan } from '../connections/plan.ts';
import type { Session } from '../domain/session.ts';
import { MINUTE } from '../domain/time.ts';
import type { Writer } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';

/** Google's limit is for three and more, and Google does not say why a conference ended. */
const CROWD = 3;
const TOLERANCE_MS = MINUTE;

export async function learnFromRun(tx: Writer, meeting: Meeting, run: Session): Promise<void> {
  if (meeting.connectionId === null || !(run.limitReached || looksCutOff(meeting, run))) return;
  await learnPlan(tx, meeting.connectionId, 'free');
}

/** Over at the minute of the limit, with everybody still inside. A hint about the plan, never told as a limit that was reached. */
function looksCutOff({ provider, limitMinutes }: Meeting, { startedAt, endedAt, estimated, participants }: Session): boolean {
  if (provider !== 'google-meet' || limitMinutes === null || endedAt === null || estimated) return false;
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE_MS;
  if (!near(endedAt.getTime() - startedAt.getTime(), limitMinutes * MINUTE)) return false;
  const toTheEnd = participants.filter(({ stays }) => {
    const leftAt = stays.at(-1)?.leftAt ?? null;
    return leftAt !== null && near(leftAt.getTime(), endedAt.getTime());
  });
  return toTheEnd.length >= CROWD;
}
