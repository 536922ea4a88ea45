import type { Policy } from '../policy.ts';
import { GUIDE } from './guide.ts';

/** Paid consultations by the quarter hour (seed 001): nothing is recorded. */
export const TVIP: Policy = {
  ...GUIDE,
  limits: { on_exceed: 'warn' },
  recording: {
    ...GUIDE.recording,
    one_to_one: { modes: ['none'], consent: 'each_customer' },
    private_group: { modes: ['none'], consent: 'each_customer' },
    event: { modes: ['none'], consent: 'notice' },
  },
};
