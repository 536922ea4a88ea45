/** What the vendors' plans allow, as dated data. G14's simple rule: the shorter figure counts for pairs too. */
import type { Plan, ProviderId } from '../src/domain/apps.ts';

export interface FreePlanLimit {
  readonly limitMinutes: number;
  /** Who is cut off by the vendor itself. */
  readonly appliesTo: string;
  readonly asOf: string;
  readonly source: string;
}

export const FREE_PLAN: Readonly<Record<ProviderId, FreePlanLimit>> = {
  zoom: {
    limitMinutes: 40,
    appliesTo: 'every meeting hosted by a Basic user, pairs included',
    asOf: '2026-10-04',
    source: 'https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0067966',
  },
  'microsoft-teams': {
    limitMinutes: 60,
    appliesTo: 'meetings of three and more',
    asOf: '2025-01-01',
    source: 'the marketplace guide of January 2025; to be checked against https://support.microsoft.com/teams',
  },
  'google-meet': {
    limitMinutes: 60,
    appliesTo: 'meetings of three and more',
    asOf: '2026-10-05',
    source: 'https://support.google.com/meet/answer/7317473',
  },
};

/** Minutes that a meeting of this plan may last by G14; null when the plan has no such limit. An unknown plan may have it. */
export const limitMinutes = (provider: ProviderId, plan: Plan): number | null =>
  plan === 'paid' ? null : FREE_PLAN[provider].limitMinutes;
