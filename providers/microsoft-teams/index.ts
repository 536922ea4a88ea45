/** Microsoft Teams over Microsoft Graph v1.0. */
import { createKeys } from '../keys.ts';
import type { Provider } from '../provider.ts';
import { createAttendance } from './attendance.ts';
import { createGraph } from './graph.ts';
import { createMeetings } from './meetings.ts';
import { createTeamsOAuth } from './oauth.ts';
import type { MicrosoftTeamsOptions } from './options.ts';
import { createPlatform } from './platform.ts';
import { createRecordings } from './recordings.ts';
import { createRich } from './rich.ts';
import { createSubscriptions } from './subscriptions.ts';
import { createWebhook } from './webhook.ts';

export type { MicrosoftTeamsOptions } from './options.ts';

/** No `endMeeting`: Graph cannot end a running meeting. */
export function createMicrosoftTeams({
  clientId,
  clientSecret,
  tenant = 'common',
  loginUrl = 'https://login.microsoftonline.com',
  graphUrl = 'https://graph.microsoft.com',
  clientStateSecrets,
  notificationKeys = [],
  mediaOrigins = [],
  platform,
  now,
}: MicrosoftTeamsOptions): Provider {
  const graph = createGraph({ graphUrl, now });
  const rich = createRich(notificationKeys, { clientId, jwks: createKeys(`${loginUrl}/common/discovery/v2.0/keys`, now) });
  return {
    id: 'microsoft-teams',
    oauth: createTeamsOAuth({ clientId, clientSecret, tenant, loginUrl, graph, now }),
    ...(platform === undefined ? {} : { platform: createPlatform({ graph, tenant: platform.tenant, clientId, clientSecret, loginUrl }) }),
    quotas: [],
    ...createMeetings(graph),
    attendance: createAttendance({ graph, graphUrl }),
    recordings: createRecordings({ graph, graphUrl, mediaOrigins, now }),
    webhook: createWebhook({ graph, clientStateSecrets, rich }),
    subscriptions: createSubscriptions({ graph, graphUrl, clientStateSecrets, rich, now }),
  };
}
