/** Zoom has two families of scope names. New apps get the granular ones; an app made before 2024 grants the classic ones. */

export const LINK_SCOPES = [
  'user:read:user',
  'user:read:settings',
  'meeting:write:meeting',
  'meeting:read:meeting',
  'meeting:read:list_meetings',
  'meeting:update:meeting',
  'meeting:delete:meeting',
  'meeting:update:status',
  'meeting:read:participant',
] as const;

/** Of these, the one without which there is no link. */
export const LINK_WAYS = [['meeting:write:meeting']] as const;

export const RECORDING_SCOPES = [
  'cloud_recording:read:list_user_recordings',
  'cloud_recording:read:list_recording_files',
  'cloud_recording:read:recording',
] as const;

/**
 * Of capabilities that recordings can do without, so no connection has to have them. Zoom lets a professional untick them where the app
 * lists them as optional.
 */
export const SHARE_SCOPES = ['cloud_recording:read:recording_settings', 'cloud_recording:update:recording_settings'] as const;
export const REMOVAL_SCOPES = ['cloud_recording:delete:meeting_recording'] as const;

const CLASSIC: Readonly<Record<string, readonly string[]>> = {
  'user:read': ['user:read:user', 'user:read:settings'],
  'user_info:read': ['user:read:user'],
  'meeting:read': ['meeting:read:meeting', 'meeting:read:list_meetings', 'meeting:read:participant'],
  'meeting:write': ['meeting:write:meeting', 'meeting:update:meeting', 'meeting:delete:meeting', 'meeting:update:status'],
  'recording:read': [...RECORDING_SCOPES, 'cloud_recording:read:recording_settings'],
  'recording:write': ['cloud_recording:update:recording_settings', ...REMOVAL_SCOPES],
};

/** Both families have a second form for apps that an administrator manages; what it allows for all users, it allows for the one who connected. */
const ADMIN_FORM = /:admin$/;

/** The granted scopes, and what the classic and the administrators' ones among them stand for, so that a comparison with the names above is fair. */
export const withGranularNames = (granted: readonly string[]): readonly string[] => [
  ...new Set(
    granted.flatMap((scope) => {
      const plain = scope.replace(ADMIN_FORM, '');
      return [scope, plain, ...(CLASSIC[plain] ?? [])];
    }),
  ),
];

/** True when all of these are about recordings only, in either family. */
export const areForRecordings = (scopes: readonly string[]): boolean =>
  scopes.length > 0 && scopes.every((scope) => /^(cloud_)?recording:/.test(scope));
