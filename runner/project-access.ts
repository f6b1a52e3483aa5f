import { type CodeHost, CodeHostError, type ProjectAccess } from '../src/contracts/code-host.ts';
import { AppError, describeError } from '../src/contracts/errors.ts';
import { writeLogins } from './code-host-login.ts';
import { parseSource } from './git-source.ts';
import type { Project } from './mirror.ts';
import type { Publishing } from './publish-push.ts';

/**
 * What may be done in the repository of a project that was just fetched: a push is tried without doing it, and a code host is asked what it lets
 * this login do. Never throws for what a person can be told. `commit`: one that the mirror has.
 */
export async function accessOf(
  deps: { publishing: Publishing; codeHost: CodeHost | undefined },
  project: Project,
  commit: string,
  signal: AbortSignal,
): Promise<ProjectAccess> {
  const { publishing, codeHost } = deps;
  const push = await told(() => publishing.tryPush(project, commit, writeLogins(codeHost), signal));
  const repository = codeHost?.repositoryOf(parseSource(project.source).address);
  const pushed = push === undefined ? { ok: true } : { ok: false, why: push };
  if (codeHost === undefined || repository === undefined) return { push: pushed, problems: push === undefined ? [] : [push] };
  try {
    const { as, pulls, problems } = await codeHost.access(repository, signal);
    const said = push === undefined || problems.length > 0 ? problems : [push];
    return { as, push: pushed, pulls: { ok: pulls }, problems: [...said] };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CodeHostError)) throw error;
    return { push: pushed, pulls: { ok: false }, problems: [error.message] };
  }
}

/** What went wrong and what to do; undefined: nothing did. */
async function told(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { text, remedy } = describeError(error.code, error.params);
    return `${text} ${remedy} ${error.code}`;
  }
}
