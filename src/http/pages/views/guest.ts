/** The page of a guest: as the customer's, marked as what it is, and with nothing on it that is a customer's. */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import { comingIn, notes, recordingPart, safety, type ComingIn } from './join.ts';
import { badge, headed, type Html, page } from './layout.ts';
import { facts, isClosed, limitNotice } from './meeting.ts';

export interface GuestPage extends Omit<ComingIn, 'path' | 'audience'> {
  /** For whom the link was made. */
  readonly name: string | null;
  /** It opens nothing any more; who was in the meeting still decides about the recording. */
  readonly revoked: boolean;
  /** Would be recorded, and has not agreed: does not come in (G12). */
  readonly mustAgree: boolean;
}

/** Forms: `POST /g/{token}/join`; `POST /g/{token}/consent`, see `consentQuestion`. */
export function guestPage(guest: GuestPage): Html {
  const model = { ...guest, path: `/g/${encodeURIComponent(guest.token)}`, audience: 'guest' } as const;
  const t = translator(model.language);
  const closed = isClosed(model.state) || model.revoked;
  const question = !closed || model.recording.kind === 'consent' ? recordingPart(model) : '';
  const entrance = html`<section class="card" id="entrance">
    <div class="card-head">${badge('plain', t('guest.badge'))}</div>
    ${status(model)} ${facts(model)}
  </section>`;
  return page(
    model,
    model.title,
    html` <div class="intro">
        <p class="eyebrow">${model.name === null ? t('guest.role') : t('guest.roleNamed', { name: model.name })}</p>
        <h1>${model.title}</h1>
      </div>
      ${closed ? html`${entrance} ${question}` : html`${question} ${entrance}`} ${closed ? '' : html`${limitNotice(model)} ${notes(model)}`}
      ${safety(model)}`,
  );
}

function status(model: GuestPage & ComingIn): Html {
  const t = translator(model.language);
  if (model.revoked) return headed(t('guest.revokedTitle'), t('guest.revokedText'));
  if (model.state.kind === 'awaiting_purchase') return headed(t('join.earlyTitle'), t('guest.unpaidText'));
  if (model.state.kind === 'over') return headed(t('join.overTitle'), t('guest.overText'));
  if (model.state.kind === 'open' && model.mustAgree) return headed(t('join.openTitle'), t('guest.agreeFirst'));
  return comingIn(model);
}
