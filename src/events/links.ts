/** Links inside events that were told: what is taken from one recipient goes from these, too. */
import { eventLinksContext } from '../connections/sealed.ts';
import { openerOfLists } from '../connections/opener.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { listEventsWithLinks, replaceEventLinks } from '../store/events.ts';

/** The links of this customer, in all that was ever told about the subject, and what was answered to it. The others' stay readable. */
export async function forgetLinkInEvents(
  tx: Writer,
  gateway: Pick<Gateway, 'log' | 'vault'>,
  { subjectId, customerId }: { subjectId: string; customerId: string },
): Promise<void> {
  const opener = openerOfLists(gateway);
  for (const { id, linksSealed } of await listEventsWithLinks(tx, subjectId)) {
    const context = eventLinksContext(id);
    const opened = opener.open(linksSealed!, context);
    // One that does not open now may do so again when its key is back, with a link in it that was to be gone.
    const { links } = opened === null ? { links: [] } : (JSON.parse(opened) as { links: { customer_id: string }[] });
    const others = links.filter(({ customer_id }) => customer_id !== customerId);
    if (opened !== null && others.length === links.length) continue;
    const kept = others.length === 0 ? null : gateway.vault.seal(JSON.stringify({ links: others }), context);
    await replaceEventLinks(tx, id, kept);
  }
}
