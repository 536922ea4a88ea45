/** Ending before the time, as both pages of a meeting show it (R05). */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import { countdown, fact, headed, type Html, type MaybeHtml } from './layout.ts';
import type { MeetingBase } from './meeting.ts';

/** Form: `POST {path}/early-end` with `early_end` (ask, agreed, refused). Part of what is exchanged while the meeting runs. */
export function earlyEndCard(model: MeetingBase, path: string): MaybeHtml {
  const { earlyEnd, language, app } = model;
  if (earlyEnd === null) return '';
  const t = translator(language);
  const ask = choices(path, [{ word: 'ask', text: t('earlyEnd.askButton'), second: true }]);
  const left = (answerBy: Date) => html`<dl class="facts">${fact(t('earlyEnd.left'), countdown(model, answerBy))}</dl>`;
  switch (earlyEnd.kind) {
    case 'askable':
      return html`<section class="card">${headed(t('earlyEnd.askTitle'), t('earlyEnd.askText'))} ${ask}</section>`;
    case 'asked':
      if (earlyEnd.mine)
        return html`<section class="card">
          <div role="status">${headed(t('earlyEnd.mineTitle'), t('earlyEnd.mineText'))}</div>
          ${left(earlyEnd.answerBy)}
        </section>`;
      return html`<section class="card">
        <div role="alert">${headed(t('earlyEnd.theirsTitle'), t('earlyEnd.theirsText'))}</div>
        ${left(earlyEnd.answerBy)}
        ${choices(path, [
          { word: 'agreed', text: t('earlyEnd.agreeButton'), second: false },
          { word: 'refused', text: t('earlyEnd.refuseButton'), second: true },
        ])}
      </section>`;
    case 'refused':
      return html`<section class="card">
        <div role="status">${headed(t('earlyEnd.refusedTitle'), t('earlyEnd.refusedText'))}</div>
        ${ask}
      </section>`;
    case 'lapsed':
      return html`<section class="card">
        <div role="status">${headed(t('earlyEnd.lapsedTitle'), t('earlyEnd.lapsedText'))}</div>
        ${ask}
      </section>`;
    case 'agreed': {
      const text = earlyEnd.ends ? t('earlyEnd.agreedEnds', { app: app.name }) : t('earlyEnd.agreedLeave', { app: app.name });
      return html`<section class="card"><div role="status">${headed(t('earlyEnd.agreedTitle'), text)}</div></section>`;
    }
  }
}

const choices = (path: string, words: readonly { readonly word: string; readonly text: string; readonly second: boolean }[]): Html =>
  html`<form method="post" action="${path}/early-end">
    <div class="actions">
      ${words.map(
        ({ word, text, second }) =>
          html`<button class="button ${second ? 'second' : ''}" name="early_end" value="${word}">${text}</button>`,
      )}
    </div>
  </form>`;
