const AUTH = 'https://www.googleapis.com/auth';

/** Create spaces, end their conferences, read and change what this app created. Sensitive. */
export const SPACE_CREATED = `${AUTH}/meetings.space.created`;
/** Read spaces that another app created, Calendar for one, and their records. Sensitive. */
export const SPACE_READONLY = `${AUTH}/meetings.space.readonly`;
/** Change the settings of spaces that another app created. Not sensitive. */
export const SPACE_SETTINGS = `${AUTH}/meetings.space.settings`;
/** Events on the professional's own calendars: the fallback for accounts without `spaces.create`. Sensitive. */
export const CALENDAR_EVENTS = `${AUTH}/calendar.events.owned`;
/** Read the files that Meet made. Restricted: Google asks for a security assessment of the app. */
export const DRIVE_RECORDINGS = `${AUTH}/drive.meet.readonly`;

/** `email` by the name that Google gives back when it is granted, so that asked and granted scopes can be compared. */
export const LINK_SCOPES = ['openid', `${AUTH}/userinfo.email`, SPACE_CREATED, SPACE_READONLY, SPACE_SETTINGS, CALENDAR_EVENTS] as const;
export const RECORDING_SCOPES = [DRIVE_RECORDINGS] as const;
/** A space, or a Calendar event with a conference in it whose space can be read. */
export const LINK_WAYS = [[SPACE_CREATED], [CALENDAR_EVENTS, SPACE_READONLY], [CALENDAR_EVENTS, SPACE_SETTINGS]] as const;
/**
 * What an administrator delegates for the hosts of the operator's own domain. Nothing of Calendar: these hosts make spaces, and every space
 * is the app's own. Google gives a token for all of them or for none.
 */
export const PLATFORM_SCOPES = {
  links: ['openid', `${AUTH}/userinfo.email`, SPACE_CREATED, SPACE_SETTINGS],
  recordings: RECORDING_SCOPES,
} as const;
