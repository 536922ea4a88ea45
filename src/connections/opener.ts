/** How lists of many get at links that are stored sealed. */
import type { SealContext } from './vault.ts';
import { isFailure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';

export interface Opener {
  /** Null: it does not open. */
  open(sealed: Buffer, context: SealContext): string | null;
}

/**
 * For lists, and for pages that are told of together: one value that does not open must not hide all the others (case 88), so it is shown as null. The log is told once of each
 * damaged value and of each missing key. A resource that is asked for by itself fails by name instead.
 */
export function openerOfLists({ log, vault }: Pick<Gateway, 'log' | 'vault'>): Opener {
  const told = new Set<string>();
  return {
    open(sealed, context) {
      try {
        return vault.open(sealed, context);
      } catch (error) {
        if (!isFailure(error, 'sealed_damaged') && !isFailure(error, 'key_unavailable')) throw error;
        const about = error.code === 'key_unavailable' ? error.message : context.join(' ');
        if (!told.has(about)) log.error({ err: error, sealed: context }, 'a link is shown as null, because it does not open');
        told.add(about);
        return null;
      }
    },
  };
}
