/** Who can invite guests to a meeting (F10). */
export const INVITER_SIDES = ['customer', 'professional', 'marketplace'] as const;
