/**
 * The link to the page of an incident's evidence. It proves itself: incident and end, signed by a key derived from the encryption keys. So
 * nothing has to be stored of a link that lives half an hour, and none can be made up (docs/decisions/0018-evidence-pages.md).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import { MINUTE, plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';

/** As a link into a recording that an incident opens. */
const LIVES_MS = 30 * MINUTE;
const PURPOSE = 'evidence-page';
const TOKEN = /^((inc_[0-9a-z]{1,60})\.(\d{1,12}))\.([A-Za-z0-9_-]{43})$/;

export function makeEvidenceLink(
  { config, now, vault }: Pick<Gateway, 'config' | 'now' | 'vault'>,
  incidentId: string,
): { url: string; expiresAt: Date } {
  const seconds = Math.floor(plus(now(), LIVES_MS).getTime() / SECOND);
  const claim = `${incidentId}.${seconds}`;
  const [newest] = vault.derive(PURPOSE);
  return { url: `${config.publicUrl}/e/${claim}.${mac(newest!, claim).toString('base64url')}`, expiresAt: new Date(seconds * SECOND) };
}

/** The incident's id. @throws Failure `not_found` for what is no link of ours, `gone` after its end */
export function openEvidenceLink({ now, vault }: Pick<Gateway, 'now' | 'vault'>, token: string): string {
  const [, claim, incidentId, seconds, given] = TOKEN.exec(token) ?? [];
  const proof = Buffer.from(given ?? '', 'base64url');
  const isOurs = claim !== undefined && vault.derive(PURPOSE).some((key) => isSame(mac(key, claim), proof));
  if (!isOurs) throw new Failure('not_found', 'There is no such page.');
  if (Number(seconds) * SECOND <= now().getTime()) throw new Failure('gone', 'The link has ended. The API gives a new one.');
  return incidentId!;
}

const mac = (key: Buffer, claim: string): Buffer => createHmac('sha256', key).update(claim).digest();
const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
