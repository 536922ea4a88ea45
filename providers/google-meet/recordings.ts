import type { Recordings } from '../provider.ts';
import { createMedia } from './media.ts';
import type { GoogleMeetOptions } from './options.ts';
import { vendorRecording, type Records } from './records.ts';

export function createRecordings(records: Records, options: GoogleMeetOptions): Recordings {
  return {
    async list(account, meeting) {
      const conferences = await records.listOfSpace(account, meeting.id);
      const found = [];
      // One after another: the quota is per user, and a meeting rarely has more than two conferences.
      for (const { name } of conferences) found.push(...(await records.recordings(account, name)));
      // A list that changes while it is read may show an entry twice.
      return [...new Map(found.map((entry) => [entry.name, vendorRecording(entry)])).values()];
    },

    open: createMedia(options),
  };
}
