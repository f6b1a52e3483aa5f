import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from './git.ts';

export interface WorkingCopySpec {
  run: string;
  /** Path of the project's mirror. */
  mirror: string;
  /** Branch of the task, checked out in the copy. */
  branch: string;
  /** Commit the branch starts at. */
  start: string;
  base: { branch: string; commit: string };
  author: Author;
}

export interface Author {
  name: string;
  email: string;
}

/**
 * Working copies in the making, in `<dataDir>/work/<run>`: a place only the host writes. A copy is a clone with objects of its own,
 * no remote, no hooks and no trace of where it came from; it is handed to the sandbox as an archive and then removed here.
 */
export interface WorkingCopies {
  path(run: string): string;
  /** Makes the copy anew, whatever an interrupted attempt left. */
  make(spec: WorkingCopySpec, signal?: AbortSignal): Promise<void>;
  /** Idempotent. */
  remove(run: string): Promise<void>;
  /** Runs that have something here. */
  list(): Promise<string[]>;
}

const checkoutMs = 10 * 60_000;

export function createWorkingCopies(deps: { dataDir: string; git: Git }): WorkingCopies {
  const { git } = deps;
  const folder = join(deps.dataDir, 'work');
  const path = (run: string) => join(folder, run);

  async function remove(run: string): Promise<void> {
    await rm(path(run), { recursive: true, force: true, maxRetries: 3 });
  }

  return {
    path,
    remove,
    async make({ run, mirror, branch, start, base, author }, signal) {
      const dir = path(run);
      const inside = join(dir, '.git');
      await remove(run);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await emptyRepository(inside, { branch, sha256: start.length === 64, author });

      // Over the transport, not by hard links: what happens to the copy's objects cannot reach the mirror's.
      const refs = [`${start}:refs/heads/${branch}`];
      if (base.branch !== 'HEAD') refs.push(`${base.commit}:refs/remotes/origin/${base.branch}`);
      await git.run(
        ['fetch', '--quiet', '--update-head-ok', '--update-shallow', '--no-write-fetch-head', '--', mirror, ...refs],
        {
          repository: inside,
          protocols: ['file'],
          timeoutMs: checkoutMs,
          // The mirror's objects were checked when they came in.
          config: [['transfer.fsckObjects', 'false']],
          signal,
        },
      );
      await git.run(['reset', '--quiet', '--hard'], { cwd: dir, repository: inside, timeoutMs: checkoutMs, signal });
      // The log of references names the path of the mirror.
      await rm(join(inside, 'logs'), { recursive: true, force: true });
      await rm(join(inside, 'ORIG_HEAD'), { force: true });
      await mkdir(join(inside, 'info'), { recursive: true });
      // What people and agents give one another, see agent-home.ts.
      await writeFile(join(inside, 'info', 'exclude'), '/.deckhand/\n');
    },
    async list() {
      const entries = await readdir(folder).catch(() => []);
      return entries.sort();
    },
  };
}

/** What `git init` makes of it; a program less at the start of each run. */
async function emptyRepository(dir: string, p: { branch: string; sha256: boolean; author: Author }): Promise<void> {
  for (const part of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
    await mkdir(join(dir, part), { recursive: true });
  const config = `[core]
\trepositoryformatversion = ${p.sha256 ? 1 : 0}
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
${p.sha256 ? '[extensions]\n\tobjectformat = sha256\n' : ''}[user]
\tname = ${quoted(p.author.name)}
\temail = ${quoted(p.author.email)}
`;
  await writeFile(join(dir, 'config'), config);
  await writeFile(join(dir, 'HEAD'), `ref: refs/heads/${p.branch}\n`);
}

/** As git reads a value, whatever stands in it. */
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
