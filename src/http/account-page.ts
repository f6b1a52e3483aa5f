import { platformNames, platformSchema } from '../contracts/platform.ts';
import type { SigninMethod } from '../contracts/signin.ts';
import type { TokenRow } from '../store/access-tokens.ts';
import type { AccountFacts } from '../store/account-facts.ts';
import type { SessionRow } from '../store/sessions.ts';
import { type Html, html } from './html.ts';

/** What the page is made from beside the facts. */
export interface AccountView {
  facts: AccountFacts;
  /** The session that looks at it. */
  session: string;
  base: string;
  /** Goes with every form. */
  formToken: string;
  now: Date;
}

const methodWords: Record<SigninMethod, string> = {
  link: 'link from chat',
  github: 'GitHub',
  oidc: 'OpenID provider',
  password: 'password',
};

/** One button that sends a form to this server. */
export function action(
  view: Pick<AccountView, 'base' | 'formToken'>,
  path: string,
  label: string,
  { fields = {}, kind }: { fields?: Record<string, string>; kind?: 'danger' | 'main' } = {},
): Html {
  const hidden = Object.entries({ form: view.formToken, ...fields }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${view.base}${path}">${hidden}<button class="${kind ?? ''}">${label}</button></form>`;
}

/** Who I am, where I am signed in, and what acts for me. */
export function accountBody(view: AccountView): Html {
  const { facts } = view;
  const accounts = facts.accounts.map(({ platform, name }) => {
    const known = platformSchema.safeParse(platform).data;
    return html`<div>${name} <span class="tag">${known === undefined ? platform : platformNames[known]}</span></div>`;
  });
  return html`<section>
<h2>You</h2>
<dl>
<dt>Name</dt><dd>${facts.person.name}</dd>
<dt>Role</dt><dd>${facts.person.role ?? 'none'} in ${facts.workspace}</dd>
<dt>Accounts</dt><dd>${accounts.length === 0 ? html`none in chat` : accounts}</dd>
</dl>
</section>
${sessionsSection(view)}
${tokensSection(view)}`;
}

function sessionsSection(view: AccountView): Html {
  const { sessions } = view.facts;
  const others = sessions.filter(({ id }) => id !== view.session);
  return html`<section>
<h2>Browsers that are signed in</h2>
<ul class="rows">${sessions.map((session) => sessionRow(view, session))}</ul>
${others.length === 0 ? undefined : html`<div class="actions">${action(view, '/account/sessions/end-others', 'Sign out all others', { kind: 'danger' })}</div>`}
</section>`;
}

function sessionRow(view: AccountView, { id, device, method, createdAt, lastSeenAt, expiresAt }: SessionRow): Html {
  const here = id === view.session;
  return html`<li><div>${device} ${here ? html`<span class="tag">this browser</span>` : undefined}
<small>${methodWords[method]} · since ${moment(createdAt)} · used ${moment(lastSeenAt)} · at most until ${day(expiresAt)}</small></div>
${here ? undefined : action(view, '/account/sessions/end', 'Sign out', { fields: { session: id }, kind: 'danger' })}</li>`;
}

function tokensSection(view: AccountView): Html {
  const { tokens } = view.facts;
  const rows =
    tokens.length === 0
      ? html`<p class="soft">None. <code>token create</code> in chat makes one.</p>`
      : html`<ul class="rows">${tokens.map((token) => tokenRow(view, token))}</ul>`;
  return html`<section>
<h2>Access tokens</h2>
${rows}
</section>`;
}

function tokenRow(view: AccountView, token: TokenRow): Html {
  const { id, name, end, scopes, role, lastUsedAt, expiresAt } = token;
  const used = lastUsedAt === undefined ? html`never used` : html`used ${moment(lastUsedAt)}`;
  return html`<li><div>${name} <code>…${end}</code>
<small>may ${scopes.join(', ')} as ${role} · ${used} · until ${day(expiresAt)}</small></div>
${action(view, '/account/tokens/revoke', 'Revoke', { fields: { token: id }, kind: 'danger' })}</li>`;
}

/** To the minute, in a form that means the same everywhere: without script the page does not know the time zone of its reader. */
function moment(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function day(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 10)}</time>`;
}
