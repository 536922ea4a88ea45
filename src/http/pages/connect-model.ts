/** What the connect page says of each app and each connected account. */
import { APPS } from '../../../providers/approved.ts';
import { limitOf } from '../../../providers/limits.ts';
import type { OAuth } from '../../../providers/provider.ts';
import { canMakeLinks } from '../../connections/health.ts';
import { firstChoices } from '../../connections/prefer.ts';
import { PROVIDER_IDS, type ProviderId } from '../../domain/apps.ts';
import { readReason } from '../../domain/connection.ts';
import { byPreference } from '../../domain/decision.ts';
import { planOf } from '../../domain/plan.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Gateway } from '../../gateway.ts';
import type { Connection } from '../../store/connections.ts';
import type { ConnectApp, ConnectedAccount, ReconnectReason } from './views/index.ts';

const NOTHING_ASKED: Pick<OAuth, 'scopes' | 'scopesBy'> = { scopes: { links: [], recordings: [], linkWays: [] }, scopesBy: 'request' };

/** `connections`: all that the professional has, oldest first. Those that have ended are not shown. */
export function connectApps(gateway: Gateway, policy: Policy, names: readonly string[], connections: readonly Connection[]): ConnectApp[] {
  const living = connections.filter(({ status }) => status !== 'revoked');
  const usable = living.filter((connection) => troubleOf(gateway, connection) === null);
  const [preferred] = living.filter(({ preferredAt }) => preferredAt !== null).toSorted(byPreference);
  const first = firstChoices(living);
  const preferenceOf = (connection: Connection): ConnectedAccount['preference'] => {
    if (connection.id === preferred?.id) return { is: 'preferred', offered: false };
    const among = usable.filter(({ provider }) => provider === connection.provider).length;
    const offered = usable.length > 1 && usable.includes(connection);
    return { is: first.has(connection.id) && among > 1 ? 'first' : 'other', offered };
  };
  return PROVIDER_IDS.filter((id) => names.includes(id))
    .toSorted((a, b) => names.indexOf(a) - names.indexOf(b))
    .map((id) => {
      const oauth = gateway.providers.get(id)?.oauth;
      return {
        id,
        name: APPS[id].name,
        configured: oauth !== undefined,
        scopesBy: oauth?.scopesBy ?? NOTHING_ASKED.scopesBy,
        adminConsent: oauth?.adminConsentUrl !== undefined,
        accounts: living
          .filter(({ provider }) => provider === id)
          .map((connection) => accountModel(gateway, policy, id, connection, preferenceOf(connection))),
      };
    });
}

function accountModel(
  gateway: Gateway,
  policy: Policy,
  id: ProviderId,
  connection: Connection,
  preference: ConnectedAccount['preference'],
): ConnectedAccount {
  const { plan, basis } = planOf(connection);
  const { minutes, ...known } = limitOf({ provider: id, plan, participants: null }, policy);
  const { scopes, scopesBy } = gateway.providers.get(id)?.oauth ?? NOTHING_ASKED;
  const absent = (wanted: readonly string[]) => wanted.filter((name) => !connection.scopes.includes(name));
  const noRecordings = absent(scopes.recordings);
  const recordingsWanted = scopesBy === 'registration' || noRecordings.length < scopes.recordings.length || scopes.recordings.length === 0;
  return {
    id: connection.id,
    email: connection.email,
    plan,
    planBasis: basis,
    planReadAt: connection.profileReadAt,
    limit: minutes === null ? null : { minutes, ...known },
    recording: recordingOf(connection, noRecordings.length === 0),
    recordingsWanted,
    trouble: troubleOf(gateway, connection),
    missingPermissions: [
      ...absent(scopes.links).map((name) => ({ name, neededFor: 'links' as const })),
      // Nobody misses what was not asked for.
      ...(recordingsWanted ? noRecordings : []).map((name) => ({ name, neededFor: 'recordings' as const })),
    ],
    preference,
  };
}

function recordingOf({ cloudRecording }: Connection, allowed: boolean): ConnectedAccount['recording'] {
  if (cloudRecording === 'no') return 'plan';
  if (!allowed) return 'permission';
  return cloudRecording === 'yes' ? 'yes' : 'unknown';
}

/** To the professional a connection without which no meeting comes about is not done, whatever the vendor accepted. */
export function troubleOf(
  { providers }: Gateway,
  { createsMeetings, provider, scopes, status, statusReason }: Connection,
): ReconnectReason | null {
  if (!createsMeetings) return 'cannot_create';
  if (status !== 'active') return readReason(statusReason) ?? 'unknown';
  const adapter = providers.get(provider as ProviderId);
  return adapter === undefined || canMakeLinks(adapter, scopes) ? null : 'permission_missing';
}
