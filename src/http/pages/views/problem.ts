/** The page behind the `type` of a problem document: `/problems/<code>`. For developers, in English. */
import { html } from 'hono/html';
import { type FailureCode, failureStatus, failureTitle } from '../../../domain/failure.ts';
import { fact, type Html, page } from './layout.ts';
import { PROBLEMS } from './problems.ts';

export interface ProblemPage {
  readonly code: FailureCode;
  readonly now: Date;
}

export function problemPage({ code, now }: ProblemPage): Html {
  const title = failureTitle(code);
  const { meaning, remedy } = PROBLEMS[code];
  return page(
    { language: 'en', now, marketplace: null },
    title,
    html`<div class="intro">
        <p class="eyebrow">Problem type</p>
        <h1>${title}</h1>
      </div>
      <section class="card">
        <dl class="facts">
          ${fact('Code', html`<code>${code}</code>`)} ${fact('Status', html`<code>${failureStatus(code)}</code>`)}
          ${fact('Meaning', meaning)} ${fact('What to do', remedy)}
        </dl>
      </section>`,
  );
}
