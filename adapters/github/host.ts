import { type CodeHost, CodeHostError, type Repository, type RepositoryAccess } from '../../src/contracts/code-host.ts';
import { failedChecks } from './failed-checks.ts';
import { createLogins, type GithubLogin } from './logins.ts';
import { createAt } from './place.ts';
import { pullsOf } from './pulls.ts';
import { repositoryAt, webOrigin } from './repositories.ts';
import { asking, createClient } from './requests.ts';
import { reviewComments } from './review-comments.ts';

export interface GithubConfig {
  /** `https://api.github.com`, or `https://<host>/api/v3` of a GitHub Enterprise Server. */
  apiUrl: string;
  login: GithubLogin;
}

/** GitHub, over its REST API; making a draft ready is only in its GraphQL API. */
export function createGithubHost({ apiUrl, login }: GithubConfig): CodeHost {
  const client = createClient(apiUrl);
  const logins = createLogins(client, login);
  const at = createAt(logins);
  const web = webOrigin(apiUrl);

  async function access(repository: Repository, signal?: AbortSignal): Promise<RepositoryAccess> {
    const [as, { data }] = await Promise.all([
      logins.as(signal),
      at('read the repository', repository, 'pulls', signal, (place) =>
        client.request('GET /repos/{owner}/{repo}', { ...place }),
      ),
    ]);
    const push = data.permissions?.push === true && !data.archived;
    const pulls = login.type === 'token' ? push : await mayOpenPulls(repository, signal);
    return {
      as,
      private: data.private,
      defaultBranch: data.default_branch,
      read: true,
      push,
      pulls,
      problems: [
        ...(data.archived ? [`${repository.owner}/${repository.name} is archived: nothing can be pushed there.`] : []),
        ...(push || data.archived ? [] : [`${as} may not push. Give it write access, or the permission Contents: write.`]),
        ...(pulls ? [] : [`${as} may not open pull requests. Give it the permission Pull requests: write.`]),
      ],
    };
  }

  async function mayOpenPulls(repository: Repository, signal: AbortSignal | undefined): Promise<boolean> {
    const { permissions } = await asking('make a token', signal, () => logins.for(repository, 'pulls', signal));
    return permissions?.pull_requests === 'write';
  }

  return {
    kind: 'github',
    repositoryOf: (address) => repositoryAt(address, web),
    async login(repository, right, signal) {
      const { token, expiresAt } = await asking('make a token', signal, () => logins.for(repository, right, signal));
      // Git at GitHub takes any name with a token; this one is named in the documentation of apps.
      return { authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`, expiresAt };
    },
    access,
    ...pullsOf(client, at),
    failedChecks: (repository, commit, signal) => failedChecks(client, at, repository, commit, signal),
    reviewComments: (repository, number, since, signal) => reviewComments(client, at, { repository, number, since }, signal),
    async permission(repository, username, signal, account) {
      const path = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
      try {
        const { data } = await at('read who may do what', repository, 'pulls', signal, (place) =>
          client.request(path, { ...place, username }),
        );
        return account === undefined || String(data.user?.id) === account ? permissionOf(data.permission) : 'none';
      } catch (error) {
        if (error instanceof CodeHostError && error.reason === 'missing') return 'none';
        throw error;
      }
    },
    async deleteBranch(repository, branch, commit, signal) {
      const ref = `heads/${branch}`;
      try {
        return await at('delete the branch', repository, 'pulls', signal, async (place) => {
          const { data } = await client.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...place, ref });
          if (data.object.sha !== commit) return false;
          await client.request('DELETE /repos/{owner}/{repo}/git/refs/{ref}', { ...place, ref });
          return true;
        });
      } catch (error) {
        if (!(error instanceof CodeHostError) || error.reason !== 'missing') throw error;
        return true;
      }
    },
  };
}

/** The REST API answers maintain as write and triage as read. */
function permissionOf(permission: string): 'none' | 'read' | 'write' | 'admin' {
  return permission === 'admin' || permission === 'write' || permission === 'read' ? permission : 'none';
}
