/**
 * What a marketplace allows, as data. No code asks for a preset's name; it asks for a value of the policy.
 * Every value says what it does and, in brackets, the rules it comes from; docs/policy.md repeats it, and a test compares the two.
 */
import { z } from 'zod';
import { PROVIDER_IDS, type ProviderId } from './apps.ts';
import { ruleSchema } from './eligibility.ts';
import type { FieldError } from './failure.ts';
import { MINUTE, SECOND } from './time.ts';

export const BOOKING_KINDS = ['one_to_one', 'private_group', 'event'] as const;
export type BookingKind = (typeof BOOKING_KINDS)[number];

export const RECORDING_MODES = ['none', 'on_consent', 'always'] as const;
export type RecordingMode = (typeof RECORDING_MODES)[number];

export const RECORDING_USES = ['participants', 'service_improvement', 'disputes'] as const;
export type RecordingUse = (typeof RECORDING_USES)[number];

/** `drive.google.com`, `*.zoom.us`. */
const HOST_PATTERN = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

const countsDown = (values: readonly number[]): boolean => values.every((value, index) => index === 0 || value < values[index - 1]!);

const APPROVED = `has to be one of the approved apps: ${PROVIDER_IDS.join(', ')} (G01)`;

const recordingOfKind = z.strictObject({
  modes: z
    .array(z.enum(RECORDING_MODES))
    .min(1, 'has to name at least one mode')
    .describe('Recording modes that a booking of this kind may ask for (G11, G12, F01).'),
  consent: z
    .enum(['each_customer', 'implied', 'notice'])
    .describe(
      '`each_customer`: nothing is published before every customer has agreed. `implied`: joining counts as consent. `notice`: participants are informed (G11, G12, F09).',
    ),
});

const ownMinutes = (app: string) =>
  z
    .int()
    .min(1)
    .max(1_440)
    .optional()
    .describe(`Minutes that a meeting of a free plan of ${app} may last, where the marketplace knows better than the dated figures (G14).`);

export const policySchema = z.strictObject({
  approved_apps: z
    .array(z.enum(PROVIDER_IDS, APPROVED))
    .min(1, 'has to keep at least one approved app (G01)')
    .describe('Apps that may be used, in the order in which `auto` tries them. Can be narrowed, never widened (G01, G02, F02).'),
  hosting: z
    .enum(['professional', 'platform'])
    .describe(
      "Whose account a meeting is made with: the professional's own, or a free host of the platform, so that the professional needs none (F04).",
    ),
  purchase: z.strictObject({
    within_hours: z.int().min(1).max(720).describe('Hours from the confirmation to the purchase; then the meeting expires (G04).'),
  }),
  packages: z.strictObject({
    max_meetings: z.int().min(1).max(5).describe('Meetings that one package may have. The rule itself ends at 5 (G07).'),
  }),
  join: z.strictObject({
    opens_minutes_before: z
      .int()
      .min(0)
      .max(1_440)
      .describe("Minutes before the start from which a join link leads to the vendor's meeting (C03)."),
    closes_minutes_after: z.int().min(0).max(1_440).describe('Minutes after the planned end until which it still does (C03).'),
  }),
  limits: z.strictObject({
    on_exceed: z
      .enum(['reject', 'warn', 'choose_other'])
      .describe(
        "What becomes of a booking that is longer than the account's plan allows: refused, made with a warning, or made with another connected app that fits, which the decision tells (G14, T08, R02).",
      ),
    warn_minutes: z
      .array(z.int().min(1).max(1_440))
      .max(10)
      .refine(countsDown, 'has to count down, each value once')
      .describe("Minutes left until the plan's limit at which the marketplace is told that it comes nearer; an empty list: never (G14)."),
    pairs: z
      .enum(['as_groups', 'as_vendor'])
      .describe(
        'Whether a free meeting of two people has the limit of one of three and more, or the longer one that some vendors give to two (G14).',
      ),
    minutes: z.strictObject({
      zoom: ownMinutes('Zoom'),
      'microsoft-teams': ownMinutes('Microsoft Teams'),
      'google-meet': ownMinutes('Google Meet'),
    } satisfies Record<ProviderId, unknown>),
  }),
  host_lost_after_seconds: z
    .int()
    .min(0)
    .max(3_600)
    .describe('Seconds that the host may be away from a running meeting before it counts as lost; 0: it never does (R06).'),
  vendor_unavailable: z
    .enum(['wait', 'refuse'])
    .describe(
      'What becomes of a booking while the vendor is not reachable. `wait`: 201 with `link_pending` and a retry in the background. `refuse`: 503 (G04).',
    ),
  recording: z.strictObject({
    one_to_one: recordingOfKind,
    private_group: recordingOfKind,
    event: recordingOfKind,
    recipients: z
      .enum(['customers', 'everyone'])
      .describe('Who gets a personal link to a recording; `everyone` includes the professional (G13, F07).'),
    retention_days: z
      .int()
      .min(1)
      .max(365)
      .describe('Days that a recording is kept, from the moment that `retention_from` names (G15, F01, F07).'),
    retention_from: z
      .enum(['notification', 'upload'])
      .describe(
        'When the days begin. `notification`: when the recipients are told. `upload`: when the vendor had finished the recording, or its link was uploaded (G15, F01).',
      ),
    uses: z
      .array(z.enum(RECORDING_USES))
      .min(1, 'has to name at least one use')
      .describe('What a recording may be used for, as its page states it (G11, G17, F08).'),
    delivery: z
      .enum(['stream', 'redirect'])
      .describe(
        "`stream`: the gateway streams the vendor's file and shows no address of it. `redirect`: recipients are sent to the vendor's own page where the vendor can share it for a time; elsewhere it is streamed (G17, G18).",
      ),
    delete_at_vendor: z
      .boolean()
      .describe('Whether the recording is deleted in the account at the vendor, too, when its time here is over (G15).'),
    uploads: z.strictObject({
      hosts: z
        .array(z.string().regex(HOST_PATTERN, 'has to be a host name, or `*.` and a host name'))
        .max(50)
        .describe(
          'Where uploaded links to videos and files may lead; `*.` stands for every name below; an empty list: nothing can be uploaded (G16, T13).',
        ),
      max_links: z.int().min(1).max(10).describe('Uploaded links that one meeting may have (G16, T13).'),
    }),
  }),
  presence: z.strictObject({
    heartbeat_seconds: z
      .int()
      .min(30)
      .max(86_400)
      .describe('Seconds that a presence holds when the marketplace names no time for it; then it is `unknown` (T02, R01).'),
  }),
  calls: z.strictObject({
    initiator: z.enum(['customer', 'professional', 'either', 'nobody']).describe('Who may start a call on demand (T03, F02, R03).'),
    accept_within_seconds: z.int().min(10).max(3_600).describe('Seconds in which the other side has to answer a call (R03).'),
    prepaid_blocks: z.int().min(0).max(1_000).describe('Blocks that have to be paid before a call may be started (T03).'),
    away: z
      .enum(['count', 'refuse'])
      .describe('What becomes of a call to a professional who is away: it is counted without ringing, or refused (T02).'),
    presence: z.enum(['required', 'optional']).describe('Whether only a professional whose presence is known can be called (T02, R01).'),
  }),
  meter: z.strictObject({
    enabled: z.boolean().describe('Whether sessions are metered by blocks (T04, T06).'),
    block_minutes: z.int().min(1).max(240).describe('Length of a block (T03, T06).'),
    grace_seconds: z
      .int()
      .min(0)
      .max(3_600)
      .describe('Seconds in which the first session of a booking may be left without counting (T05).'),
    warn_seconds: z.int().min(0).max(3_600).describe('Seconds before the last paid block ends at which it is told (T08).'),
    on_exhausted: z
      .enum(['end', 'tell'])
      .describe(
        "What happens when the paid blocks are used up: the vendor's meeting is ended where the vendor can, or it is told only (T08).",
      ),
  }),
  early_end: z.strictObject({
    answer_within_seconds: z
      .int()
      .min(0)
      .max(3_600)
      .describe('Seconds in which the other side answers a request to end early; 0: it cannot be asked for (R05).'),
  }),
  eligibility: z
    .array(ruleSchema)
    .max(20)
    .describe(
      'Rules over facts that come with a request. All of them have to hold for a professional to get meetings and calls; an empty list: none (F03).',
    ),
  links: z.strictObject({
    shareable: z.boolean().describe('Whether guests may be invited with links of their own (F10).'),
    max_guests: z.int().min(1).max(100).describe('Guest links that one meeting may have (F10).'),
  }),
  ratings: z.strictObject({
    within_days: z.int().min(0).max(365).describe('Days after the end in which a customer can rate; 0: meetings are not rated (R07).'),
  }),
  standing: z.strictObject({
    running: z
      .enum(['keep', 'end'])
      .describe('What becomes of meetings that run when their professional is suspended or terminated (C01).'),
    upcoming: z.enum(['keep', 'cancel']).describe('What becomes of meetings that have not begun by then (C01).'),
  }),
  contents: z.strictObject({
    max_links: z.int().min(1).max(3).describe('Files or links that one booking may sell. The rule itself ends at 3 (T13).'),
    access_days: z.int().min(1).max(365).describe('Days that a buyer can open them (G15, T13).'),
  }),
});

export type Policy = z.infer<typeof policySchema>;

/** A JSON merge patch (RFC 7396) of a policy: any member may be missing, or null to give up the override. */
export const policyPatchSchema = patchOf(policySchema);

export interface Contradiction extends FieldError {
  readonly name:
    | 'listed_twice'
    | 'recorded_before_consent'
    | 'consent_never_asked'
    | 'notice_is_no_consent'
    | 'guests_hide_the_customer'
    | 'grace_outlasts_block';
}

/** Values that are fine one by one and make no sense together. */
export function contradictionsIn({ approved_apps: apps, links, meter, recording }: Policy): Contradiction[] {
  const found = [
    ...repeats('/approved_apps', apps),
    ...repeats('/recording/uses', recording.uses),
    ...repeats('/recording/uploads/hosts', recording.uploads.hosts),
  ];
  for (const kind of BOOKING_KINDS) {
    const { modes, consent } = recording[kind];
    const pointer = `/recording/${kind}`;
    found.push(...repeats(`${pointer}/modes`, modes));
    if (consent === 'each_customer' && modes.includes('always')) {
      found.push({
        name: 'recorded_before_consent',
        pointer,
        detail: '`always` records from the start, before any customer can have agreed as `each_customer` demands (G12)',
      });
    }
    if (consent !== 'each_customer' && modes.includes('on_consent')) {
      found.push({
        name: 'consent_never_asked',
        pointer,
        detail: `\`on_consent\` waits for a consent that nobody is asked for under \`${consent}\` (G12)`,
      });
    }
    if (consent === 'notice' && kind !== 'event') {
      found.push({
        name: 'notice_is_no_consent',
        pointer,
        detail: 'a private meeting is not recorded on a mere `notice`; that is for events (G11, G12)',
      });
    }
  }
  if (meter.enabled && links.shareable) {
    found.push({
      name: 'guests_hide_the_customer',
      pointer: '/links/shareable',
      detail: 'once a guest has come in nobody can tell who is the customer, and a session that is metered would cost nothing (F10, T04)',
    });
  }
  if (meter.enabled && meter.grace_seconds * SECOND > meter.block_minutes * MINUTE) {
    found.push({
      name: 'grace_outlasts_block',
      pointer: '/meter/grace_seconds',
      detail: 'whole blocks would run before it is known whether the first one counts (T05, T06)',
    });
  }
  return found;
}

const repeats = (pointer: string, list: readonly string[]): Contradiction[] =>
  new Set(list).size === list.length ? [] : [{ name: 'listed_twice', pointer, detail: 'names something twice' }];

function patchOf({ shape }: z.ZodObject): z.ZodObject {
  const members = Object.entries(shape).map(([name, value]) => [
    name,
    z.optional(z.nullable(value instanceof z.ZodObject ? patchOf(value) : value)),
  ]);
  return z.strictObject(Object.fromEntries(members) as z.ZodRawShape);
}
