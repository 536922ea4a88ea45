/** Where professionals keep videos and files: the approved apps' own storage, and what sharing a large file usually means (chosen). */
export const STORAGE_HOSTS: string[] = [
  '*.zoom.us',
  '*.zoom.com',
  '*.sharepoint.com',
  'onedrive.live.com',
  '1drv.ms',
  'drive.google.com',
  '*.dropbox.com',
  'vimeo.com',
  '*.vimeo.com',
];
