import type { Policy } from '../policy.ts';
import { GUIDE } from './guide.ts';

/** Video consultation on request with a fixed length (seed 003). */
export const RODRUN: Policy = { ...GUIDE, limits: { on_exceed: 'warn' } };
