import { CodeHostError, type Repository } from '../../src/contracts/code-host.ts';
import type { Logins, Purpose } from './logins.ts';
import { asking, withLogin } from './requests.ts';

/** One repository and the login for a purpose there, as every request takes them. */
export interface Place {
  owner: string;
  repo: string;
  headers: { authorization: string; 'x-github-api-version': string };
  request: { signal: AbortSignal };
}

/** Makes requests in a repository. `what` completes "GitHub refuses to …"; rejects with CodeHostError, or with the reason of the signal. */
export type At = <T>(
  what: string,
  repository: Repository,
  purpose: Purpose,
  signal: AbortSignal | undefined,
  request: (place: Place) => Promise<T>,
) => Promise<T>;

/** A login that has been withdrawn, or given more rights, is asked for anew. */
export function createAt(logins: Logins): At {
  return async (what, repository, purpose, signal, request) => {
    try {
      return await asking(what, signal, async () => {
        const { token } = await logins.for(repository, purpose, signal);
        return await request({ owner: repository.owner, repo: repository.name, ...withLogin(token, signal) });
      });
    } catch (error) {
      if (error instanceof CodeHostError && (error.reason === 'unauthorised' || error.reason === 'forbidden')) {
        logins.forget(repository);
      }
      throw error;
    }
  };
}
