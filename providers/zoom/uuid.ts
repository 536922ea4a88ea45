/** How paths and queries name an instance and its day. */

/** Zoom's rule: a uuid that starts with `/` or contains `//` is escaped twice. */
export const escapeUuid = (uuid: string): string =>
  uuid.startsWith('/') || uuid.includes('//') ? encodeURIComponent(encodeURIComponent(uuid)) : encodeURIComponent(uuid);

export const recordingPath = (uuid: string): string => `meetings/${escapeUuid(uuid)}/recordings`;

export const dayOf = (moment: Date): string => moment.toISOString().slice(0, 10);
