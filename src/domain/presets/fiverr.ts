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
  presence: { heartbeat_seconds: 300 },
  calls: { initiator: 'professional', accept_within_seconds: 300, prepaid_blocks: 0, away: 'count', presence: 'optional' },
  meter: { enabled: false, block_minutes: 15, grace_seconds: 60, warn_seconds: 60, on_exhausted: 'tell' },
  early_end: { answer_within_seconds: 0 },
  eligibility: [
    {
      any: [
        {
          name: 'Level, average selling price and a recent order',
          all: [
            { fact: 'level', is: 'at_least', value: 1 },
            { fact: 'average_selling_price', is: 'at_least', value: 50 },
            { fact: 'last_order_at', is: 'days_since_at_most', value: 60 },
          ],
        },
        { name: 'A Pro or Select client', fact: 'client_program', is: 'one_of', value: ['pro', 'select'] },
      ],
    },
  ],
  links: { shareable: true, max_guests: 10 },
  ratings: { within_days: 14 },
  standing: { running: 'keep', upcoming: 'keep' },
  contents: { max_links: 3, access_days: 14 },
};
