import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGit } from '../../runner/git.ts';
import { createMirrors, type Project } from '../../runner/mirror.ts';
import { createPublishing, type PushSpec } from '../../runner/publish-push.ts';
import type { SshFiles } from '../../runner/ssh-command.ts';
import { gitWithInput, git as runGit, temporaryDirectory } from './git-repository.ts';

/** A bare repository as a remote, its mirror, and commits that only the mirror has. */
export async function createPushWorld(
  options: {
    source?: (bare: string) => Project['source'];
    ssh?: SshFiles;
    /** Of the names of objects, as git calls it. */
    format?: 'sha1' | 'sha256';
  } = {},
) {
  const place = await temporaryDirectory('push');
  const bare = join(place.path, 'remotes', 'web.git');
  const seed = join(place.path, 'seed');
  await mkdir(seed, { recursive: true });
  await runGit(seed, 'init', '--quiet', '--initial-branch=main', `--object-format=${options.format ?? 'sha1'}`);
  await writeFile(join(seed, 'README.md'), 'hello\n');
  await runGit(seed, 'add', '--all');
  await runGit(seed, 'commit', '--quiet', '-m', 'First');
  await mkdir(join(place.path, 'remotes'), { recursive: true });
  await runGit(seed, 'clone', '--quiet', '--bare', '--template=', seed, bare);
  await runGit(bare, 'config', 'core.logAllRefUpdates', 'true');
  await runGit(bare, 'config', 'http.receivepack', 'true');
  const base = await runGit(seed, 'rev-parse', 'HEAD');

  const dataDir = join(place.path, 'data');
  await mkdir(dataDir);
  const git = createGit(process.env, options.ssh);
  const mirrors = createMirrors({ dataDir, git });
  const source = options.source?.(bare) ?? { kind: 'path', path: bare };
  const project: Project = { id: 'prj_web', name: 'web', source, baseBranch: null };
  await mirrors.fetch({ ...project, source: { kind: 'path', path: bare } });
  const mirror = mirrors.path(project.id);

  return {
    place,
    bare,
    seed,
    base,
    dataDir,
    git,
    mirrors,
    mirror,
    project,
    publishing: createPublishing({ git, mirrors }),
    /** A commit in the mirror that no reference names, with its tree. */
    async change(content: string, parent = base): Promise<{ commit: string; tree: string }> {
      const blob = await gitWithInput(mirror, content, 'hash-object', '-w', '--stdin');
      const tree = await gitWithInput(mirror, `100644 blob ${blob}\tsession.ts\n`, 'mktree');
      return { commit: await runGit(mirror, 'commit-tree', tree, '-p', parent, '-m', content), tree };
    },
    spec(change: { commit: string; tree: string }, more: Partial<PushSpec> = {}): PushSpec {
      const remote = project.source.kind === 'path' ? project.source.path : project.source.url;
      return { project, remote, branch: 'deckhand/1-fix', ...change, ...more };
    },
    /** Where a branch of the remote is; '' when there is none. */
    at: (branch: string) => runGit(bare, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`),
    /** How often a branch of the remote has moved. */
    async moves(branch: string): Promise<number> {
      const log = await runGit(bare, 'reflog', 'show', '--format=%H', `refs/heads/${branch}`).catch(() => '');
      return log === '' ? 0 : log.split('\n').length;
    },
    async hook(name: string, script: string) {
      await mkdir(join(bare, 'hooks'), { recursive: true });
      await writeFile(join(bare, 'hooks', name), `#!/bin/sh\n${script}\n`);
      await chmod(join(bare, 'hooks', name), 0o755);
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

export type PushWorld = Awaited<ReturnType<typeof createPushWorld>>;
