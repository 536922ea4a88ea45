/** The approved apps (G01). A marketplace can narrow this list, nothing can widen it. */
export const PROVIDER_IDS = ['zoom', 'microsoft-teams', 'google-meet'] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];

/** `unknown` where the vendor does not tell; never guessed. */
export type Plan = 'free' | 'paid' | 'unknown';
