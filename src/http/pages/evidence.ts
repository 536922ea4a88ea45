/** `/e/<token>`: the evidence about an incident, to read. The link comes with the export and lives half an hour. */
import { Hono } from 'hono';
import { found } from '../../domain/failure.ts';
import { openEvidenceLink } from '../../evidence/page-link.ts';
import type { Gateway } from '../../gateway.ts';
import { collectEvidence } from '../../incidents/evidence.ts';
import { findIncident } from '../../store/incidents.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import { representEvidence } from '../api/represent-evidence.ts';
import { languageFor, sendPage } from './page.ts';
import { evidencePage } from './views/index.ts';

export const evidencePageRoutes = (gateway: Gateway) =>
  new Hono().get('/e/:token', async (c) => {
    const { db, now } = gateway;
    const incident = found(await findIncident(db.read, openEvidenceLink(gateway, c.req.param('token'))));
    const marketplace = await findMarketplace(db.read, incident.marketplaceId);
    const evidence = representEvidence(gateway, await collectEvidence(gateway, incident));
    return sendPage(c, gateway, evidencePage({ language: languageFor(c), now: now(), marketplace: marketplace?.name ?? null, evidence }));
  });
