/** Google Meet. Links by Meet's own spaces or, where an account may not make those, by Calendar; events by Cloud Pub/Sub. */
import type { Provider } from '../provider.ts';
import { createAsk } from './client.ts';
import { QUOTAS } from './limits.ts';
import { createMeetings } from './meetings.ts';
import { createGoogleOAuth } from './oauth.ts';
import type { GoogleMeetOptions } from './options.ts';
import { createPlatform } from './platform.ts';
import { createPush } from './push.ts';
import { createRecords } from './records.ts';
import { createRecordings } from './recordings.ts';
import { createSubscriptions } from './subscriptions.ts';

export type { GoogleMeetOptions } from './options.ts';

export function createGoogleMeet(options: GoogleMeetOptions): Provider {
  const { pubsubTopic, pushAudience, pushServiceAccount } = options;
  const ask = createAsk(options);
  const records = createRecords(ask);
  return {
    id: 'google-meet',
    oauth: createGoogleOAuth(options),
    ...(options.platform === undefined ? {} : { platform: createPlatform(options.platform, options) }),
    quotas: QUOTAS,
    ...createMeetings(ask, options),
    recordings: createRecordings(records, options),
    webhook: createPush(records, options),
    // Events that could not be proven on arrival are not worth subscribing to.
    ...(pubsubTopic === undefined || pushAudience === undefined || pushServiceAccount === undefined
      ? {}
      : { subscriptions: createSubscriptions(ask, pubsubTopic) }),
  };
}
