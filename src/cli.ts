/** The operator's commands: `npm run gateway -- <command>`. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { describeDelivery, dropParked, rerunParked, type Chosen } from '../webhooks/parked.ts';
import { disconnect } from './connections/disconnect.ts';
import { addHost, checkPlatforms } from './connections/platform.ts';
import { ConfigInvalid, readConfig } from './config.ts';
import { KeysUnusable } from './connections/keyring.ts';
import { judgeClock, reachVendors } from './connections/reach.ts';
import { REPLACE_SUBSCRIPTION } from './connections/retire.ts';
import { rotateEncryptionKey } from './connections/rotate.ts';
import { countSealed } from './connections/sealed-count.ts';
import { PROVIDER_IDS, type ProviderId } from './domain/apps.ts';
import { Failure } from './domain/failure.ts';
import { PRESET_NAMES } from './domain/presets/index.ts';
import { INCIDENT_STATES } from './domain/incident.ts';
import { RECORDING_STATES } from './domain/recording.ts';
import { verifyAudit } from './evidence/verify-audit.ts';
import { redeliverEvent } from './events/endpoints.ts';
import { skipLostNumbers } from './events/sequence.ts';
import type { Gateway } from './gateway.ts';
import { COMMAND_LINE, moveIncident } from './incidents/move.ts';
import { loadKeys } from './keys.ts';
import { createKey, createMarketplace, revokeKey } from './marketplaces/manage.ts';
import { grantAccess } from './recordings/access.ts';
import { takeBackRecording } from './recordings/erase.ts';
import { openGateway } from './server.ts';
import { listAlarms } from './store/alarms.ts';
import { countConnections, listConnections, listSubscriptions, type Connection } from './store/connections.ts';
import { DatabaseUnusable, type Reader } from './store/database.ts';
import { listKnownKeys } from './store/encryption-keys.ts';
import { INBOX_STATES, listInboxEntries, type InboxEntry, type InboxState } from './store/inbox.ts';
import { listOwnIncidents, type Incident } from './store/incidents.ts';
import { countJobs } from './store/jobs.ts';
import { listMarketplaces } from './store/marketplaces.ts';
import { listOwnRecordings, type Recording } from './store/recordings.ts';

const HELP = `Usage: npm run gateway -- <command> [options] [--json]

  marketplace create --name N [--policy ${PRESET_NAMES.join('|')}] [--return-url URL]...
  marketplace list
  keys create --marketplace M
  keys revoke --key K
  connections list --marketplace M
  connections add-platform ${PROVIDER_IDS.join('|')} --marketplace M --host EMAIL...
  connections remove --marketplace M --connection C
  recordings open --marketplace M --recording R --incident I --reason T
  events redeliver --marketplace M --event E
  events after-restore
  inbox list [--state ${INBOX_STATES.join('|')}] [--provider P]
  inbox show --key K
  inbox rerun --key K | --all [--provider P]
  inbox drop --key K | --all [--provider P]
  recordings list --marketplace M [--state ${RECORDING_STATES.join('|')}]
  recordings erase --marketplace M --recording R
  incidents list --marketplace M [--meeting M] [--state ${INCIDENT_STATES.join('|')}]
  incidents set-state --marketplace M --incident I --state S [--reason T] [--resolution T]
  audit verify [--marketplace M]
  rotate-encryption-key
  doctor`;

/** Rows that are read at once. */
const PAGE = 1_000;

class Usage extends Error {}

type Row = Record<string, unknown>;

const options = {
  json: { type: 'boolean' },
  name: { type: 'string' },
  policy: { type: 'string' },
  'return-url': { type: 'string', multiple: true },
  marketplace: { type: 'string' },
  key: { type: 'string' },
  event: { type: 'string' },
  host: { type: 'string', multiple: true },
  connection: { type: 'string' },
  recording: { type: 'string' },
  incident: { type: 'string' },
  meeting: { type: 'string' },
  reason: { type: 'string' },
  resolution: { type: 'string' },
  state: { type: 'string' },
  provider: { type: 'string' },
  all: { type: 'boolean' },
} as const;

try {
  const { positionals, values } = parseArguments();
  const command = positionals.join(' ');
  const handler = commands(values)[command];
  if (handler === undefined) throw new Usage(command === '' ? HELP : `There is no command "${command}".\n\n${HELP}`);
  const config = readConfig(process.env);
  const gateway = await openGateway(
    { ...config, logLevel: 'silent' },
    { now: () => new Date(), random: randomBytes, keys: loadKeys(config, randomBytes) },
  );
  try {
    const rows = await handler(gateway);
    if (values.json === true) console.log(JSON.stringify(rows));
    else for (const row of Array.isArray(rows) ? rows : [rows]) console.log(shown(row));
  } finally {
    await gateway.db.close();
  }
} catch (error) {
  const expected =
    error instanceof Usage ||
    error instanceof ConfigInvalid ||
    error instanceof DatabaseUnusable ||
    error instanceof KeysUnusable ||
    error instanceof Failure;
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}

function commands(values: ReturnType<typeof parseArguments>['values']): Record<string, (gateway: Gateway) => Promise<Row | Row[]>> {
  const required = (
    name: 'name' | 'marketplace' | 'key' | 'event' | 'connection' | 'recording' | 'incident' | 'reason' | 'state',
  ): string => {
    const value = values[name];
    if (value === undefined || value === '') throw new Usage(`--${name} is missing.`);
    return value;
  };
  const oneProvider = (): ProviderId | undefined => {
    const { provider } = values;
    const known = PROVIDER_IDS.find((id) => id === provider);
    if (provider !== undefined && known === undefined) throw new Usage(`--provider has to be one of ${PROVIDER_IDS.join(', ')}.`);
    return known;
  };
  const chosen = (): Chosen => {
    if (values.all !== true) return { key: required('key') };
    if (values.key !== undefined) throw new Usage('Either --key or --all.');
    return { provider: oneProvider() };
  };
  return {
    'marketplace create': async (gateway) => {
      const preset = PRESET_NAMES.find((known) => known === (values.policy ?? 'guide'));
      if (preset === undefined) throw new Usage(`--policy has to be one of ${PRESET_NAMES.join(', ')}.`);
      const { marketplace, keyId, apiKey } = await createMarketplace(gateway, {
        name: required('name'),
        preset,
        returnUrls: values['return-url'] ?? [],
      });
      return { id: marketplace.id, name: marketplace.name, policy: preset, key_id: keyId, api_key: apiKey };
    },
    'marketplace list': async ({ db }) =>
      (await listMarketplaces(db.read)).map(({ id, name, preset, returnUrls, createdAt }) => ({
        id,
        name,
        policy: preset,
        return_urls: returnUrls,
        created_at: createdAt.toISOString(),
      })),
    'keys create': async (gateway) => {
      const { keyId, apiKey } = await createKey(gateway, required('marketplace'));
      return { key_id: keyId, api_key: apiKey };
    },
    'keys revoke': async (gateway) => {
      await revokeKey(gateway, required('key'));
      return { key_id: required('key'), revoked: true };
    },
    'connections list': async ({ db }) =>
      (await listConnections(db.read, { marketplaceId: required('marketplace') })).map(
        ({ id, professionalId, provider, email, plan, status, statusReason }) => ({
          id,
          professional_id: professionalId,
          provider,
          email,
          plan,
          status,
          status_reason: statusReason,
        }),
      ),
    // One command per provider: the provider is a word of it.
    ...Object.fromEntries(
      PROVIDER_IDS.map((provider) => [
        `connections add-platform ${provider}`,
        async (gateway: Gateway) => {
          const marketplaceId = required('marketplace');
          if (values.host === undefined) throw new Usage('--host is missing.');
          const rows: Row[] = [];
          for (const host of values.host) rows.push(shownHost(await addHost(gateway, { marketplaceId, provider, host })));
          return rows;
        },
      ]),
    ),
    'connections remove': async (gateway) => {
      const id = required('connection');
      await disconnect(gateway, { marketplaceId: required('marketplace'), id });
      return { id, removed: true };
    },
    'recordings open': async (gateway) => {
      const { url, expiresAt, incidentId } = await grantAccess(gateway, {
        marketplaceId: required('marketplace'),
        recordingId: required('recording'),
        incidentId: required('incident'),
        reason: required('reason'),
        by: COMMAND_LINE,
      });
      return { url, expires_at: expiresAt.toISOString(), incident_id: incidentId };
    },
    'events redeliver': async (gateway) => ({
      deliveries: await redeliverEvent(gateway, { marketplaceId: required('marketplace'), id: required('event') }),
    }),
    'events after-restore': async (gateway) => ({ meetings: await skipLostNumbers(gateway) }),
    'inbox list': async ({ db }) => {
      const state = INBOX_STATES.find((known) => known === (values.state ?? 'parked'));
      if (state === undefined) throw new Usage(`--state has to be one of ${INBOX_STATES.join(', ')}.`);
      return (await allInboxEntries(db.read, { state, provider: oneProvider() })).map(shownEntry);
    },
    'inbox show': async (gateway) => {
      const { entry, bytes, about } = await describeDelivery(gateway, required('key'));
      return { ...shownEntry(entry), bytes, about };
    },
    'inbox rerun': async (gateway) => {
      const { rerun, withoutBody } = await rerunParked(gateway, chosen());
      return { rerun, without_body: withoutBody };
    },
    'inbox drop': async (gateway) => ({ ...(await dropParked(gateway, chosen())) }),
    'recordings list': async ({ db }) => {
      const { state } = values;
      const wanted = { marketplaceId: required('marketplace'), state: state === undefined ? state : oneOf(state, RECORDING_STATES) };
      return (await everyOne((before) => listOwnRecordings(db.read, { ...wanted, before, limit: PAGE }))).map(shownRecording);
    },
    'recordings erase': async (gateway) =>
      shownRecording(await takeBackRecording(gateway, { marketplaceId: required('marketplace'), id: required('recording') })),
    'incidents list': async ({ db }) => {
      const { meeting, state } = values;
      const wanted = {
        marketplaceId: required('marketplace'),
        meetingId: meeting,
        state: state === undefined ? state : oneOf(state, INCIDENT_STATES),
      };
      return (await everyOne((before) => listOwnIncidents(db.read, { ...wanted, before, limit: PAGE }))).map(shownIncident);
    },
    'incidents set-state': async (gateway) =>
      shownIncident(
        await moveIncident(gateway, {
          marketplaceId: required('marketplace'),
          id: required('incident'),
          state: oneOf(required('state'), INCIDENT_STATES),
          note: values.reason ?? null,
          resolution: values.resolution ?? null,
          by: COMMAND_LINE,
        }),
      ),
    'audit verify': async ({ db }) => {
      const reports = await verifyAudit(db, values.marketplace);
      if (reports.some(({ broken }) => broken !== null)) process.exitCode = 1;
      return reports.map(({ marketplaceId, sound, unchained, broken }) => ({
        marketplace: marketplaceId,
        result: broken === null ? (sound + unchained === 0 ? 'empty' : 'ok') : broken.problem,
        sound_entries: sound,
        entries_before_the_chain: unchained,
        ...(broken === null ? {} : { broken_at: broken.seq, entry: broken.entryId }),
      }));
    },
    'rotate-encryption-key': async (gateway) => {
      const { newest, columns, removable, subscriptionsToReplace, kept } = await rotateEncryptionKey(gateway);
      return [
        ...columns.map(({ table, column, resealed, unreadable }) => ({ table, column, resealed, unreadable })),
        { newest_key: newest, removable_keys: removable, subscriptions_to_replace: subscriptionsToReplace },
        ...kept.map(({ id, values }) => ({ key: id, still_seals: values })),
      ];
    },
    doctor: async (gateway): Promise<Row[]> => {
      const reached = await reachVendors(gateway.config, gateway.now);
      return [
        { check: 'configuration', result: 'ok', public_url: gateway.config.publicUrl },
        { check: 'database', result: 'ok', engine: gateway.db.dialect },
        ...(await keysOf(gateway)),
        { check: 'clock', result: judgeClock(reached), now: gateway.now().toISOString() },
        ...(['zoom', 'microsoft-teams', 'google-meet'] as const).map((id) => ({
          check: id,
          result: gateway.providers.has(id) ? 'configured' : 'not configured',
        })),
        ...reached.map(({ provider, origin, result }) => ({ check: `${provider} reachability`, result, origin })),
        ...(await checkPlatforms(gateway)).map(({ provider, result }) => ({ check: `${provider} platform`, result })),
        { check: 'connections', result: 'ok', ...(await countConnections(gateway.db.read)) },
        await subscriptionsOf(gateway),
        ...(await listAlarms(gateway.db.read)).map(({ name, detail, raisedAt, seenAt, count }) => ({
          check: 'alarm',
          result: name,
          detail,
          since: raisedAt.toISOString(),
          last_seen: seenAt.toISOString(),
          times: count,
        })),
      ];
    },
  };
}

function shownHost({ id, provider, email, accountId, plan, concurrentMeetings, status }: Connection): Row {
  return { id, provider, email, account_id: accountId, plan, concurrent_meetings: concurrentMeetings, status };
}

/** Page by page, newest first. */
async function everyOne<Item extends { readonly id: string }>(read: (before: string | undefined) => Promise<Item[]>): Promise<Item[]> {
  const all: Item[] = [];
  for (;;) {
    const page = await read(all.at(-1)?.id);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

async function allInboxEntries(db: Reader, which: { state: InboxState; provider: ProviderId | undefined }): Promise<InboxEntry[]> {
  const entries: InboxEntry[] = [];
  for (;;) {
    const page = await listInboxEntries(db, { ...which, after: entries.at(-1), limit: 1_000 });
    if (page.length === 0) return entries;
    entries.push(...page);
  }
}

function shownEntry({ key, provider, state, reason, receivedAt, dueAt, attempts, bodySealed }: InboxEntry): Row {
  return {
    key,
    provider,
    state,
    reason,
    received_at: receivedAt.toISOString(),
    due_at: state === 'pending' ? dueAt.toISOString() : null,
    attempts,
    body: bodySealed === null ? 'erased' : 'kept',
  };
}

function oneOf<State extends string>(text: string, states: readonly State[]): State {
  const state = states.find((known) => known === text);
  if (state === undefined) throw new Usage(`--state has to be one of ${states.join(', ')}.`);
  return state;
}

function shownIncident({ id, meetingId, side, reporterId, kind, state, at, text, resolution }: Incident): Row {
  const reported_at = at.toISOString();
  return { id, meeting_id: meetingId, reported_by: side, reporter_id: reporterId, kind, state, reported_at, text, resolution };
}

function shownRecording(recording: Recording): Row {
  const { id, meetingId, source, state, reason, publishedAt, expiresAt, vendorEnding, erasedAt } = recording;
  const iso = (moment: Date | null): string | null => moment?.toISOString() ?? null;
  return {
    id,
    meeting_id: meetingId,
    source,
    state,
    reason,
    published_at: iso(publishedAt),
    expires_at: iso(expiresAt),
    at_vendor: vendorEnding,
    erased_at: iso(erasedAt),
  };
}

/** The keys of the ring, newest first, and what they have sealed; a key that only the database knows is named, too. */
async function keysOf(gateway: Gateway): Promise<Row[]> {
  const counts = await countSealed(gateway);
  const known = new Set((await listKnownKeys(gateway.db.read)).map(({ id }) => id));
  const { keyIds } = gateway.vault;
  const row = (id: string, result: string): Row => ({ check: 'encryption key', result, id, sealed_values: counts.get(id) ?? 0 });
  return [
    ...keyIds.map((id, index) => row(id, index === 0 ? 'newest' : counts.has(id) || known.has(id) ? 'old' : 'removable')),
    ...[...counts.keys()].filter((id) => !keyIds.includes(id)).map((id) => row(id, 'missing')),
  ];
}

/** Event feeds at the vendors. One that is past its end brings nothing any more, so its renewal has failed. */
async function subscriptionsOf({ db, now }: Gateway): Promise<Row> {
  const subscriptions = await listSubscriptions(db.read, PROVIDER_IDS);
  const at = now();
  const overdue = subscriptions.filter(({ expiresAt }) => expiresAt <= at).length;
  return {
    check: 'subscriptions',
    result: overdue === 0 ? 'ok' : `${overdue} not renewed in time`,
    count: subscriptions.length,
    overdue,
    next_expiry: subscriptions.find(({ expiresAt }) => expiresAt > at)?.expiresAt.toISOString() ?? null,
    to_replace: await countJobs(db.read, REPLACE_SUBSCRIPTION),
  };
}

function parseArguments() {
  try {
    return parseArgs({ args: process.argv.slice(2), allowPositionals: true, options });
  } catch (error) {
    throw new Usage(`${(error as Error).message}\n\n${HELP}`);
  }
}

function shown(row: Row): string {
  return Object.entries(row)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
    .join('  ');
}
