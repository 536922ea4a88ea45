import type { Policy } from '../policy.ts';
import { STORAGE_HOSTS } from './storage-hosts.ts';

/** Platform-hosted Zoom calls, all of them recorded (seed 002): F01, F04, F07, F09. */
export const FIVERR: Policy = {
  approved_apps: ['zoom'],
  hosting: 'platform',
  purchase: { within_hours: 48 },
  packages: { max_meetings: 5 },
  join: { opens_minutes_before: 15, closes_minutes_after: 60 },
  limits: { on_exceed: 'reject', warn_minutes: [10, 5, 1], pairs: 'as_groups', minutes: {} },
  host_lost_after_seconds: 15,
  vendor_unavailable: 'wait',
  recording: {
    one_to_one: { modes: ['always'], consent: 'implied' },
    private_group: { modes: ['always'], consent: 'implied' },
    event: { modes: ['always'], consent: 'implied' },
    recipients: 'everyone',
    retention_days: 30,
    retention_from: 'notification',
    uses: ['participants', 'disputes'],
    delivery: 'stream',
    delete_at_vendor: false,
    uploads: { hosts: STORAGE_HOSTS, max_links: 3 },
  },
};
