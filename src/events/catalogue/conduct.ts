import { z } from 'zod';
import { MOST_CHARACTERS } from '../../domain/incident.ts';
import { STANDINGS } from '../../domain/standing.ts';
import { entry } from './entry.ts';
import { appealId, decisionId, incidentId, moment, professionalId } from './members.ts';

const written = z.string().max(MOST_CHARACTERS);
const standing = z.enum(STANDINGS);
const ofAppeal = {
  appeal_id: appealId,
  professional_id: professionalId,
  decision_id: decisionId.describe('The decision that it is against'),
};
const appealed = {
  appeal_id: 'apl_01kb5b7y9z1a2c3d4e5f6g7h8j',
  professional_id: 'pro_42',
  decision_id: 'std_01kb5a6x8y0z1a2b3c4d5e6f7g',
} as const;

export const CONDUCT_EVENTS = {
  'professional.standing_changed': entry({
    description: 'How a professional is regarded has changed.',
    when: 'For each decision that you make, for an appeal that is granted, and when a suspension ends by itself.',
    data: {
      professional_id: professionalId,
      standing: standing.describe('From now on. `suspended` and `terminated`: no new links and calls'),
      until: moment.nullable().describe('When the suspension ends by itself; null for any other standing'),
      before: standing.describe('Until now'),
      decision_id: decisionId,
      cause: z.enum(['decision', 'appeal', 'suspension_over']).describe('`suspension_over`: the decision has come to its end'),
      reason: written.describe('As the decision gives it'),
      incident_id: incidentId.nullable().describe('The incident that it answers'),
      appeal_id: appealId.nullable().describe('The appeal that it answers'),
    },
    example: {
      professional_id: 'pro_42',
      standing: 'suspended',
      until: '2026-12-08T10:00:00.000Z',
      before: 'warned',
      decision_id: 'std_01kb5a6x8y0z1a2b3c4d5e6f7g',
      cause: 'decision',
      reason: 'Asked a customer to pay outside of the marketplace.',
      incident_id: 'inc_01kb4tz5c7d9e1f3g4h6j8k0m2',
      appeal_id: null,
    },
  }),
  'appeal.filed': entry({
    description: 'A professional objects to a decision.',
    when: 'Once for each appeal. `GET /v1/professionals/{id}/appeals` has the evidence.',
    data: {
      ...ofAppeal,
      text: written.describe("The professional's own words: show them as text"),
      evidence_links: z.number().int().min(1).max(10).describe('How many links came with it'),
    },
    example: { ...appealed, text: 'The message was about another order.', evidence_links: 2 },
  }),
  'appeal.decided': entry({
    description: 'An appeal has its answer.',
    when: 'Once for each appeal. When it changes the standing, `professional.standing_changed` says so, too.',
    data: {
      ...ofAppeal,
      decision: z.enum(['upheld', 'granted']).describe('`upheld`: the decision stays. `granted`: it is taken back or changed'),
      answer: written.describe('As the appeal was answered'),
    },
    example: { ...appealed, decision: 'granted', answer: 'The screenshots show it.' },
  }),
};
