import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { LabRepository } from '../../lab/github/repositories.ts';
import type { CodeHost } from '../../src/contracts/code-host.ts';
import { emptyRepository, temporaryDirectory } from './git-repository.ts';

const execFileAsync = promisify(execFile);

/** Pushes a branch with one commit upon main as git does, with the login that the host gives for it. */
export async function pushBranch(
  host: Pick<CodeHost, 'login'>,
  repository: LabRepository,
  files: Record<string, string>,
): Promise<{ branch: string; commit: string; tree: string }> {
  const branch = `deckhand/${randomBytes(4).toString('hex')}`;
  await using at = await temporaryDirectory('push');
  const { authorization } = await host.login(repository, 'write');
  const env = {
    ...process.env,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: ${authorization}`,
  };
  const copy = await emptyRepository(`${at.path}/copy`);
  await execFileAsync('git', ['-C', copy.path, 'fetch', '--quiet', repository.cloneUrl, 'main'], { env });
  await copy.git('reset', '--hard', '--quiet', 'FETCH_HEAD');
  const commit = await copy.commit(files);
  const tree = await copy.git('rev-parse', 'HEAD^{tree}');
  await execFileAsync('git', ['-C', copy.path, 'push', '--quiet', repository.cloneUrl, `HEAD:refs/heads/${branch}`], { env });
  return { branch, commit, tree };
}
