import { Failure } from '../../src/domain/failure.ts';
import type { Provider } from '../provider.ts';
import { zoomApi } from './client.ts';
import { QUOTAS } from './limits.ts';
import { zoomMeetings } from './meetings.ts';
import { zoomOAuth } from './oauth.ts';
import type { ZoomOptions } from './options.ts';
import { zoomPlatform } from './platform.ts';
import { zoomRecordings } from './recordings.ts';
import { zoomWebhook } from './webhook.ts';

export type { ZoomOptions };

/** Zoom with the professionals' own accounts by a user-managed app, and with hosts of the operator's account by a Server-to-Server app. */
export function createZoom(options: ZoomOptions): Provider {
  // An empty secret would make every delivery forgeable.
  if (options.webhookSecrets.length === 0 || options.webhookSecrets.includes('')) {
    throw new Failure('not_configured', 'Zoom needs at least one webhook secret, and no empty one.');
  }
  const api = zoomApi(options);
  return {
    id: 'zoom',
    oauth: zoomOAuth(options),
    ...(options.platform === undefined ? {} : { platform: zoomPlatform(options, options.platform) }),
    quotas: QUOTAS,
    ...zoomMeetings(api, options.now),
    hostLinkSignsIn: true,
    recordings: zoomRecordings(api, options),
    webhook: zoomWebhook(options.webhookSecrets),
  };
}
