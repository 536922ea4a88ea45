import type { Policy } from '../policy.ts';
import { GUIDE } from './guide.ts';

/** Platform-hosted, recorded Zoom calls (seed 002): F01, F07, F09. */
export const FIVERR: Policy = {
  ...GUIDE,
  approved_apps: ['zoom'],
  recording: {
    one_to_one: { modes: ['always'], consent: 'implied' },
    private_group: { modes: ['always'], consent: 'implied' },
    event: { modes: ['always'], consent: 'implied' },
    recipients: 'everyone',
    retention_days: 30,
  },
};
