import type { Session } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';

/** Whether the host is away from the run that goes on. */
export async function watchHost(_tx: Writer, _gateway: Gateway, _meeting: Meeting, _session: Session | undefined): Promise<void> {}
