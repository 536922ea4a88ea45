import { z } from 'zod';
import { PRESENCES } from '../../domain/presence.ts';
import { entry } from './entry.ts';
import { professionalId } from './members.ts';

export const PROFESSIONAL_EVENTS = {
  'professional.presence_changed': entry({
    description: 'A professional can be reached in another way than before.',
    when: 'When another status or another `video` is told, and once when nobody told it again in time. Not when it is told again unchanged.',
    data: {
      professional_id: professionalId,
      status: z.enum(PRESENCES).describe('What it is now'),
      video: z.boolean().describe('Whether they can be seen'),
      reason: z.enum(['told', 'expired']).describe('`told`: over the API. `expired`: nobody told it again, so it is `unknown`'),
      version: z.number().int().min(1).describe('Counts the changes of this professional: a smaller one is older news'),
    },
    example: { professional_id: 'pro_42', status: 'available', video: true, reason: 'told', version: 12 },
  }),
};
