import type { Policy } from '../policy.ts';
import { STORAGE_HOSTS } from './storage-hosts.ts';

/** Video consultation on request (seed 003): the specialist alone sets the length (R02). */
export const RODRUN: Policy = {
  approved_apps: ['zoom', 'microsoft-teams', 'google-meet'],
  hosting: 'professional',
  purchase: { within_hours: 48 },
  packages: { max_meetings: 5 },
  join: { opens_minutes_before: 15, closes_minutes_after: 60 },
  limits: { on_exceed: 'warn', warn_minutes: [10, 5, 1], pairs: 'as_groups', minutes: {} },
  host_lost_after_seconds: 15,
  vendor_unavailable: 'wait',
  recording: {
    one_to_one: { modes: ['none', 'on_consent'], consent: 'each_customer' },
    private_group: { modes: ['none', 'on_consent'], consent: 'each_customer' },
    event: { modes: ['none', 'always'], consent: 'notice' },
    recipients: 'customers',
    retention_days: 14,
    retention_from: 'notification',
    uses: ['participants'],
    delivery: 'stream',
    delete_at_vendor: false,
    uploads: { hosts: STORAGE_HOSTS, max_links: 3 },
  },
  presence: { heartbeat_seconds: 300 },
  calls: { initiator: 'customer', accept_within_seconds: 300, prepaid_blocks: 0, away: 'refuse', presence: 'required' },
  meter: { enabled: false, block_minutes: 15, grace_seconds: 60, warn_seconds: 60, on_exhausted: 'tell' },
  early_end: { answer_within_seconds: 60 },
  eligibility: [],
  links: { shareable: false, max_guests: 10 },
  ratings: { within_days: 14 },
  standing: { running: 'keep', upcoming: 'keep' },
  contents: { max_links: 3, access_days: 14 },
};
