import type { Clock } from '../runtime/clock.ts';
import { errorText } from '../runtime/error-text.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Database } from '../store/database.ts';
import { loginUsedToMs, noteLoginUsed } from '../store/projects.ts';

/** Notes when logins of repositories are used. Nothing waits for it, and it writes at most once a minute for each project. */
export interface LoginUses {
  note(project: string): void;
  /** Resolves when what was noted is stored, or could not be. */
  settled(): Promise<void>;
}

export function createLoginUses({
  database,
  clock,
  logger,
}: {
  database: Pick<Database, 'db'>;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
}): LoginUses {
  const noted = new Map<string, number>();
  const pending = new Set<Promise<void>>();
  return {
    note(project) {
      const at = clock.now();
      if (at.getTime() - (noted.get(project) ?? Number.NEGATIVE_INFINITY) < loginUsedToMs) return;
      noted.set(project, at.getTime());
      const write = noteLoginUsed(database.db, project, at).catch((error: unknown) => {
        logger.warn({ why: errorText(error), project }, 'the use of the login of a repository could not be noted');
      });
      pending.add(write);
      void write.then(() => pending.delete(write));
    },
    async settled() {
      await Promise.all(pending);
    },
  };
}
