import { randomBytes } from 'node:crypto';
import type { LabRepository } from '../../lab/github/repositories.ts';
import type { CodeHost } from '../../src/contracts/code-host.ts';
import { emptyRepository, temporaryDirectory } from './git-repository.ts';

/** Pushes a branch with one commit upon main as git does, with the login that the host gives for it. */
export async function pushBranch(
  host: Pick<CodeHost, 'login'>,
  repository: LabRepository,
  files: Record<string, string>,
): Promise<{ branch: string; commit: string; tree: string }> {
  const branch = `deckhand/${randomBytes(4).toString('hex')}`;
  await using at = await temporaryDirectory('push');
  const { authorization } = await host.login(repository, 'write');
  const login = ['-c', `http.extraHeader=Authorization: ${authorization}`];
  const copy = await emptyRepository(`${at.path}/copy`);
  await copy.git(...login, 'fetch', '--quiet', repository.cloneUrl, 'main');
  await copy.git('reset', '--hard', '--quiet', 'FETCH_HEAD');
  const commit = await copy.commit(files);
  const tree = await copy.git('rev-parse', 'HEAD^{tree}');
  await copy.git(...login, 'push', '--quiet', repository.cloneUrl, `HEAD:refs/heads/${branch}`);
  return { branch, commit, tree };
}
