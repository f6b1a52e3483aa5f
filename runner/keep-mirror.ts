import { bytesIn } from './bytes-in.ts';
import type { Git } from './git.ts';
import type { Mirrors } from './mirror.ts';

/** What tasks have in the mirrors, and the room mirrors take. */
export interface MirrorKeeping {
  /** Tasks of which a mirror keeps commits. */
  tasksIn(project: string, signal?: AbortSignal): Promise<string[]>;
  /** Lets go of all that these tasks have in a mirror; their commits are gone after the next `collectGarbage`. Repeatable. */
  letGo(project: string, tasks: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Whether a mirror has become untidy: many packs, or many objects on their own. */
  isUntidy(project: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * Packs a mirror anew, without what nothing refers to. Nobody else changes the mirror meanwhile; who reads it is not disturbed. What is younger
   * than three hours stays: a rebase or an import may be about to refer to it.
   */
  collectGarbage(project: string, signal?: AbortSignal): Promise<void>;
  bytes(project: string): Promise<number>;
}

const tasksFolder = 'refs/deckhand/tasks/';
const garbageMs = 30 * 60_000;
/** Objects that nothing refers to, and that are younger, may be of something under way. */
const youngest = '3.hours.ago';
const mostPacks = 40;
const mostLoose = 5_000;

export function createMirrorKeeping({ git, mirrors }: { git: Git; mirrors: Mirrors }): MirrorKeeping {
  async function refsIn(project: string, signal: AbortSignal | undefined): Promise<{ ref: string; task: string }[]> {
    const repository = mirrors.path(project);
    const listed = await git.text(['for-each-ref', '--format=%(refname)', tasksFolder], { repository, signal });
    return listed.split('\n').flatMap((ref) => {
      const [task] = ref.startsWith(tasksFolder) ? ref.slice(tasksFolder.length).split('/') : [];
      return task === undefined ? [] : [{ ref, task }];
    });
  }

  return {
    async tasksIn(project, signal) {
      return [...new Set((await refsIn(project, signal)).map(({ task }) => task))];
    },
    async letGo(project, tasks, signal) {
      const wanted = new Set(tasks);
      const repository = mirrors.path(project);
      await mirrors.exclusively(
        project,
        async () => {
          const refs = (await refsIn(project, signal)).filter(({ task }) => wanted.has(task));
          if (refs.length === 0) return;
          const commands = refs.map(({ ref }) => `delete ${ref}\0\0`).join('');
          await git.run(['update-ref', '--stdin', '-z'], { repository, input: oneChunk(Buffer.from(commands)), signal });
        },
        signal,
      );
    },
    async isUntidy(project, signal) {
      const counted = await git.text(['count-objects', '-v'], { repository: mirrors.path(project), signal });
      const number = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(counted)?.[1] ?? 0);
      return number('packs') > mostPacks || number('count') > mostLoose;
    },
    async collectGarbage(project, signal) {
      const repository = mirrors.path(project);
      await mirrors.exclusively(
        project,
        () =>
          git.run(['gc', '--quiet', `--prune=${youngest}`], {
            repository,
            timeoutMs: garbageMs,
            // Runs want the processors more.
            config: [['pack.threads', '1']],
            signal,
          }),
        signal,
      );
    },
    bytes: (project) => bytesIn(mirrors.path(project)),
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
