import type { Json } from '../slack/json.ts';
import { accountOf, type Core } from './core.ts';
import { iso, isoOrNull, nodeId } from './ids.ts';
import type { Account, App, Installation } from './model.ts';

/** People, bots, organisations, apps and installations as GitHub shows them. */

export function wireAccount(core: Core, account: Account): Json {
  const url = `${core.apiUrl}/users/${account.login.replace(/[[\]]/g, (sign) => encodeURIComponent(sign))}`;
  const page =
    account.type === 'Bot' ? `${core.baseUrl}/apps/${account.login.replace('[bot]', '')}` : `${core.baseUrl}/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(account.type === 'Bot' ? 'BOT' : account.type === 'User' ? 'U' : 'O', account.id),
    avatar_url: `${core.baseUrl}/avatars/u/${account.id}?v=4`,
    gravatar_id: '',
    url,
    html_url: page,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

export function wireLogin(core: Core, login: string): Json {
  return wireAccount(core, accountOf(core, login));
}

export function wireLoginOrNull(core: Core, login: string | null): Json | null {
  return login === null ? null : wireLogin(core, login);
}

/** With the profile, as `GET /users/:name` and `GET /user` have it. */
export function wireProfile(core: Core, account: Account): Json {
  const created = iso(Date.UTC(2024, 0, 1));
  return {
    ...wireAccount(core, account),
    name: account.name,
    company: null,
    blog: '',
    location: null,
    email: account.type === 'User' ? account.email : null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: [...core.repositories.values()].filter((entry) => entry.owner === account.login && !entry.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: created,
    updated_at: created,
  };
}

export function wireOwnProfile(core: Core, account: Account): Json {
  const own = [...core.repositories.values()].filter((entry) => entry.owner === account.login && entry.private).length;
  return {
    ...wireProfile(core, account),
    private_gists: 0,
    total_private_repos: own,
    owned_private_repos: own,
    disk_usage: 0,
    collaborators: 0,
    two_factor_authentication: true,
    plan: { name: 'pro', space: 976_562_499, private_repos: 9_999, collaborators: 0 },
  };
}

export function wireApp(core: Core, app: App): Json {
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('A', app.id),
    client_id: app.clientId,
    owner: wireLogin(core, app.owner),
    name: app.name,
    description: '',
    external_url: 'https://example.com',
    html_url: `${core.baseUrl}/apps/${app.slug}`,
    created_at: iso(app.createdAt),
    updated_at: iso(app.createdAt),
    permissions: app.permissions,
    events: app.events,
    installations_count: [...core.installations.values()].filter((entry) => entry.app === app.slug).length,
  };
}

export function wireInstallation(core: Core, installation: Installation): Json {
  const app = core.apps.get(installation.app);
  if (!app) throw new Error(`there is no app ${installation.app}`);
  const account = accountOf(core, installation.account);
  const path = account.type === 'Organization' ? `organizations/${account.login}/settings` : 'settings';
  return {
    id: installation.id,
    account: wireAccount(core, account),
    repository_selection: installation.repositories === 'all' ? 'all' : 'selected',
    access_tokens_url: `${core.apiUrl}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${core.apiUrl}/installation/repositories`,
    html_url: `${core.baseUrl}/${path}/installations/${installation.id}`,
    app_id: app.id,
    client_id: app.clientId,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: app.events,
    created_at: iso(installation.createdAt),
    updated_at: iso(installation.createdAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: isoOrNull(installation.suspendedAt),
  };
}
