import { createAppAuth } from '@octokit/auth-app';
import { CodeHostError, type Repository } from '../../src/contracts/code-host.ts';
import { asking, type Client, withLogin } from './requests.ts';

/** What Deckhand is given to act at GitHub: a token of a person or machine account, or an app. */
export type GithubLogin = { type: 'token'; token: string } | { type: 'app'; id: string; privateKey: string };

/** What a request is for; an app asks for no more than that. */
export type Purpose = 'read' | 'write' | 'pulls';

type Level = 'read' | 'write';

export interface Token {
  token: string;
  /** Undefined: not known, or never. */
  expiresAt: Date | undefined;
  /** Of an app: what the token is good for. */
  permissions?: Readonly<Record<string, Level>> | undefined;
}

export interface Logins {
  for(repository: Repository, purpose: Purpose, signal?: AbortSignal): Promise<Token>;
  /** As whom Deckhand acts there: a login, or the name of the app. */
  as(signal?: AbortSignal): Promise<string>;
  /** Forgets what was found out about a repository: the next request looks again. After a refusal. */
  forget(repository: Repository): void;
}

/** Rights of an app by purpose. Those it has not been given are left out, so that the rest still works. */
const rights: Record<Purpose, Readonly<Record<string, Level>>> = {
  read: { contents: 'read', metadata: 'read' },
  write: { contents: 'write', metadata: 'read', workflows: 'write' },
  pulls: {
    contents: 'write',
    metadata: 'read',
    pull_requests: 'write',
    issues: 'write',
    checks: 'read',
    statuses: 'read',
    actions: 'read',
  },
};

export function createLogins(client: Client, login: GithubLogin): Logins {
  return login.type === 'token' ? tokenLogins(client, login.token) : appLogins(client, login);
}

function tokenLogins(client: Client, token: string): Logins {
  return {
    for: async () => ({ token, expiresAt: undefined }),
    async as(signal) {
      const { data } = await asking('say who it is', signal, () => client.request('GET /user', withLogin(token, signal)));
      return data.login;
    },
    forget: () => undefined,
  };
}

interface Installed {
  id: number;
  /** What the app was given there. */
  granted: Readonly<Record<string, string>>;
}

/** Tokens of installations are kept by the library until a minute before they expire, which is an hour after they were made. */
function appLogins(client: Client, { id, privateKey }: { id: string; privateKey: string }): Logins {
  const auth = createAppAuth({ appId: id, privateKey, request: client.request });
  const known = new Map<string, Promise<Installed>>();
  const key = ({ owner, name }: Repository) => `${owner}/${name}`.toLowerCase();

  async function asApp(signal: AbortSignal | undefined) {
    const { token } = await auth({ type: 'app' });
    const { headers, request } = withLogin(token, signal);
    return { headers: { ...headers, authorization: `Bearer ${token}` }, request };
  }

  async function look({ owner, name }: Repository, signal: AbortSignal | undefined): Promise<Installed> {
    try {
      const { data } = await asking('find its installation', signal, async () =>
        client.request('GET /repos/{owner}/{repo}/installation', { owner, repo: name, ...(await asApp(signal)) }),
      );
      const granted = Object.fromEntries(Object.entries(data.permissions).map(([right, level]) => [right, String(level)]));
      return { id: data.id, granted };
    } catch (error) {
      if (!(error instanceof CodeHostError) || error.reason !== 'missing') throw error;
      const message = `The GitHub app is not installed for ${owner}/${name}. Install it there, or add the repository to its installation.`;
      throw new CodeHostError('forbidden', message, { cause: error });
    }
  }

  async function installation(repository: Repository, signal: AbortSignal | undefined): Promise<Installed> {
    const found = known.get(key(repository)) ?? look(repository, signal);
    known.set(key(repository), found);
    try {
      return await found;
    } catch (error) {
      known.delete(key(repository));
      throw error;
    }
  }

  return {
    async for(repository, purpose, signal) {
      const { id: installationId, granted } = await installation(repository, signal);
      const permissions = granting(rights[purpose], granted);
      const made = await asking('make a token', signal, () =>
        auth({ type: 'installation', installationId, repositoryNames: [repository.name], permissions }),
      );
      return { token: made.token, expiresAt: new Date(made.expiresAt), permissions };
    },
    async as(signal) {
      const { data } = await asking('say who it is', signal, async () => client.request('GET /app', await asApp(signal)));
      return data?.name ?? `app ${id}`;
    },
    forget: (repository) => void known.delete(key(repository)),
  };
}

/** What is wanted, no more than was granted. */
function granting(wanted: Readonly<Record<string, Level>>, granted: Readonly<Record<string, string>>): Record<string, Level> {
  const given: Record<string, Level> = {};
  for (const [right, level] of Object.entries(wanted)) {
    const has = granted[right];
    if (has === undefined) continue;
    given[right] = level === 'write' && has === 'read' ? 'read' : level;
  }
  return given;
}
