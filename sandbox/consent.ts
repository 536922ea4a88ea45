/** The page on which a sandbox user allows or denies access, and its short cut for programs. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { AuthorizeRequest, OAuthStore } from './oauth.ts';
import { type Html, shell } from './shell.ts';
import type { ConsentUser, Env, Routes, VendorId } from './world.ts';

export interface ConsentRules {
  readonly title: string;
  /** Sent along as `iss` (RFC 9207) where the vendor does so. */
  readonly issuer?: string;
  readonly users: (request: AuthorizeRequest) => readonly ConsentUser[];
  /** Scopes that the user may untick; empty where consent is all or nothing. */
  readonly optional: (request: AuthorizeRequest) => readonly string[];
  /** What goes back to the application instead of a code, when this user cannot allow it. */
  readonly refusal?: (request: AuthorizeRequest, user: ConsentUser) => Readonly<Record<string, string>> | null;
  readonly denial: (request: AuthorizeRequest) => Readonly<Record<string, string>>;
}

interface Decision {
  readonly user: string | null;
  readonly decision: string | null;
  /** Optional scopes that were ticked; null when the form did not ask. */
  readonly ticked: readonly string[] | null;
}

export interface Consent {
  /** Answers the authorization endpoint: with the page, or at once when `sandbox_user` / `sandbox_decision` are in the URL. */
  show(c: Context<Env>, request: AuthorizeRequest): Response | Promise<Response>;
  readonly routes: Routes;
}

export function createConsent(oauth: OAuthStore, rules: Readonly<Record<VendorId, ConsentRules>>): Consent {
  const decide = (c: Context<Env>, request: AuthorizeRequest, { user: email, decision, ticked }: Decision): Response => {
    const { issuer, users, optional, refusal, denial } = rules[request.vendor];
    const back = (parameters: Readonly<Record<string, string>>): Response =>
      sendBack(c, request, { ...parameters, ...(issuer === undefined ? {} : { iss: issuer }) });
    if (decision !== 'allow') return back(denial(request));
    const user = users(request).find((candidate) => candidate.email === email);
    if (!user) return c.text(`There is no sandbox user ${email ?? ''} here.`, 400);
    const refused = refusal?.(request, user);
    if (refused) return back(refused);
    const asked = new Set(ticked === null ? [] : optional(request));
    const granted = request.scopes.filter((scope) => !asked.has(scope) || ticked?.includes(scope));
    return back({ code: oauth.approve(request, user.id, granted) });
  };

  return {
    show(c, request) {
      const decision = request.parameters.get('sandbox_decision');
      if (decision !== null) {
        const scopes = request.parameters.get('sandbox_scopes');
        return decide(c, request, { user: request.parameters.get('sandbox_user'), decision, ticked: scopes?.split(' ') ?? null });
      }
      const { title, users, optional } = rules[request.vendor];
      return c.html(page({ title, id: oauth.open(request), request, users: users(request), optional: optional(request) }));
    },

    routes: new Hono<Env>().post('/sandbox/consent', async (c) => {
      const form = new URLSearchParams(await c.req.text());
      const request = oauth.opened(form.get('request') ?? '');
      if (!request) return c.text('This consent page is not open any more.', 400);
      return decide(c, request, { user: form.get('user'), decision: form.get('decision'), ticked: form.getAll('scope') });
    }),
  };
}

/** An error for the user himself: it is not safe to send him back to the application. */
export const refuseAuthorization = (c: Context<Env>, reason: string): Response | Promise<Response> =>
  c.html(shell('Error', html`<p>${reason}</p>`), 400);

function sendBack(c: Context<Env>, { redirectUri, state }: AuthorizeRequest, parameters: Readonly<Record<string, string>>): Response {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  if (state !== null) url.searchParams.set('state', state);
  return c.redirect(url.href, 302);
}

interface Page {
  readonly title: string;
  readonly id: string;
  readonly request: AuthorizeRequest;
  readonly users: readonly ConsentUser[];
  readonly optional: readonly string[];
}

const page = ({ title, id, request, users, optional }: Page): Html =>
  shell(
    title,
    html`<p><strong>${new URL(request.redirectUri).host}</strong> asks for access.</p>
      <form method="post" action="/sandbox/consent">
        <input type="hidden" name="request" value="${id}" />
        <fieldset>
          <legend>Who are you?</legend>
          ${users.map(
            ({ email, note }, index) =>
              html`<label>
                <input type="radio" name="user" value="${email}" ${index === 0 ? 'checked' : ''} />
                <span>${email}<small>${note}</small></span>
              </label>`,
          )}
        </fieldset>
        <fieldset>
          <legend>${optional.length > 0 ? 'What do you allow?' : 'What it asks for'}</legend>
          ${optional.map(
            (scope) => html`<label><input type="checkbox" name="scope" value="${scope}" checked /><code>${scope}</code></label>`,
          )}
          ${
            optional.length > 0
              ? ''
              : html`<ul>
                  ${request.scopes.map((scope) => html`<li><code>${scope}</code></li>`)}
                </ul>`
          }
        </fieldset>
        <button name="decision" value="allow">Allow</button>
        <button name="decision" value="deny">Deny</button>
      </form>`,
  );
