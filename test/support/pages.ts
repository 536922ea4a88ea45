/** One example of every page in every state, for the tests of the views. */
import { type Language, TEXTS } from '../../src/http/pages/texts/index.ts';
import * as views from '../../src/http/pages/views/index.ts';

const BARRED = [
  { standing: 'suspended', until: new Date('2026-12-08T10:00:00Z') },
  { standing: 'terminated', until: null },
] as const;
export const NOW = new Date('2026-12-01T09:00:00Z');
const APP = { configured: true, scopesBy: 'request', adminConsent: false } as const;
export const ZOOM = { id: 'zoom', name: 'Zoom' };
const MEET = { id: 'google-meet', name: 'Google Meet' };
const TEAMS = { id: 'microsoft-teams', name: 'Microsoft Teams' };

const GOOD = { standing: 'good', until: null } as const;

export const account: views.ConnectedAccount = {
  id: 'con_1',
  email: 'ada@example.com',
  plan: 'free',
  planBasis: 'vendor',
  planReadAt: new Date('2026-11-30T08:00:00Z'),
  limit: { minutes: 40, asOf: '2026-10-04', source: 'https://support.zoom.com/hc/en' },
  recording: 'plan',
  recordingsWanted: false,
  trouble: null,
  missingPermissions: [],
  preference: { is: 'other', offered: false },
};

export const zoomWith = (...accounts: views.ConnectedAccount[]): views.ConnectApp => ({
  ...APP,
  ...ZOOM,
  scopesBy: 'registration',
  accounts,
});
export const meetWith = (...accounts: views.ConnectedAccount[]): views.ConnectApp => ({ ...APP, ...MEET, accounts });

export const connect = (language: Language, change: Partial<views.ConnectPage> = {}): views.ConnectPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'cs_secret',
  expiresAt: new Date('2026-12-01T09:29:30Z'),
  notice: null,
  regarded: GOOD,
  apps: [
    zoomWith(account),
    {
      ...APP,
      ...TEAMS,
      adminConsent: true,
      accounts: [
        {
          ...account,
          id: 'con_2',
          email: 'ada@contoso.example',
          plan: 'unknown',
          planBasis: 'none',
          limit: { minutes: 60, asOf: '2025-01-01', source: 'the guide' },
          recording: 'unknown',
          recordingsWanted: true,
          trouble: 'withdrawn',
          missingPermissions: [{ name: 'OnlineMeetingRecording.Read.All', neededFor: 'recordings' }],
        },
      ],
    },
    meetWith(),
  ],
  returnUrl: 'https://market.example/back',
  ...change,
});

export const severalAccounts: readonly views.ConnectedAccount[] = [
  {
    ...account,
    id: 'con_a',
    email: 'grace@office.example',
    plan: 'unknown',
    planBasis: 'none',
    recording: 'permission',
    preference: { is: 'first', offered: true },
  },
  {
    ...account,
    id: 'con_b',
    email: 'grace.hopper@private.example',
    plan: 'paid',
    planBasis: 'declared',
    limit: null,
    preference: { is: 'preferred', offered: false },
  },
  { ...account, id: 'con_c', email: 'old@office.example', trouble: 'expired' },
];

export const adminLink = (language: Language, change: Partial<views.AdminLinkPage> = {}): views.AdminLinkPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'cs_secret',
  app: 'Microsoft Teams',
  url: `https://login.microsoftonline.com/organizations/v2.0/adminconsent?client_id=11111111-2222-3333-4444-555555555555&scope=${'User.Read+'.repeat(12)}&state=abc`,
  expiresAt: new Date('2026-12-08T09:00:00Z'),
  ...change,
});

export const join = (language: Language, change: Partial<views.JoinPage> = {}): views.JoinPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'jt_secret',
  title: 'Tax consultation',
  app: MEET,
  professional: 'Grace Hopper',
  startsAt: new Date('2026-12-01T10:00:00Z'),
  durationMinutes: 50,
  timeZone: 'Europe/Berlin',
  state: { kind: 'open' },
  live: null,
  earlyEnd: null,
  ended: false,
  continuedUrl: null,
  version: 'v1',
  recording: { kind: 'none' },
  cameraOff: false,
  guests: null,
  rating: null,
  limitMinutes: null,
  limitAsOf: null,
  warnMinutes: [10, 5, 1],
  selfTimedMinutes: null,
  guideUrl: 'https://support.google.com/meet',
  calendar: null,
  report: { kind: 'empty' },
  ...change,
});

export const JOIN_STATES: readonly views.MeetingPageState[] = [
  { kind: 'awaiting_purchase', purchaseBy: new Date('2026-12-01T09:30:00Z') },
  { kind: 'awaiting_purchase', purchaseBy: null },
  { kind: 'link_pending' },
  { kind: 'too_early', opensAt: new Date('2026-12-01T09:45:00Z') },
  { kind: 'open' },
  { kind: 'over' },
  { kind: 'cancelled' },
  { kind: 'expired' },
];

export const JOIN_RECORDINGS: readonly views.JoinRecording[] = [
  { kind: 'none' },
  { kind: 'notice' },
  { kind: 'implied', retentionDays: 30 },
  { kind: 'consent', decision: 'missing', required: true },
  { kind: 'consent', decision: 'missing', required: false },
  { kind: 'consent', decision: 'granted', required: true },
  { kind: 'consent', decision: 'refused', required: true },
];

export const live: views.LiveMeeting = {
  startedAt: new Date('2026-12-01T08:48:30Z'),
  limitEndsAt: new Date('2026-12-01T09:28:30Z'),
  hostLost: true,
  meter: {
    session: { since: new Date('2026-12-01T08:50:00Z'), block: 1, blockEndsAt: new Date('2026-12-01T09:05:00Z'), last: true },
    balance: '24.50 €',
    unpaid: null,
  },
};

/** A meeting near its limit, after it, and when it goes on elsewhere. */
const running = (limitEndsAt: string, hostLost = false) => ({
  live: { ...live, hostLost, limitEndsAt: new Date(limitEndsAt), meter: null },
});
const continuedUrl = 'https://gateway.example/j/jt_next';
export const LIVE_STATES: readonly (readonly [string, Partial<views.MeetingBase>])[] = [
  ['ten-minutes', running('2026-12-01T09:09:59Z')],
  ['five-minutes', running('2026-12-01T09:04:59Z')],
  ['one-minute', running('2026-12-01T09:00:45Z', true)],
  ['limit-reached', running('2026-12-01T08:59:59Z')],
  ['limit-reached-continued', { ...running('2026-12-01T08:59:59Z'), continuedUrl }],
  ['ended', { ended: true, limitMinutes: 40 }],
  ['ended-continued', { ended: true, continuedUrl }],
  ['over-continued', { ended: true, state: { kind: 'over' }, continuedUrl }],
];

export const host = (language: Language, change: Partial<views.HostPage> = {}): views.HostPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'ht_secret',
  title: 'Tax consultation',
  app: ZOOM,
  startsAt: new Date('2026-12-01T10:00:00Z'),
  durationMinutes: 50,
  timeZone: 'Europe/Berlin',
  state: { kind: 'open' },
  live: null,
  earlyEnd: null,
  ended: false,
  continuedUrl: null,
  version: 'v1',
  limitMinutes: 40,
  limitAsOf: '2026-10-04',
  warnMinutes: [10, 5, 1],
  selfTimedMinutes: null,
  guideUrl: 'https://support.zoom.com/hc/en',
  attendees: [
    { name: 'Ada', purchased: true, cameraOff: true, consent: 'granted' },
    { name: null, purchased: false, cameraOff: false, consent: 'missing' },
    { name: 'Linus', purchased: true, cameraOff: false, consent: 'refused' },
    { name: 'Margaret', purchased: true, cameraOff: false, consent: 'not_needed' },
  ],
  recording: 'on_consent',
  continuable: false,
  regarded: GOOD,
  guests: null,
  report: { kind: 'empty' },
  uploads: null,
  ...change,
});

export const uploads = (change: Partial<views.UploadsCard> = {}): views.UploadsCard => ({
  links: [{ id: 'rec_1', title: 'Exercises of the week', expiresAt: new Date('2026-12-15T10:00:00Z') }],
  open: true,
  mostLinks: 3,
  retentionDays: 14,
  hosts: ['*.zoom.us', 'drive.google.com'],
  state: { kind: 'empty' },
  ...change,
});

export const guests = (change: Partial<views.GuestsCard> = {}): views.GuestsCard => ({
  guests: [
    { id: 'gst_1', name: 'Grace', uses: 2, url: 'https://gateway.example/g/gt_secret' },
    { id: 'gst_2', name: null, uses: 0, url: null },
  ],
  open: true,
  mostGuests: 10,
  state: 'empty',
  ...change,
});

export const GUESTS: readonly Partial<views.GuestsCard>[] = [
  { guests: [] },
  { open: false },
  ...(['invited', 'revoked', 'refused'] as const).map((state) => ({ state })),
];

export const EARLY_ENDS: readonly NonNullable<views.MeetingBase['earlyEnd']>[] = [
  { kind: 'askable' },
  { kind: 'asked', mine: true, answerBy: new Date('2026-12-01T09:00:59Z') },
  { kind: 'asked', mine: false, answerBy: new Date('2026-12-01T09:00:59Z') },
  { kind: 'refused' },
  { kind: 'lapsed' },
  { kind: 'agreed', ends: true },
  { kind: 'agreed', ends: false },
];

export const RATINGS: readonly views.RatingCard[] = [
  { kind: 'open', draft: null },
  { kind: 'open', draft: { professional: 4, connection: null, comment: 'Good' } },
  { kind: 'rated', professional: 5, connection: 3, comment: 'Good', isNew: true },
  { kind: 'rated', professional: 5, connection: 3, comment: null, isNew: false },
];

export const guest = (language: Language, change: Partial<views.GuestPage> = {}): views.GuestPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'gt_secret',
  title: 'Tax consultation',
  app: ZOOM,
  startsAt: new Date('2026-12-01T10:00:00Z'),
  durationMinutes: 50,
  timeZone: 'Europe/Berlin',
  state: { kind: 'open' },
  limitMinutes: 40,
  limitAsOf: '2026-10-04',
  warnMinutes: [],
  guideUrl: 'https://support.zoom.com/hc/en',
  name: 'Grace',
  revoked: false,
  recording: { kind: 'none' },
  mustAgree: false,
  ...change,
});

export const UPLOADS: readonly Partial<views.UploadsCard>[] = [
  { links: [] },
  { state: { kind: 'sent' } },
  { mostLinks: 1, state: { kind: 'taken_back' } },
  ...(['incomplete', 'link', 'full', 'conflict'] as const).map((why) => ({
    state: { kind: 'refused' as const, why, title: 'Exercises', url: 'https://example.org/x', passcode: '' },
  })),
  { open: false },
];

export const RECORDING_STATES: readonly views.RecordingPageState[] = [
  {
    kind: 'published',
    expiresAt: new Date('2026-12-04T10:00:00Z'),
    passcode: null,
    files: [
      { id: 'video', kind: 'video', bytes: 182_000_000, streamable: true },
      { id: 'transcript', kind: 'transcript', bytes: 48_000, streamable: true },
    ],
  },
  {
    kind: 'published',
    expiresAt: new Date('2026-12-01T13:00:00Z'),
    passcode: 'k3!x',
    files: [{ id: 'video', kind: 'video', bytes: null, streamable: false }],
  },
  { kind: 'processing' },
  { kind: 'withheld', reason: 'consent_missing' },
  { kind: 'withheld', reason: 'consent_withdrawn' },
  { kind: 'withheld', reason: 'not_requested' },
  { kind: 'withheld', reason: 'recovered' },
  { kind: 'expired' },
  { kind: 'revoked' },
];

export const recording = (language: Language, change: Partial<views.RecordingPage> = {}): views.RecordingPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'rt_secret',
  title: 'Tax consultation',
  app: ZOOM,
  recordedAt: new Date('2026-11-20T10:00:00Z'),
  timeZone: 'Europe/Berlin',
  source: 'provider',
  uses: ['participants', 'service_improvement', 'disputes'],
  access: null,
  state: { kind: 'processing' },
  ...change,
});

const CONTENT_STATES: readonly views.ContentPageState[] = [
  {
    kind: 'open',
    expiresAt: new Date('2026-12-04T10:00:00Z'),
    contents: [
      { id: 'cnt_1', title: 'Workbook', host: 'drive.google.com', passcode: null },
      {
        id: 'cnt_2',
        title: `Donaudampfschifffahrtsgesellschaft${'skapitän'.repeat(8)}`,
        host: 'a-long-name-of-a-department.sharepoint.com',
        passcode: 'k3!x'.repeat(12),
      },
    ],
  },
  { kind: 'expired' },
  { kind: 'taken_back' },
];

const content = (language: Language, state: views.ContentPageState): views.ContentPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'ct_secret',
  timeZone: 'Europe/Berlin',
  state,
});

export const call = (language: Language, change: Partial<views.CallPage> = {}): views.CallPage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  token: 'cl_secret',
  title: 'Tax consultation',
  side: 'professional',
  role: 'callee',
  other: 'Ada',
  purpose: 'A question about my tax return',
  rings: true,
  acceptBy: new Date(NOW.getTime() + 290_000),
  state: 'ringing',
  version: 'v1',
  failed: false,
  ...change,
});

const CALLS: readonly [string, Partial<views.CallPage>][] = [
  ['callee', {}],
  ['callee-silent', { rings: false, other: null, purpose: null }],
  ['callee-failed', { failed: true }],
  ['callee-customer', { side: 'customer', other: null }],
  ['caller', { side: 'customer', role: 'caller', other: 'Dr. Grace Hopper' }],
  ['caller-silent', { side: 'customer', role: 'caller', rings: false, other: null }],
  ...(['declined', 'withdrawn', 'expired'] as const).map((state): [string, Partial<views.CallPage>] => [state, { state }]),
];

export const REPORTS: readonly views.ReportState[] = [
  { kind: 'sent' },
  { kind: 'invalid', text: '' },
  { kind: 'invalid', text: 'Much too long' },
  { kind: 'too_many', open: 5 },
];

const AT = '2026-12-01T08:00:00.000Z';
const SPENT = { total: 31, host: 30.5, customer: 30, joint: 29.75 };

export const evidence = (language: Language): views.EvidencePage => ({
  language,
  now: NOW,
  marketplace: 'Expert Hour',
  evidence: {
    format: 1,
    issuer: 'https://meet.example',
    marketplace_id: 'mkt_1',
    exported_at: AT,
    incident: {
      id: 'inc_1',
      meeting_id: 'mtg_1',
      reported_by: 'customer',
      reporter_id: 'cus_1',
      kind: 'dispute',
      text: 'Half an hour is missing.',
      state: 'resolved',
      reported_at: AT,
      resolution: 'Half of it goes back.',
      resolved_at: AT,
      timeline: [
        { at: AT, kind: 'reported', by: 'customer', state: 'open', text: null },
        { at: AT, kind: 'note', by: 'operator', state: null, text: 'Asked both' },
        { at: AT, kind: 'state', by: 'marketplace', state: 'resolved', text: 'Half of it goes back.' },
      ],
    },
    meeting: {
      id: 'mtg_1',
      booking: { id: 'bk_1', kind: 'one_to_one', title: 'Tax consultation' },
      professional_id: 'pro_1',
      provider: 'zoom',
      state: 'ended',
      starts_at: AT,
      duration_minutes: 60,
      time_zone: 'Europe/Berlin',
      recording: 'on_consent',
      records_automatically: false,
      limit_minutes: 40,
      started_at: AT,
      ended_at: AT,
      ended_by: 'professional',
      cancel_reason: null,
      continues: null,
      continued_by: null,
      call_id: null,
      created_at: AT,
    },
    customers: [
      { customer_id: 'cus_1', name: 'Ada', purchased_at: AT, camera_off: false, recording_consent: 'granted' },
      { customer_id: 'cus_2', name: null, purchased_at: null, camera_off: false, recording_consent: 'missing' },
    ],
    sessions: {
      minutes: SPENT,
      sessions: [
        {
          started_at: AT,
          ended_at: null,
          limit_reached: false,
          estimated: true,
          source: 'events',
          participants: [
            { side: 'host', customer_id: null, stays: [{ joined_at: AT, left_at: AT }] },
            { side: 'customer', customer_id: 'cus_1', stays: [{ joined_at: AT, left_at: null }] },
          ],
          minutes: SPENT,
        },
      ],
      segments: [],
      segments_minutes: SPENT,
    },
    consents: [{ at: AT, customer_id: 'cus_1', decision: 'granted', locale: 'en', text_version: 'v1', channel: 'join_page' }],
    link: {
      source: 'created',
      locked_at: AT,
      history: (['created', 'ready', 'replaced', 'purchased', 'locked', 'continued'] as const).map((what) => ({
        at: AT,
        what,
        customer_id: null,
      })),
      followed: [{ at: AT, side: 'customer', customer_id: 'cus_1' }],
      places: [{ at: AT, customer_id: 'cus_1' }],
      guests: [
        {
          id: 'gst_1',
          name: 'Bo',
          invited_by: 'customer',
          customer_id: 'cus_1',
          uses: 2,
          created_at: AT,
          last_used_at: null,
          revoked_at: null,
        },
      ],
    },
    recordings: [
      {
        id: 'rec_1',
        source: 'provider',
        state: 'published',
        reason: null,
        started_at: AT,
        ended_at: AT,
        ready_at: AT,
        published_at: AT,
        expires_at: AT,
        erased_at: null,
        at_vendor: null,
        links: [
          {
            kind: 'recipient',
            customer_id: 'cus_1',
            incident_id: null,
            created_at: AT,
            views: 2,
            first_viewed_at: AT,
            expires_at: null,
            revoked_at: null,
          },
        ],
      },
    ],
    meter: {
      credit_blocks: 4,
      used_blocks: 1,
      exhausted_at: null,
      blocks: [{ session: 'run_1', number: 1, starts_at: AT, voided_at: AT }],
    },
    early_ends: [
      { id: 'ear_1', asked_at: AT, asked_by: 'professional', customer_id: null, state: 'refused', answer_by: AT, answered_at: AT },
    ],
    ratings: [{ at: AT, customer_id: 'cus_1', professional: 1, connection: 4, comment: 'Too short' }],
    events: [
      {
        id: 'evt_1',
        type: 'meeting.started',
        at: AT,
        sequence: 1,
        data: null,
        deliveries: [{ id: 'dlv_1', endpoint_id: 'whe_1', state: 'delivered', reason: null, created_at: AT, attempts: [] }],
      },
    ],
    audit: [
      {
        id: 'aud_1',
        seq: 7,
        previous: 'a'.repeat(64),
        hash: 'b'.repeat(64),
        at: AT,
        action: 'incident.moved',
        subject_id: 'inc_1',
        details: {},
      },
    ],
    left_out: ['events'],
  },
});

const NOTICES = Object.keys(TEXTS.en.connectNotice) as views.ConnectNotice[];
const REASONS = Object.keys(TEXTS.en.connectReason) as views.ReconnectReason[];

/** Every page in every state, by a name. */
export function everyPage(language: Language): ReadonlyMap<string, views.Html> {
  const pages = new Map<string, views.Html>();
  const add = (name: string, html: views.Html): void => void pages.set(`${name}-${pages.size}`, html);
  add('connect', views.connectPage(connect(language)));
  for (const kind of NOTICES) add(`connect-${kind}`, views.connectPage(connect(language, { notice: { kind, app: 'Zoom' } })));
  for (const trouble of REASONS) {
    const apps = [zoomWith({ ...account, email: null, trouble })];
    add(`connect-${trouble}`, views.connectPage(connect(language, { apps, returnUrl: null })));
  }
  const incomplete = {
    ...account,
    plan: 'paid' as const,
    limit: null,
    recording: 'permission' as const,
    missingPermissions: [{ name: 'cloud_recording:read', neededFor: 'recordings' as const }],
  };
  add('connect-incomplete', views.connectPage(connect(language, { apps: [zoomWith(incomplete), { ...meetWith(), configured: false }] })));
  add('connect-several', views.connectPage(connect(language, { apps: [meetWith(...severalAccounts)] })));
  add('connect-none', views.connectPage(connect(language, { apps: [zoomWith(), { ...APP, ...TEAMS, adminConsent: true, accounts: [] }] })));
  add('admin-link', views.adminLinkPage(adminLink(language)));
  for (const state of JOIN_STATES) {
    add(`join-${state.kind}`, views.joinPage(join(language, { state, limitMinutes: 60, cameraOff: true })));
    add(`host-${state.kind}`, views.hostPage(host(language, { state })));
  }
  for (const calendar of ['add', 'take_out'] as const) add(`join-${calendar}`, views.joinPage(join(language, { calendar })));
  for (const report of REPORTS) {
    add(`join-report-${report.kind}`, views.joinPage(join(language, { report })));
    add(`host-report-${report.kind}`, views.hostPage(host(language, { report })));
  }
  for (const rule of JOIN_RECORDINGS) add(`join-recording-${rule.kind}`, views.joinPage(join(language, { recording: rule, live })));
  for (const mode of ['none', 'on_consent', 'always'] as const)
    add(`host-${mode}`, views.hostPage(host(language, { recording: mode, attendees: [], live })));
  for (const regarded of BARRED) {
    add(`host-${regarded.standing}`, views.hostPage(host(language, { regarded })));
    add(`connect-${regarded.standing}`, views.connectPage(connect(language, { regarded })));
  }
  for (const change of UPLOADS) add('host-uploads', views.hostPage(host(language, { uploads: uploads(change) })));
  for (const [name, change] of LIVE_STATES) {
    add(`join-${name}`, views.joinPage(join(language, change)));
    add(`host-${name}`, views.hostPage(host(language, change)));
  }
  for (const [name, change] of CALLS) add(`call-${name}`, views.callPage(call(language, change)));
  for (const change of GUESTS) {
    add('join-guests', views.joinPage(join(language, { guests: guests(change) })));
    add('host-guests', views.hostPage(host(language, { guests: guests(change) })));
  }
  for (const earlyEnd of EARLY_ENDS) {
    add(`join-early-end-${earlyEnd.kind}`, views.joinPage(join(language, { earlyEnd, live })));
    add(`host-early-end-${earlyEnd.kind}`, views.hostPage(host(language, { earlyEnd, live })));
  }
  for (const rating of RATINGS)
    add(`join-rating-${rating.kind}`, views.joinPage(join(language, { rating, ended: true, state: { kind: 'over' } })));
  for (const state of JOIN_STATES) add(`guest-${state.kind}`, views.guestPage(guest(language, { state, name: null })));
  for (const rule of JOIN_RECORDINGS) add(`guest-recording-${rule.kind}`, views.guestPage(guest(language, { recording: rule })));
  add('guest-must-agree', views.guestPage(guest(language, { recording: JOIN_RECORDINGS[3]!, mustAgree: true })));
  add('guest-revoked', views.guestPage(guest(language, { recording: JOIN_RECORDINGS[5]!, revoked: true })));
  for (const state of RECORDING_STATES) add(`recording-${state.kind}`, views.recordingPage(recording(language, { state })));
  add(
    'recording-upload',
    views.recordingPage(recording(language, { source: 'upload', app: null, recordedAt: null, state: RECORDING_STATES[1]! })),
  );
  add('recording-access', views.recordingPage(recording(language, { access: { incidentId: 'inc_1' }, state: RECORDING_STATES[0]! })));
  add('recording-unknown', views.recordingPage(recording(language, { app: null, recordedAt: null })));
  for (const state of CONTENT_STATES) add(`content-${state.kind}`, views.contentPage(content(language, state)));
  add('evidence', views.evidencePage(evidence(language)));
  for (const status of [401, 402, 404, 409, 410, 429, 500, 503]) {
    const texts = views.messageTexts(language, views.messageKindOf(status));
    add(`message-${status}`, views.messagePage({ language, now: NOW, marketplace: null, ...texts, reference: 'req_1' }));
  }
  return pages;
}
