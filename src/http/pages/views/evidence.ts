/** What the gateway knows of a reported meeting, for whoever has to decide about it (T14). The export of the API, to read. */
import { html } from 'hono/html';
import type { z } from '@hono/zod-openapi';
import { APPS } from '../../../../providers/approved.ts';
import { dateFormat } from '../../../domain/spoken-time.ts';
import type { evidence as schema } from '../../api/evidence-schemas.ts';
import { type Key, translator } from '../texts/index.ts';
import { minutes } from './format.ts';
import { fact, type Html, type MaybeHtml, page, type PageBase, remark } from './layout.ts';
import { KIND_NAMES } from './report.ts';

type Evidence = z.infer<typeof schema>;

export interface EvidencePage extends PageBase {
  readonly evidence: Evidence;
}

export function evidencePage(model: EvidencePage): Html {
  const { evidence } = model;
  const t = translator(model.language);
  return page(
    model,
    evidence.meeting.booking.title,
    html`<div class="intro">
        <p class="eyebrow">${t('evidence.label')}</p>
        <h1>${evidence.meeting.booking.title}</h1>
        <p class="quiet">${t('evidence.about', { time: moment(model, evidence.exported_at) })}</p>
      </div>
      ${evidence.left_out.length === 0 ? '' : remark('warn', [t('evidence.leftOut', { lists: evidence.left_out.join(', ') })])}
      ${report(model)} ${meeting(model)} ${sessions(model)} ${customers(model)} ${link(model)} ${recordings(model)} ${blocks(model)}
      ${earlyEnds(model)} ${ratings(model)} ${events(model)} ${audit(model)}`,
  );
}

function report(model: EvidencePage): Html {
  const { incident } = model.evidence;
  const t = translator(model.language);
  return card(
    t('evidence.report'),
    html`<dl class="facts">
        ${fact(t('evidence.reportedBy'), `${side(model, incident.reported_by)} ${incident.reporter_id}`)}
        ${fact(t('evidence.reportedAt'), moment(model, incident.reported_at))}
        ${incident.kind === null ? '' : fact(t('evidence.kind'), t(KIND_NAMES[incident.kind]))}
        ${fact(t('evidence.words'), html`<pre>${incident.text}</pre>`)} ${fact(t('evidence.state'), code(incident.state))}
        ${incident.resolution === null ? '' : fact(t('evidence.resolution'), incident.resolution)}
      </dl>
      <h3>${t('evidence.timeline')}</h3>
      ${list(
        model,
        incident.timeline.map(({ at, kind, by, state, text }) =>
          entry(model, at, [
            kind === 'reported' ? t('evidence.entryReported') : kind === 'note' ? t('evidence.entryNote') : code(state ?? ''),
            side(model, by),
            text,
          ]),
        ),
      )}`,
  );
}

function meeting(model: EvidencePage): Html {
  const { meeting: it } = model.evidence;
  const t = translator(model.language);
  const when = (name: string, at: string | null): MaybeHtml => (at === null ? '' : fact(name, moment(model, at)));
  return card(
    t('evidence.meeting'),
    html`<dl class="facts">
      ${fact(t('evidence.booking'), it.booking.id)} ${fact(t('evidence.sideHost'), it.professional_id)}
      ${fact(t('common.app'), APPS[it.provider].name)}
      ${fact(t('evidence.planned'), `${moment(model, it.starts_at)}, ${minutes(model.language, it.duration_minutes)}`)}
      ${when(t('evidence.started'), it.started_at)} ${when(t('evidence.ended'), it.ended_at)}
      ${it.ended_by === null ? '' : fact(t('evidence.endedBy'), side(model, it.ended_by))}
      ${it.cancel_reason === null ? '' : fact(t('evidence.cancelled'), it.cancel_reason)} ${fact(t('evidence.state'), code(it.state))}
    </dl>`,
  );
}

function sessions(model: EvidencePage): Html {
  const t = translator(model.language);
  const until = (at: string | null): string => (at === null ? t('evidence.now') : moment(model, at));
  return card(
    t('evidence.sessions'),
    html`<p>${minutesOf(model, model.evidence.sessions.minutes)}</p>
      ${list(
        model,
        model.evidence.sessions.sessions.map(
          (session) =>
            html`<li>
              <p>${moment(model, session.started_at)} – ${until(session.ended_at)}</p>
              <p class="quiet small">${minutesOf(model, session.minutes)}${session.estimated ? ` ${t('evidence.estimated')}` : ''}</p>
              <ul class="list">
                ${session.participants.map(
                  (person) =>
                    html`<li>
                      ${side(model, person.side)}${person.customer_id === null ? '' : ` ${person.customer_id}`}:
                      ${person.stays.map((stay) => `${moment(model, stay.joined_at)} – ${until(stay.left_at)}`).join('; ')}
                    </li>`,
                )}
              </ul>
            </li>`,
        ),
      )}`,
  );
}

function customers(model: EvidencePage): Html {
  const t = translator(model.language);
  return card(
    t('evidence.customers'),
    html`${list(
      model,
      model.evidence.customers.map(
        ({ customer_id: id, name, purchased_at: bought }) =>
          html`<li>
            ${id}${name === null ? '' : ` (${name})`}:
            ${bought === null ? t('evidence.notBought') : `${t('evidence.bought')} ${moment(model, bought)}`}
          </li>`,
      ),
    )}
    ${
      model.evidence.consents.length === 0
        ? ''
        : list(
            model,
            model.evidence.consents.map(({ at, customer_id: id, decision, text_version: version, channel }) =>
              entry(model, at, [
                id,
                t(decision === 'granted' ? 'host.consentGranted' : 'host.consentRefused'),
                code(`${channel} ${version}`),
              ]),
            ),
          )
    }`,
  );
}

const LINK_NAMES = {
  created: 'evidence.linkCreated',
  ready: 'evidence.linkReady',
  replaced: 'evidence.linkReplaced',
  locked: 'evidence.linkLocked',
  purchased: 'evidence.linkPurchased',
  continued: 'evidence.linkContinued',
} as const satisfies Record<Evidence['link']['history'][number]['what'], Key>;

function link(model: EvidencePage): Html {
  const { history, followed, places, guests } = model.evidence.link;
  const t = translator(model.language);
  const lines = [
    ...history.map(({ at, what, customer_id: id }) => ({ at, words: [t(LINK_NAMES[what]), id] })),
    ...followed.map(({ at, side: who, customer_id: id }) => ({ at, words: [t('evidence.followed'), side(model, who), id] })),
    ...places.map(({ at, customer_id: id }) => ({ at, words: [t('evidence.place'), id] })),
    ...guests.map(({ created_at: at, name, uses }) => ({ at, words: [t('evidence.guest'), name, `× ${uses}`] })),
  ];
  return card(
    t('evidence.link'),
    list(
      model,
      lines.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)).map(({ at, words }) => entry(model, at, words)),
    ),
  );
}

function recordings(model: EvidencePage): MaybeHtml {
  const t = translator(model.language);
  return cardOfSome(
    model,
    t('evidence.recordings'),
    model.evidence.recordings.map(
      ({ id, state, published_at: published, links }) =>
        html`<li>
          ${code(id)} ${code(state)} ${published === null ? '' : `${t('evidence.published')} ${moment(model, published)}`}
          <ul class="list">
            ${links.map(({ customer_id: customer, views }) => html`<li>${customer ?? side(model, 'operator')}: ${t('evidence.views', { count: views })}</li>`)}
          </ul>
        </li>`,
    ),
  );
}

function blocks(model: EvidencePage): MaybeHtml {
  const t = translator(model.language);
  return cardOfSome(
    model,
    t('evidence.blocks'),
    (model.evidence.meter?.blocks ?? []).map(({ number, starts_at: at, voided_at: voided }) =>
      entry(model, at, [t('evidence.block', { number: String(number) }), voided === null ? null : t('evidence.voided')]),
    ),
  );
}

function earlyEnds(model: EvidencePage): MaybeHtml {
  return cardOfSome(
    model,
    translator(model.language)('evidence.earlyEnds'),
    model.evidence.early_ends.map(({ asked_at: at, asked_by: by, customer_id: id, state }) =>
      entry(model, at, [side(model, by), id, code(state)]),
    ),
  );
}

function ratings(model: EvidencePage): MaybeHtml {
  const t = translator(model.language);
  return cardOfSome(
    model,
    t('evidence.ratings'),
    model.evidence.ratings.map(({ at, customer_id: id, professional, connection, comment }) =>
      entry(model, at, [id, t('evidence.rating', { professional: String(professional), connection: String(connection) }), comment]),
    ),
  );
}

function events(model: EvidencePage): Html {
  return folded(
    translator(model.language)('evidence.events'),
    list(
      model,
      model.evidence.events.map(({ at, type, deliveries }) =>
        entry(model, at, [code(type), ...deliveries.map(({ state }) => code(state))]),
      ),
    ),
  );
}

function audit(model: EvidencePage): Html {
  return folded(
    translator(model.language)('evidence.audit'),
    list(
      model,
      model.evidence.audit.map(({ at, seq, action, hash }) => entry(model, at, [`${seq}`, code(action), code(hash)])),
    ),
  );
}

const SIDES: Readonly<Record<string, Key & `evidence.side${string}`>> = {
  host: 'evidence.sideHost',
  professional: 'evidence.sideHost',
  customer: 'evidence.sideCustomer',
  marketplace: 'evidence.sideMarketplace',
  operator: 'evidence.sideOperator',
};

const side = ({ language }: PageBase, who: string): string => translator(language)(SIDES[who] ?? 'evidence.sideUnknown');

const minutesOf = ({ language }: PageBase, { total, host, customer, joint }: Evidence['sessions']['minutes']): string => {
  const shown = (count: number): string => count.toLocaleString(language);
  return translator(language)('evidence.minutes', {
    total: shown(total),
    host: shown(host),
    customer: shown(customer),
    joint: shown(joint),
  });
};

/** To the second: it is about who was there when. */
const moment = ({ language, evidence }: EvidencePage, at: string): string =>
  dateFormat('evidence', language, evidence.meeting.time_zone, { dateStyle: 'medium', timeStyle: 'long' }).format(new Date(at));

const code = (word: string): Html => html`<code>${word}</code>`;

const entry = (model: EvidencePage, at: string, words: readonly (Html | string | null)[]): Html =>
  html`<li>
    <time class="quiet" datetime="${at}">${moment(model, at)}</time>
    ${words.filter((word) => word !== null).map((word, index) => html`${index === 0 ? '' : ' · '}${word}`)}
  </li>`;

const list = ({ language }: PageBase, items: readonly Html[]): Html =>
  items.length === 0
    ? html`<p class="quiet">${translator(language)('evidence.none')}</p>`
    : html`<ul class="list">
        ${items}
      </ul>`;

const card = (title: string, content: Html): Html =>
  html`<section class="card">
    <h2>${title}</h2>
    ${content}
  </section>`;

const cardOfSome = (model: PageBase, title: string, items: readonly Html[]): MaybeHtml =>
  items.length === 0 ? '' : card(title, list(model, items));

/** Long, and for who looks closely. */
const folded = (title: string, content: Html): Html =>
  html`<details class="card">
    <summary>${title}</summary>
    ${content}
  </details>`;
