/**
 * The schema, once for both engines (see `kit.ts`). Columns that end in `Sealed` hold ciphertext of the vault;
 * columns that end in `Hash` hold SHA-256 of a 256-bit random token. Nothing a stranger could use is stored in the clear.
 */
import { sql } from 'drizzle-orm';
import type { Kit } from './kit.ts';

/** One vendor file of a recording, as it is stored. */
export interface StoredFile {
  id: string;
  kind: string;
  contentType: string;
  bytes: number | null;
}

/** Weekly hours in the professional's own zone; `from` and `to` are `HH:MM` local time, `to` may be `24:00`. */
export interface StoredHours {
  day: 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
  from: string;
  to: string;
}

/** Why an app was chosen, as the API shows it. Decisions of earlier releases have no more than `chosen` and the first three of each rejection. */
export interface StoredDecision {
  asked?: string | null;
  chosen: string | null;
  reason?: string | null;
  limit_minutes?: number | null;
  limit_as_of?: string | null;
  limit_source?: string | null;
  plan?: string | null;
  plan_basis?: string | null;
  considered: { provider: string; rejected: string; limit_minutes: number | null; plan?: string | null; plan_basis?: string | null }[];
}

export const defineTables = (kit: Kit) => ({
  marketplaces: kit.table('marketplaces', {
    id: kit.text().primaryKey(),
    name: kit.text().notNull(),
    preset: kit.text().notNull(),
    /** JSON merge patch over the preset. */
    policyPatch: kit.json<Record<string, unknown>>().notNull(),
    returnUrls: kit.json<string[]>().notNull(),
    createdAt: kit.instant().notNull(),
  }),

  apiKeys: kit.table(
    'api_keys',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      keyHash: kit.text().notNull(),
      createdAt: kit.instant().notNull(),
      revokedAt: kit.instant(),
    },
    (t) => [kit.unique('api_keys_hash').on(t.keyHash)],
  ),

  connectSessions: kit.table(
    'connect_sessions',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      tokenHash: kit.text().notNull(),
      providers: kit.json<string[]>().notNull(),
      returnUrl: kit.text(),
      locale: kit.text(),
      createdAt: kit.instant().notNull(),
      expiresAt: kit.instant().notNull(),
    },
    (t) => [kit.unique('connect_sessions_token').on(t.tokenHash)],
  ),

  /** One attempt to authorize at a vendor; the OAuth `state` is its secret and works once. */
  authorizations: kit.table('authorizations', {
    stateHash: kit.text().primaryKey(),
    sessionId: kit.text().notNull(),
    provider: kit.text().notNull(),
    /** Binds the callback to the browser that began. */
    browserHash: kit.text().notNull(),
    codeVerifierSealed: kit.bytes().notNull(),
    /** For the way back to the connect page. */
    connectTokenSealed: kit.bytes().notNull(),
    recordings: kit.boolean().notNull(),
    /** `connect`, or `admin_consent`: an administrator agrees for a whole organisation, and no account comes of it. */
    kind: kit.text().notNull().default('connect'),
    /** The connection that is being renewed; another account than its own is not taken for it. */
    connectionId: kit.text(),
    expiresAt: kit.instant().notNull(),
  }),

  /**
   * What a vendor account has granted to this gateway: one row, however many professionals and marketplaces use the account. Vendors
   * keep one grant per user and app, so tokens of two connections of one account would end each other.
   */
  grants: kit.table(
    'grants',
    {
      id: kit.text().primaryKey(),
      provider: kit.text().notNull(),
      /** `user`: by OAuth, with a refresh token. `platform`: the operator's own account, by its credentials. */
      kind: kit.text().notNull(),
      /** The vendor's user id; of a platform's grant, whom its token speaks for. */
      accountId: kit.text().notNull(),
      /** `{accessToken, refreshToken}`; null once the grant is over. */
      tokensSealed: kit.bytes(),
      accessExpiresAt: kit.instant(),
      scopes: kit.json<string[]>().notNull(),
      /** Counts the token pairs; a refresh replaces the version it read or nothing. */
      tokenVersion: kit.integer().notNull(),
      refreshLeasedUntil: kit.instant(),
      /** When the vendor last gave tokens; an idle grant dies by the vendor's clock. */
      refreshedAt: kit.instant().notNull(),
      /** Refreshes that failed in a row, since when, and when the next may be tried. */
      failures: kit.integer().notNull(),
      failingSince: kit.instant(),
      retryAt: kit.instant(),
    },
    (t) => [kit.unique('grants_account').on(t.provider, t.kind, t.accountId)],
  ),

  connections: kit.table(
    'connections',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      /** Null for a platform-hosted account. */
      professionalId: kit.text(),
      provider: kit.text().notNull(),
      accountId: kit.text().notNull(),
      organisation: kit.text(),
      email: kit.text(),
      /** As the vendor tells it; `unknown` where it does not. */
      plan: kit.text().notNull(),
      /** As the professional says it is; null while nothing was said. */
      declaredPlan: kit.text(),
      /** As it showed itself (a meeting cut off at the limit, a recording that only a paid plan makes); null while nothing did. */
      learnedPlan: kit.text(),
      createsMeetings: kit.boolean().notNull(),
      cloudRecording: kit.text().notNull(),
      grantId: kit.text().notNull(),
      status: kit.text().notNull(),
      /** One of `CONNECTION_REASONS`; null while it is active. */
      statusReason: kit.text(),
      /** Counts the changes of the status, so that each is told once. */
      statusVersion: kit.integer().notNull(),
      /** When the professional last chose it before the others; the latest counts. */
      preferredAt: kit.instant(),
      /** When plan and capabilities were read at the vendor. */
      profileReadAt: kit.instant().notNull(),
      /** Meetings that this host may run at once. Counted for platform-hosted accounts only. */
      concurrentMeetings: kit.integer().notNull(),
      /** Set when the vendor asked for the user's data to be erased. */
      erasedAt: kit.instant(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [
      kit.unique('connections_account').on(t.marketplaceId, t.professionalId, t.provider, t.accountId),
      kit.index('connections_vendor_account').on(t.provider, t.accountId),
      kit.index('connections_grant').on(t.grantId),
    ],
  ),

  /** When a platform's host is taken by a meeting. A host that is taken cannot be given to another one. */
  hostSlots: kit.table(
    'host_slots',
    {
      meetingId: kit.text().primaryKey(),
      connectionId: kit.text().notNull(),
      startsAt: kit.instant().notNull(),
      endsAt: kit.instant().notNull(),
    },
    (t) => [kit.index('host_slots_host').on(t.connectionId, t.endsAt)],
  ),

  /** What was used of a vendor's quota, and pauses that a vendor asked for. A row ends with its window. */
  quotaWindows: kit.table(
    'quota_windows',
    {
      key: kit.text().primaryKey(),
      used: kit.integer().notNull(),
      endsAt: kit.instant().notNull(),
    },
    (t) => [kit.index('quota_windows_end').on(t.endsAt)],
  ),

  /** What only the operator can repair, for as long as it lasts: a client secret that the vendor refuses, for one. */
  alarms: kit.table('alarms', {
    name: kit.text().primaryKey(),
    detail: kit.text().notNull(),
    raisedAt: kit.instant().notNull(),
    seenAt: kit.instant().notNull(),
    count: kit.integer().notNull(),
  }),

  /** The keys that have sealed something here, each with a known text: a wrong key is noticed at start, not at the first token. */
  encryptionKeys: kit.table('encryption_keys', {
    id: kit.text().primaryKey(),
    checkSealed: kit.bytes().notNull(),
    createdAt: kit.instant().notNull(),
  }),

  subscriptions: kit.table(
    'subscriptions',
    {
      provider: kit.text().notNull(),
      vendorId: kit.text().notNull(),
      connectionId: kit.text().notNull(),
      expiresAt: kit.instant().notNull(),
    },
    (t) => [kit.primaryKey({ columns: [t.provider, t.vendorId] }), kit.unique('subscriptions_connection').on(t.connectionId)],
  ),

  meetings: kit.table(
    'meetings',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      bookingId: kit.text().notNull(),
      bookingKind: kit.text().notNull(),
      title: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      connectionId: kit.text(),
      provider: kit.text().notNull(),
      state: kit.text().notNull(),
      purchaseBy: kit.instant().notNull(),
      startsAt: kit.instant().notNull(),
      durationMinutes: kit.integer().notNull(),
      timeZone: kit.text().notNull(),
      recording: kit.text().notNull(),
      /** Whether the vendor records by itself, as read back from it (G12). */
      recordsAutomatically: kit.boolean().notNull(),
      linkSource: kit.text().notNull(),
      lockedAt: kit.instant(),
      vendorMeetingId: kit.text(),
      vendorDetails: kit.json<Record<string, string>>().notNull(),
      vendorJoinUrlSealed: kit.bytes(),
      degraded: kit.json<string[]>().notNull(),
      hostTokenHash: kit.text().notNull(),
      hostTokenSealed: kit.bytes().notNull(),
      plan: kit.text().notNull(),
      /** How the plan is known: `vendor`, `learned`, `declared`, or `none`. */
      planBasis: kit.text().notNull(),
      limitMinutes: kit.integer(),
      limitExceeded: kit.boolean().notNull(),
      decision: kit.json<StoredDecision>().notNull(),
      startedAt: kit.instant(),
      endedAt: kit.instant(),
      /** The run that goes on now, by the vendor's start of it; null while none does. */
      runningSince: kit.instant(),
      /** When the plan ends that run; null when it does not. */
      limitEndsAt: kit.instant(),
      /** Since when the host is away from that run; null while present, and before the host came. */
      hostAwaySince: kit.instant(),
      /** Set while customers are told that the host is lost (R06). */
      hostLostAt: kit.instant(),
      /** The meeting that this one continues, and the one that continues it, after a limit ended it. */
      continues: kit.text(),
      continuedBy: kit.text(),
      /** The call on demand that it came of. */
      callId: kit.text(),
      /** `customer`, `professional`, `marketplace` or `gateway`, where one of them ended it (T09). */
      endedBy: kit.text(),
      cancelReason: kit.text(),
      /** Digest of the Idempotency-Key it was asked for with: a repeat after a crash finds its own meeting. */
      requestKey: kit.text(),
      /** The idempotency key that the vendor's meeting was made under; another one after a change of the app. */
      vendorKey: kit.text().notNull(),
      packageId: kit.text(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [
      kit.unique('meetings_vendor').on(t.provider, t.vendorMeetingId),
      kit.unique('meetings_host_token').on(t.hostTokenHash),
      kit.index('meetings_marketplace').on(t.marketplaceId, t.id),
      kit.index('meetings_package').on(t.packageId),
      kit.index('meetings_connection').on(t.connectionId, t.startsAt),
      kit.index('meetings_booking').on(t.marketplaceId, t.bookingId),
    ],
  ),

  /** Meetings that are sold together, all or none (G07). */
  packages: kit.table('packages', {
    id: kit.text().primaryKey(),
    marketplaceId: kit.text().notNull(),
    bookingId: kit.text().notNull(),
    /** Null until every link is there. */
    settledAt: kit.instant(),
    createdAt: kit.instant().notNull(),
  }),

  /** Meetings at a vendor that no meeting of ours uses any more, or that a lost answer may have left behind: to be taken away. */
  staleLinks: kit.table('stale_links', {
    /** The idempotency key that it was made under. */
    key: kit.text().primaryKey(),
    meetingId: kit.text().notNull(),
    connectionId: kit.text().notNull(),
    /** Null: perhaps there is none; it is looked for by its key. */
    vendorMeetingId: kit.text(),
    vendorDetails: kit.json<Record<string, string>>().notNull(),
    joinUrlSealed: kit.bytes(),
  }),

  /**
   * What really happened in a meeting: a set of facts as the vendor told them, each one once. Sessions, stays and minutes are computed
   * from the set, so the order in which they arrived does not matter.
   */
  meetingFacts: kit.table(
    'meeting_facts',
    {
      meetingId: kit.text().notNull(),
      /** Digest of everything that makes it this fact. */
      key: kit.text().notNull(),
      marketplaceId: kit.text().notNull(),
      /** One run of the vendor's meeting. */
      instanceId: kit.text().notNull(),
      /** `started`, `ended`, `joined`, `left`. */
      kind: kit.text().notNull(),
      at: kit.instant().notNull(),
      /** The vendor's id of a stay; null for the run itself. */
      participantId: kit.text(),
      /** `host`, `customer`, or `unknown` where the vendor does not tell who it is. */
      side: kit.text().notNull(),
      customerId: kit.text(),
      limitReached: kit.boolean().notNull(),
      /** `vendor`: told as an event. `attendance`: reported afterwards. `estimate`: from the join clicks. */
      source: kit.text().notNull(),
    },
    (t) => [kit.primaryKey({ columns: [t.meetingId, t.key] })],
  ),

  /** At most one meeting that is not over per booking and customer; the row goes when the meeting is over. */
  liveBookings: kit.table('live_bookings', { key: kit.text().primaryKey(), meetingId: kit.text().notNull() }, (t) => [
    kit.index('live_bookings_meeting').on(t.meetingId),
  ]),

  /** Every vendor link that was ever used, over all marketplaces (G05). */
  usedLinks: kit.table('used_links', { linkHash: kit.text().primaryKey(), meetingId: kit.text().notNull() }),

  attendees: kit.table(
    'attendees',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      meetingId: kit.text().notNull(),
      customerId: kit.text().notNull(),
      name: kit.text(),
      locale: kit.text(),
      cameraOff: kit.boolean().notNull(),
      purchasedAt: kit.instant(),
      recordingConsent: kit.text().notNull(),
      joinTokenHash: kit.text().notNull(),
      joinTokenSealed: kit.bytes().notNull(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [kit.unique('attendees_customer').on(t.meetingId, t.customerId), kit.unique('attendees_join_token').on(t.joinTokenHash)],
  ),

  /** Append-only: every decision a customer ever made (G12). */
  consents: kit.table(
    'consents',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      meetingId: kit.text().notNull(),
      customerId: kit.text().notNull(),
      decision: kit.text().notNull(),
      locale: kit.text().notNull(),
      textVersion: kit.text().notNull(),
      channel: kit.text().notNull(),
      at: kit.instant().notNull(),
    },
    (t) => [kit.index('consents_meeting').on(t.meetingId)],
  ),

  /** What a customer or professional told support about a meeting (G20, F06). */
  incidents: kit.table(
    'incidents',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      meetingId: kit.text().notNull(),
      side: kit.text().notNull(),
      /** The customer's or the professional's id at the marketplace. */
      reporterId: kit.text().notNull(),
      kind: kit.text(),
      text: kit.text().notNull(),
      /** `open`, `investigating`, `resolved` (C04). */
      state: kit.text().notNull(),
      resolution: kit.text(),
      resolvedAt: kit.instant(),
      at: kit.instant().notNull(),
    },
    (t) => [kit.index('incidents_meeting').on(t.meetingId), kit.index('incidents_marketplace').on(t.marketplaceId, t.id)],
  ),

  /** What happened to an incident, oldest first (C04). */
  incidentEntries: kit.table(
    'incident_entries',
    {
      id: kit.text().primaryKey(),
      incidentId: kit.text().notNull(),
      marketplaceId: kit.text().notNull(),
      at: kit.instant().notNull(),
      /** `reported`, `state`, `note`. */
      kind: kit.text().notNull(),
      /** Who wrote it: `customer`, `professional`, `marketplace`. */
      by: kit.text().notNull(),
      state: kit.text(),
      text: kit.text(),
    },
    (t) => [kit.index('incident_entries_incident').on(t.incidentId, t.id)],
  ),

  /** What a marketplace tells of its professionals, and what it decided about them. */
  professionals: kit.table(
    'professionals',
    {
      marketplaceId: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      /** `available`, `away`, `busy`, `unknown` (T02); holds until `presentUntil`, then it is `unknown`. */
      presence: kit.text().notNull(),
      video: kit.boolean().notNull(),
      presentUntil: kit.instant(),
      /** Counts the changes of the presence, so that each is told once. */
      presenceVersion: kit.integer().notNull(),
      /** IANA name; null while no hours were given (T01). */
      timeZone: kit.text(),
      hours: kit.json<StoredHours[]>().notNull(),
      /** Of a meeting that is asked for without a length (R02). */
      defaultDurationMinutes: kit.integer(),
      /** `good`, `warned`, `suspended`, `terminated` (C01). */
      standing: kit.text().notNull(),
      /** When a suspension ends by itself. */
      standingUntil: kit.instant(),
      /** The decision in force; null while there was none. */
      decisionId: kit.text(),
    },
    (t) => [kit.primaryKey({ columns: [t.marketplaceId, t.professionalId] })],
  ),

  /** Append-only: every decision about a professional's standing (C01). */
  standingDecisions: kit.table(
    'standing_decisions',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      standing: kit.text().notNull(),
      until: kit.instant(),
      reason: kit.text().notNull(),
      incidentId: kit.text(),
      /** The appeal that it answers; null for a decision of its own. */
      appealId: kit.text(),
      at: kit.instant().notNull(),
    },
    (t) => [kit.index('standing_decisions_professional').on(t.marketplaceId, t.professionalId, t.id)],
  ),

  /** Against a decision, with evidence as links (C02). */
  appeals: kit.table(
    'appeals',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      decisionId: kit.text().notNull(),
      text: kit.text().notNull(),
      evidence: kit.json<{ url: string; title: string | null }[]>().notNull(),
      /** `open`, `upheld` (the decision stays), `granted` (it is taken back or changed). */
      state: kit.text().notNull(),
      answer: kit.text(),
      at: kit.instant().notNull(),
      decidedAt: kit.instant(),
    },
    (t) => [kit.unique('appeals_decision').on(t.decisionId), kit.index('appeals_professional').on(t.marketplaceId, t.professionalId, t.id)],
  ),

  /** A call on demand, from the request to its answer (T03, R03). */
  calls: kit.table(
    'calls',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      bookingId: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      customerId: kit.text().notNull(),
      /** `customer` or `professional`: the other side answers. */
      initiator: kit.text().notNull(),
      purpose: kit.text(),
      conversationId: kit.text(),
      video: kit.boolean().notNull(),
      prepaidBlocks: kit.integer(),
      /** `ringing`, `accepted`, `declined`, `withdrawn`, `expired`. */
      state: kit.text().notNull(),
      /** False: the other side sees it counted and hears nothing (T02 `away`). */
      rings: kit.boolean().notNull(),
      acceptBy: kit.instant().notNull(),
      /** While it rings: since when an answer is under way. Then: when it was accepted, declined, withdrawn or expired. */
      answeredAt: kit.instant(),
      /** The meeting that the acceptance made. */
      meetingId: kit.text(),
      /** What the meeting is made of: provider, duration, recording, locale and names, as asked for. */
      request: kit.json<Record<string, unknown>>().notNull(),
      /** The pages of both sides while it rings. */
      professionalTokenHash: kit.text().notNull(),
      professionalTokenSealed: kit.bytes().notNull(),
      customerTokenHash: kit.text().notNull(),
      customerTokenSealed: kit.bytes().notNull(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [
      kit.unique('calls_professional_token').on(t.professionalTokenHash),
      kit.unique('calls_customer_token').on(t.customerTokenHash),
      kit
        .unique('calls_ringing')
        .on(t.marketplaceId, t.professionalId, t.customerId)
        .where(sql`state = 'ringing'`),
      kit.index('calls_professional').on(t.marketplaceId, t.professionalId, t.id),
      kit.index('calls_marketplace').on(t.marketplaceId, t.id),
    ],
  ),

  /** What a metered meeting may use and has used (T04 to T11). */
  meters: kit.table('meters', {
    meetingId: kit.text().primaryKey(),
    marketplaceId: kit.text().notNull(),
    bookingId: kit.text().notNull(),
    /** Blocks that the marketplace has paid for, all sessions of the meeting together; null: not limited. */
    creditBlocks: kit.integer(),
    usedBlocks: kit.integer().notNull(),
    /** When the block that runs now ends; null while none does. */
    blockEndsAt: kit.instant(),
    exhaustedAt: kit.instant(),
    /** What the marketplace wants the join page to show of the customer's balance. */
    balanceText: kit.text(),
  }),

  /** Every block that was told, so that none is charged twice however the facts arrive. */
  meterBlocks: kit.table(
    'meter_blocks',
    {
      meetingId: kit.text().notNull(),
      marketplaceId: kit.text().notNull(),
      bookingId: kit.text().notNull(),
      /** The vendor's run. */
      instanceId: kit.text().notNull(),
      /** From 1 in each session. */
      number: kit.integer().notNull(),
      startsAt: kit.instant().notNull(),
      voidedAt: kit.instant(),
    },
    (t) => [
      kit.primaryKey({ columns: [t.meetingId, t.instanceId, t.number] }),
      kit.index('meter_blocks_booking').on(t.marketplaceId, t.bookingId),
    ],
  ),

  /** One side asks to end before the time, the other answers (R05). */
  earlyEnds: kit.table(
    'early_ends',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      meetingId: kit.text().notNull(),
      /** `customer` or `professional`. */
      askedBy: kit.text().notNull(),
      /** The customer who asked; null for the professional. */
      customerId: kit.text(),
      /** `asked`, `agreed`, `refused`, `lapsed`, `withdrawn`. */
      state: kit.text().notNull(),
      answerBy: kit.instant().notNull(),
      answeredAt: kit.instant(),
      at: kit.instant().notNull(),
    },
    (t) => [
      kit
        .unique('early_ends_asked')
        .on(t.meetingId)
        .where(sql`state = 'asked'`),
      kit.index('early_ends_meeting').on(t.meetingId, t.id),
    ],
  ),

  /** Join links for people who are no customers, where the policy allows them (F10). */
  guests: kit.table(
    'guests',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      meetingId: kit.text().notNull(),
      name: kit.text(),
      /** `customer`, `professional` or `marketplace`. */
      invitedBy: kit.text().notNull(),
      customerId: kit.text(),
      tokenHash: kit.text().notNull(),
      tokenSealed: kit.bytes().notNull(),
      uses: kit.integer().notNull(),
      lastUsedAt: kit.instant(),
      revokedAt: kit.instant(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [kit.unique('guests_token').on(t.tokenHash), kit.index('guests_meeting').on(t.meetingId, t.id)],
  ),

  /** Browsers that a personal join link was opened from, as digests: a second one is flagged (F10). */
  joinPlaces: kit.table(
    'join_places',
    {
      attendeeId: kit.text().notNull(),
      placeHash: kit.text().notNull(),
      at: kit.instant().notNull(),
    },
    (t) => [kit.primaryKey({ columns: [t.attendeeId, t.placeHash] })],
  ),

  /** One per customer and meeting, for the professional and for the technical connection (R07). */
  ratings: kit.table(
    'ratings',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      meetingId: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      customerId: kit.text().notNull(),
      /** 1 to 5. */
      professional: kit.integer().notNull(),
      connection: kit.integer().notNull(),
      comment: kit.text(),
      at: kit.instant().notNull(),
    },
    (t) => [
      kit.unique('ratings_customer').on(t.meetingId, t.customerId),
      kit.index('ratings_professional').on(t.marketplaceId, t.professionalId, t.id),
    ],
  ),

  /** Files and links that are sold, up to three a booking, opened after the purchase (T13). */
  contents: kit.table(
    'contents',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      bookingId: kit.text().notNull(),
      professionalId: kit.text().notNull(),
      title: kit.text().notNull(),
      /** `{url, passcode}`; null once it is erased. */
      linkSealed: kit.bytes(),
      fingerprint: kit.text().notNull(),
      erasedAt: kit.instant(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [kit.unique('contents_fingerprint').on(t.fingerprint), kit.index('contents_booking').on(t.marketplaceId, t.bookingId, t.id)],
  ),

  /** Who bought a booking's contents: one personal link to all of them, for a time. */
  contentLinks: kit.table(
    'content_links',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      bookingId: kit.text().notNull(),
      customerId: kit.text().notNull(),
      tokenHash: kit.text().notNull(),
      tokenSealed: kit.bytes(),
      views: kit.integer().notNull(),
      firstViewedAt: kit.instant(),
      expiresAt: kit.instant().notNull(),
      revokedAt: kit.instant(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [
      kit.unique('content_links_token').on(t.tokenHash),
      kit.unique('content_links_customer').on(t.marketplaceId, t.bookingId, t.customerId),
    ],
  ),

  recordings: kit.table(
    'recordings',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      meetingId: kit.text().notNull(),
      source: kit.text().notNull(),
      state: kit.text().notNull(),
      /** Why it is withheld or was taken back: one of `WITHHELD_REASONS` or `REVOKED_REASONS`. */
      reason: kit.text(),
      /** Digest of the vendor's id: recognizes late repeats after the id itself has been erased. */
      fingerprint: kit.text().notNull(),
      vendorRecordingSealed: kit.bytes(),
      /** Where the media lie, `{url, passcode}`: an uploaded link, or the vendor's own page of the recording. */
      linkSealed: kit.bytes(),
      title: kit.text(),
      files: kit.json<StoredFile[]>().notNull(),
      startedAt: kit.instant(),
      endedAt: kit.instant(),
      /** When the vendor had finished it, or its link was uploaded. */
      readyAt: kit.instant(),
      publishedAt: kit.instant(),
      expiresAt: kit.instant(),
      /** When the vendor was last asked to show it to whoever has its link (policy `redirect`); null while it does not. */
      sharedAt: kit.instant(),
      /** What became of it at the vendor when its time was over: one of `VENDOR_ENDINGS`; null while nothing is to be done there. */
      vendorEnding: kit.text(),
      vendorEndedAt: kit.instant(),
      erasedAt: kit.instant(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [kit.unique('recordings_fingerprint').on(t.fingerprint), kit.index('recordings_meeting').on(t.meetingId)],
  ),

  recordingLinks: kit.table(
    'recording_links',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      recordingId: kit.text().notNull(),
      /** `recipient`, or `operator`: for who looks into a reported meeting (F08). */
      kind: kit.text().notNull(),
      /** Whose it is; of an operator's link, who asked for it. */
      customerId: kit.text().notNull(),
      /** The open incident that an operator's link rests on. */
      incidentId: kit.text(),
      tokenHash: kit.text().notNull(),
      /** To show the link again by API; erased with the recording. */
      tokenSealed: kit.bytes(),
      views: kit.integer().notNull(),
      firstViewedAt: kit.instant(),
      /** When it ends before its recording does, as an operator's or one that was taken back alone; null where it lives as long. */
      expiresAt: kit.instant(),
      revokedAt: kit.instant(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [
      kit
        .unique('recording_links_recipient')
        .on(t.recordingId, t.customerId)
        .where(sql`revoked_at is null and kind = 'recipient'`),
      kit.index('recording_links_recording').on(t.recordingId),
      kit.unique('recording_links_token').on(t.tokenHash),
    ],
  ),

  /** That a meeting which took place should have a recording, and until when it is looked for (G13). */
  recordingExpectations: kit.table(
    'recording_expectations',
    {
      meetingId: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      /** `open`, `met`, or `missed` when nothing was found until the deadline. */
      state: kit.text().notNull(),
      /** `webhook` or `reconciliation`; null while nothing was found. */
      metBy: kit.text(),
      endedAt: kit.instant().notNull(),
      deadline: kit.instant().notNull(),
      /** How often the vendor was asked. */
      looks: kit.integer().notNull(),
      lookedAt: kit.instant(),
    },
    (t) => [
      kit
        .index('recording_expectations_open')
        .on(t.deadline)
        .where(sql`state = 'open'`),
    ],
  ),

  /** Keys that sign certificates and evidence. The public half stays for ever, so that what was signed can always be verified. */
  signingKeys: kit.table('signing_keys', {
    id: kit.text().primaryKey(),
    publicJwk: kit.json<Record<string, string>>().notNull(),
    privateSealed: kit.bytes().notNull(),
    createdAt: kit.instant().notNull(),
  }),

  webhookEndpoints: kit.table(
    'webhook_endpoints',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      url: kit.text().notNull(),
      events: kit.json<string[]>().notNull(),
      description: kit.text(),
      secretSealed: kit.bytes().notNull(),
      /** Signs along until `previousSecretUntil` after a rotation. */
      previousSecretSealed: kit.bytes(),
      previousSecretUntil: kit.instant(),
      disabledAt: kit.instant(),
      /** `asked`, `gone` (it answered 410) or `failing` (nothing else for days). */
      disabledReason: kit.text(),
      /** Since when every attempt has failed; null after a success. */
      failingSince: kit.instant(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [kit.index('webhook_endpoints_marketplace').on(t.marketplaceId)],
  ),

  events: kit.table(
    'events',
    {
      /** Derived from what happened, so that a repeat or a restored backup gives the same id. */
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      type: kit.text().notNull(),
      /** The meeting, recording or connection it is about. */
      subjectId: kit.text().notNull(),
      at: kit.instant().notNull(),
      /** Sorts the list and serves as cursor. */
      position: kit.text().notNull(),
      /** Counts the events about one meeting, from 1; null for what is about no meeting. */
      sequence: kit.integer(),
      data: kit.json<Record<string, unknown>>().notNull(),
      /** Links that belong into `data` when it is sent; erased when they end. */
      linksSealed: kit.bytes(),
    },
    (t) => [kit.index('events_position').on(t.marketplaceId, t.position), kit.index('events_subject').on(t.subjectId)],
  ),

  /** The last sequence number of each meeting. */
  eventSequences: kit.table('event_sequences', { meetingId: kit.text().primaryKey(), last: kit.integer().notNull() }),

  deliveries: kit.table(
    'deliveries',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      eventId: kit.text().notNull(),
      endpointId: kit.text().notNull(),
      state: kit.text().notNull(),
      /** Why it is dead. */
      reason: kit.text(),
      dueAt: kit.instant().notNull(),
      leasedUntil: kit.instant(),
      attempts: kit.integer().notNull(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [
      kit.unique('deliveries_event_endpoint').on(t.eventId, t.endpointId),
      kit
        .index('deliveries_due')
        .on(t.dueAt)
        .where(sql`state = 'pending'`),
      kit.index('deliveries_endpoint').on(t.endpointId, t.id),
    ],
  ),

  deliveryAttempts: kit.table(
    'delivery_attempts',
    {
      id: kit.text().primaryKey(),
      deliveryId: kit.text().notNull(),
      at: kit.instant().notNull(),
      /** HTTP status; null when no answer came. */
      status: kit.integer(),
      durationMs: kit.integer().notNull(),
      /** The answer, cut; or what went wrong. */
      answer: kit.text().notNull(),
    },
    (t) => [kit.index('delivery_attempts_delivery').on(t.deliveryId, t.id)],
  ),

  /** What vendors sent, stored before it was acknowledged. The key is ordered by the vendor's event time. */
  inbox: kit.table(
    'inbox',
    {
      key: kit.text().primaryKey(),
      provider: kit.text().notNull(),
      /** Erased as soon as it has been applied. Vendors put tokens into their deliveries. */
      bodySealed: kit.bytes(),
      state: kit.text().notNull(),
      reason: kit.text(),
      receivedAt: kit.instant().notNull(),
      dueAt: kit.instant().notNull(),
      leasedUntil: kit.instant(),
      attempts: kit.integer().notNull(),
    },
    (t) => [
      kit
        .index('inbox_due')
        .on(t.dueAt)
        .where(sql`state = 'pending'`),
    ],
  ),

  jobs: kit.table(
    'jobs',
    {
      /** `<kind>:<subject>`; scheduling it again moves the same job. */
      id: kit.text().primaryKey(),
      kind: kit.text().notNull(),
      subjectId: kit.text().notNull(),
      /** Who does it, by its kind: so that ten thousand due jobs of one lane are nothing that another lane has to look through. */
      lane: kit.text().notNull().default('each'),
      dueAt: kit.instant().notNull(),
      leasedUntil: kit.instant(),
      attempts: kit.integer().notNull(),
      /** Set when it failed for good; such a job waits for the operator. */
      deadAt: kit.instant(),
      lastError: kit.text(),
    },
    (t) => [
      kit
        .index('jobs_due')
        .on(t.lane, t.dueAt)
        .where(sql`dead_at is null`),
    ],
  ),

  idempotencyKeys: kit.table(
    'idempotency_keys',
    {
      marketplaceId: kit.text().notNull(),
      key: kit.text().notNull(),
      fingerprint: kit.text().notNull(),
      /** Null while the first request is running. */
      status: kit.integer(),
      bodySealed: kit.bytes(),
      leasedUntil: kit.instant().notNull(),
      createdAt: kit.instant().notNull(),
    },
    (t) => [kit.primaryKey({ columns: [t.marketplaceId, t.key] }), kit.index('idempotency_keys_age').on(t.createdAt)],
  ),

  /** Append-only: who saw, published, revoked or erased what. */
  audit: kit.table(
    'audit',
    {
      id: kit.text().primaryKey(),
      marketplaceId: kit.text().notNull(),
      at: kit.instant().notNull(),
      action: kit.text().notNull(),
      subjectId: kit.text().notNull(),
      details: kit.json<Record<string, unknown>>().notNull(),
      /** Its place in the chain of its marketplace, from 1; null for what was written before there was a chain. */
      seq: kit.integer(),
      /** SHA-256 over this entry and the hash of the one before it. */
      hash: kit.text(),
    },
    (t) => [kit.index('audit_subject').on(t.subjectId, t.id), kit.unique('audit_chain').on(t.marketplaceId, t.seq)],
  ),

  /** The last entry of each marketplace's audit chain. */
  auditHeads: kit.table('audit_heads', {
    marketplaceId: kit.text().primaryKey(),
    seq: kit.integer().notNull(),
    hash: kit.text().notNull(),
  }),

  /** Signs of life, written by each process; also proves that the database takes writes. */
  pulses: kit.table('pulses', { name: kit.text().primaryKey(), at: kit.instant().notNull() }),
});

export type Tables = ReturnType<typeof defineTables>;
