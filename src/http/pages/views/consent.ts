/** The question whether a private meeting may be recorded (G12), and the proof of which words were asked. */
import { createHash } from 'node:crypto';
import { html } from 'hono/html';
import type { Consent } from '../../../domain/recording.ts';
import { type Language, LANGUAGES, translator } from '../texts/index.ts';
import type { Html, PageBase } from './layout.ts';

export interface ConsentText {
  /** Names exactly these words in this language: `en-1f0c…`. Changes when the words change. */
  readonly version: string;
  readonly text: string;
}

/** A customer who says no takes part all the same, a guest does not. */
export type Audience = 'customer' | 'guest';

export const consentText = (language: Language, audience: Audience = 'customer'): ConsentText => TEXTS[audience][language];

/** Whether a posted version is one that this gateway asks with. */
export const isCurrentConsentVersion = (version: string, audience: Audience): boolean =>
  Object.values(TEXTS[audience]).some((text) => text.version === version);

/** Form: `POST {action}` with `decision` (granted, refused), `text_version`, `locale`. `isOver`: asked about what was held. */
export function consentQuestion(
  { language }: PageBase,
  action: string,
  { decision, isOver, audience }: { readonly decision: Consent; readonly isOver: boolean; readonly audience: Audience },
): Html {
  const t = translator(language);
  const { version, text } = consentText(language, audience);
  const answer = {
    missing: '',
    granted: t('join.consentGranted'),
    refused: audience === 'guest' ? t('guest.consentRefused') : t('join.consentRefused'),
  }[decision];
  return html`<section class="card" aria-labelledby="consent">
    <h2 id="consent">${t('join.consentTitle')}</h2>
    <p>${text}</p>
    ${isOver ? html`<p>${t('join.consentAfter')}</p>` : ''} ${answer === '' ? '' : html`<p role="status"><strong>${answer}</strong></p>`}
    <form method="post" action="${action}">
      <input type="hidden" name="text_version" value="${version}" /><input type="hidden" name="locale" value="${language}" />
      <div class="actions">
        ${decision === 'granted' ? '' : html`<button class="button second" name="decision" value="granted">${t('join.consentGrant')}</button>`}
        ${decision === 'refused' ? '' : html`<button class="button second" name="decision" value="refused">${t('join.consentRefuse')}</button>`}
      </div>
    </form>
  </section>`;
}

const TEXTS = { customer: ofAll('join.consentText'), guest: ofAll('guest.consentText') } as const satisfies Record<Audience, unknown>;

function ofAll(key: 'join.consentText' | 'guest.consentText'): Record<Language, ConsentText> {
  return Object.fromEntries(LANGUAGES.map((language) => [language, versioned(language, key)])) as Record<Language, ConsentText>;
}

function versioned(language: Language, key: 'join.consentText' | 'guest.consentText'): ConsentText {
  const t = translator(language);
  const text = t(key);
  const words = [t('join.consentTitle'), text, t('join.consentGrant'), t('join.consentRefuse')].join('\n');
  return { version: `${language}-${createHash('sha256').update(words).digest('hex').slice(0, 12)}`, text };
}
