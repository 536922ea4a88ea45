/** Where one recipient watches one recording. The gateway streams it; where it lies is not told. */
import { html } from 'hono/html';
import type { RecordingUse } from '../../../domain/policy.ts';
import type { WithheldReason } from '../../../domain/recording.ts';
import { type Key, type Language, translator } from '../texts/index.ts';
import { dateTime, fileSize, zoneName } from './format.ts';
import { type AppName, countdown, fact, type Html, type MaybeHtml, notice, page, type PageBase } from './layout.ts';

export type RecordingFileKind = 'video' | 'audio' | 'transcript' | 'chat' | 'other';

export interface RecordingFile {
  readonly id: string;
  readonly kind: RecordingFileKind;
  readonly bytes: number | null;
  /** False where the media route redirects to the provider: a player on this page may not follow there. */
  readonly streamable: boolean;
}

/** `upload`: custom content that the customer is asked to download (G16). */
export type RecordingSource = 'provider' | 'upload';

export type RecordingPageState =
  /** The first video is the one that the media route gives without `file`. */
  | {
      readonly kind: 'published';
      /** Of this link. */
      readonly expiresAt: Date;
      readonly files: readonly RecordingFile[];
      readonly passcode: string | null;
    }
  | { readonly kind: 'processing' }
  | { readonly kind: 'withheld'; readonly reason: WithheldReason }
  | { readonly kind: 'expired' }
  | { readonly kind: 'revoked' };

export interface RecordingPage extends PageBase {
  readonly token: string;
  readonly title: string;
  /** Null for an uploaded link of no approved app. */
  readonly app: AppName | null;
  readonly recordedAt: Date | null;
  /** IANA name. */
  readonly timeZone: string;
  readonly source: RecordingSource;
  /** What a recording may be used for, by the policy; of an uploaded link it is not said. */
  readonly uses: readonly RecordingUse[];
  /** For whom of the platform looks into an incident (F08); null for a recipient. */
  readonly access: { readonly incidentId: string } | null;
  readonly state: RecordingPageState;
}

/**
 * Media: `GET /r/{token}/media` for the first video, `?file={id}` for every other file, `&download=1` to save it. `passcode=seen`: from a
 * page that shows one.
 */
export function recordingPage(model: RecordingPage): Html {
  const t = translator(model.language);
  return page(
    model,
    model.title,
    html`<div class="intro">
        <p class="eyebrow">${model.source === 'upload' ? t('recording.uploadLabel') : t('recording.label')}</p>
        <h1>${model.title}</h1>
      </div>
      ${model.state.kind === 'published' ? published(model, model.state) : closed(model, model.state)}`,
  );
}

function published(model: RecordingPage, state: RecordingPageState & { kind: 'published' }): Html {
  const t = translator(model.language);
  const main = state.files.find(({ kind }) => kind === 'video') ?? null;
  return html`${model.access === null ? '' : notice('warn', t('recording.accessTitle'), t('recording.accessText', { incident: model.access.incidentId }))}
    <section class="card">
      ${main?.streamable ? player(model) : ''}
      <dl class="facts">
        ${about(model)}
        ${fact(t('recording.availableUntil'), html`<time datetime="${state.expiresAt.toISOString()}">${dateTime(model.language, state.expiresAt, model.timeZone)}</time>`)}
        ${fact(t('recording.timeLeft'), countdown(model, state.expiresAt, true))}
        ${state.passcode === null ? '' : fact(t('recording.passcode'), html`<code>${state.passcode}</code>`)}
      </dl>
      ${model.source === 'upload' ? html`<p>${t('recording.downloadNote')}</p>` : ''}
      ${model.source === 'provider' && state.passcode !== null ? html`<p>${t('recording.passcodeNote')}</p>` : ''}
    </section>
    ${
      state.files.length === 0
        ? ''
        : html`<section class="card">
            <h2>${t('recording.filesTitle')}</h2>
            <ul class="people">
              ${state.files.map((file) => fileLine(model, state, file, main))}
            </ul>
          </section>`
    }
    ${notices(model)}`;
}

/** They depend on nobody: rendered once for each language and policy, of which there are few. */
const known = new Map<string, Html>();

function notices(model: RecordingPage): Html {
  const t = translator(model.language);
  const key = [model.language, model.source, ...model.uses].join(' ');
  const section =
    known.get(key) ??
    html`<section class="card">
      <h2>${t('recording.noticesTitle')}</h2>
      <ul class="list">
        <li>${t('recording.private')}</li>
        ${model.source === 'upload' ? '' : uses(model)}
        <li>${t('recording.logged')}</li>
        <li>${t('recording.storage')}</li>
      </ul>
    </section>`;
  known.set(key, section);
  return section;
}

const USES = {
  participants: 'recording.useParticipants',
  service_improvement: 'recording.useImprovement',
  disputes: 'recording.useDisputes',
} as const satisfies Record<RecordingUse, Key>;

function uses(model: RecordingPage): Html {
  const t = translator(model.language);
  return html`<li>
    ${t('recording.uses')}
    <ul class="list">
      ${model.uses.map((use) => html`<li>${t(USES[use])}</li>`)}
    </ul>
  </li>`;
}

function player({ language, token, title }: RecordingPage): Html {
  const t = translator(language);
  return html`<video controls preload="metadata" src="/r/${encodeURIComponent(token)}/media" aria-label="${title}">
    <p>${t('recording.noVideo')}</p>
  </video>`;
}

function fileLine(
  model: RecordingPage,
  { passcode }: RecordingPageState & { kind: 'published' },
  file: RecordingFile,
  main: RecordingFile | null,
): Html {
  const t = translator(model.language);
  const size = fileSize(model.language, file.bytes);
  const query = new URLSearchParams(file === main ? {} : { file: file.id });
  if (file.streamable) query.set('download', '1');
  if (passcode !== null && model.source === 'provider') query.set('passcode', 'seen');
  const path = `/r/${encodeURIComponent(model.token)}/media${query.size === 0 ? '' : `?${query}`}`;
  const name = model.source === 'upload' ? model.title : t(`recording.${file.kind}`);
  const action = file.streamable ? t('recording.download') : t('recording.external');
  return html`<li>
    <span>${name}${size === null ? '' : html` <span class="quiet">${size}</span>`}</span>
    <a class="button second" href="${path}" rel="noreferrer" aria-label="${action}: ${name}">${action}</a>
  </li>`;
}

const WITHHELD = {
  consent_missing: 'recording.withheldConsent',
  consent_withdrawn: 'recording.withheldWithdrawn',
  not_requested: 'recording.withheldNotRequested',
  recovered: 'recording.withheldRecovered',
} as const satisfies Record<WithheldReason, Key>;

function closed(model: RecordingPage, state: Exclude<RecordingPageState, { kind: 'published' }>): Html {
  const t = translator(model.language);
  const [title, text] = {
    processing: [t('recording.processingTitle'), t('recording.processingText', { app: model.app?.name ?? t('common.app') })] as const,
    withheld: [t('recording.withheldTitle'), t(WITHHELD[state.kind === 'withheld' ? state.reason : 'consent_missing'])] as const,
    expired: [t('recording.expiredTitle'), t('recording.expiredText')] as const,
    revoked: [t('recording.revokedTitle'), t('recording.revokedText')] as const,
  }[state.kind];
  const facts = about(model);
  return html`<section class="card">
    <div class="stack">
      <h2>${title}</h2>
      <p>${text}</p>
    </div>
    ${facts === '' ? '' : html`<dl class="facts">${facts}</dl>`}
  </section>`;
}

function about({ language, app, recordedAt, timeZone }: RecordingPage): MaybeHtml {
  const t = translator(language);
  if (app === null && recordedAt === null) return '';
  return html`${app === null ? '' : fact(t('common.app'), app.name)}
  ${recordedAt === null ? '' : fact(t('recording.recordedOn'), when(language, recordedAt, timeZone))}`;
}

const when = (language: Language, moment: Date, timeZone: string): Html =>
  html`<time datetime="${moment.toISOString()}">${dateTime(language, moment, timeZone)}</time>
    <p class="quiet small">${zoneName(language, moment, timeZone)}</p>`;
