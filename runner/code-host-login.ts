import { type CodeHost, CodeHostError } from '../src/contracts/code-host.ts';
import { AppError } from '../src/contracts/errors.ts';
import type { LoginFor } from './git-transport.ts';

/**
 * Logins of the code host for fetching. One that it does not give is none: what is public can be read without, and git says so when it
 * cannot. Throws DH-500 when the code host does not answer.
 */
export function readLogins(codeHost: CodeHost | undefined): LoginFor | undefined {
  if (codeHost === undefined) return undefined;
  return async (url, signal) => {
    const repository = codeHost.repositoryOf(url.href);
    if (repository === undefined) return undefined;
    try {
      return (await codeHost.login(repository, 'read', signal)).authorization;
    } catch (error) {
      if (!(error instanceof CodeHostError)) throw error;
      if (error.reason === 'unreachable') throw unreachable(url.href, error);
      return undefined;
    }
  };
}

/** Logins of the code host for pushing. Throws DH-500 when it does not answer, DH-523 when it gives none. */
export function writeLogins(codeHost: CodeHost | undefined): LoginFor | undefined {
  if (codeHost === undefined) return undefined;
  return async (url, signal) => {
    const repository = codeHost.repositoryOf(url.href);
    if (repository === undefined) return undefined;
    try {
      return (await codeHost.login(repository, 'write', signal)).authorization;
    } catch (error) {
      if (!(error instanceof CodeHostError)) throw error;
      if (error.reason === 'unreachable') throw unreachable(url.href, error);
      throw new AppError('DH-523', { remote: url.href, detail: error.message }, { cause: error });
    }
  };
}

function unreachable(url: string, error: CodeHostError): AppError {
  const remedy = 'Try again later; when it stays, check whether this machine reaches the code host.';
  return new AppError('DH-500', { url, detail: error.message, remedy }, { cause: error });
}
