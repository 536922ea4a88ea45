import type { Writer } from '../store/database.ts';

/** What a happening has shown of the account's plan. */
export async function learnPlan(_tx: Writer, _connectionId: string, _plan: 'free' | 'paid'): Promise<void> {}
