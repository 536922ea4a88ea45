import { Failure } from '../../src/domain/failure.ts';
import type { Provider } from '../provider.ts';
import { zoomApi } from './client.ts';
import { QUOTAS } from './limits.ts';
import { zoomMeetings } from './meetings.ts';
import { zoomOAuth } from './oauth.ts';
import type { ZoomOptions } from './options.ts';
import { zoomRecordings } from './recordings.ts';
import { zoomWebhook } from './webhook.ts';

export type { ZoomOptions };

/** Zoom with the professional's own account: a user-managed app, so every path says `me`. */
export function createZoom(options: ZoomOptions): Provider {
  // An empty secret would make every delivery forgeable.
  if (options.webhookSecrets.length === 0 || options.webhookSecrets.includes('')) {
    throw new Failure('not_configured', 'Zoom needs at least one webhook secret, and no empty one.');
  }
  const api = zoomApi(options);
  return {
    id: 'zoom',
    oauth: zoomOAuth(options),
    quotas: QUOTAS,
    ...zoomMeetings(api, options.now),
    recordings: zoomRecordings(api, options),
    webhook: zoomWebhook(options.webhookSecrets),
  };
}
