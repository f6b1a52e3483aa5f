import { calledAs } from '../contracts/permissions.ts';
import { platformNames, platformSchema } from '../contracts/platform.ts';
import type { SigninMethod } from '../contracts/signin.ts';
import type { TokenRow } from '../store/access-tokens.ts';
import type { AccountFacts } from '../store/account-facts.ts';
import type { SessionRow } from '../store/sessions.ts';
import type { AccountPlace } from './account-places.ts';
import { type Html, html } from './html.ts';

/** What the page is made from beside the facts. */
export interface AccountView {
  facts: AccountFacts;
  places: readonly AccountPlace[];
  /** The session that looks at it. */
  session: string;
  base: string;
  /** Goes with every form. */
  formToken: string;
  /** Servers at which an account can be linked, by what people call them. */
  servers: readonly { provider: string; label: string }[];
  passwords: boolean;
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
<dt>Role</dt><dd>${calledAs(facts.person) ?? 'none'} in ${facts.workspace}</dd>
${placesRow(view.places)}
<dt>Accounts</dt><dd>${accounts.length === 0 ? html`none in chat` : accounts}</dd>
</dl>
</section>
${sessionsSection(view)}
${tokensSection(view)}
${loginsSection(view)}
${view.passwords ? passwordSection(view) : undefined}`;
}

/** What memberships and teams say, where that is not what the role in the workspace says. */
function placesRow(places: readonly AccountPlace[]): Html | undefined {
  if (places.length === 0) return undefined;
  const rows = places.map(
    ({ kind, name, role, why }) =>
      html`<div>${role} ${kind === 'folder' ? 'in the folder' : 'about'} ${name} <small>${why}</small></div>`,
  );
  return html`<dt>Elsewhere</dt><dd>${rows}</dd>`;
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

function loginsSection(view: AccountView): Html | undefined {
  const { logins } = view.facts;
  if (logins.length === 0 && view.servers.length === 0) return undefined;
  const rows = logins.map(({ id, provider, name, lastUsedAt }) => {
    const label = view.servers.find((server) => server.provider === provider)?.label ?? provider;
    const used = lastUsedAt === undefined ? html`never used` : html`used ${moment(lastUsedAt)}`;
    return html`<li><div>${name} <span class="tag">${label}</span><small>${used}</small></div>
${action(view, '/account/logins/remove', 'Remove', { fields: { login: id }, kind: 'danger' })}</li>`;
  });
  const links = view.servers.map(({ provider, label }) =>
    action(view, '/account/logins/link', `Link ${label}`, { fields: { provider } }),
  );
  return html`<section>
<h2>Accounts that sign you in</h2>
${rows.length === 0 ? html`<p class="soft">None is linked.</p>` : html`<ul class="rows">${rows}</ul>`}
<div class="actions">${links}</div>
</section>`;
}

function passwordSection(view: AccountView): Html {
  const { passwordLogin } = view.facts;
  const has = passwordLogin !== undefined;
  const present = html`<label>Present password <input name="present" type="password" autocomplete="current-password" required maxlength="200"></label>`;
  const hidden = html`<input type="hidden" name="form" value="${view.formToken}">`;
  const away = html`<form method="post" action="${view.base}/account/password/remove" class="stack">${hidden}${present}
<div><button class="danger">Remove the password</button></div></form>`;
  return html`<section>
<h2>Password</h2>
<form method="post" action="${view.base}/account/password" class="stack">${hidden}
<label>Name <input name="login" value="${passwordLogin ?? ''}" autocomplete="username" autocapitalize="none" required minlength="3" maxlength="64"></label>
${has ? present : undefined}
<label>New password, at least 12 characters <input name="password" type="password" autocomplete="new-password" required minlength="12" maxlength="200"></label>
<div><button class="main">${has ? 'Change the password' : 'Set a password'}</button></div>
</form>
${has ? away : undefined}
</section>`;
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
  const { id, name, end, scopes, ceiling, lastUsedAt, expiresAt } = token;
  const used = lastUsedAt === undefined ? html`never used` : html`used ${moment(lastUsedAt)}`;
  return html`<li><div>${name} <code>…${end}</code>
<small>may ${scopes.join(', ')} as ${calledAs(ceiling) ?? 'nothing'} · ${used} · until ${day(expiresAt)}</small></div>
${action(view, '/account/tokens/revoke', 'Revoke', { fields: { token: id }, kind: 'danger' })}</li>`;
}

/** To the minute, in a form that means the same everywhere: without script the page does not know the time zone of its reader. */
function moment(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function day(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 10)}</time>`;
}
