import { projectSyncedReply } from './commands/project-card.ts';
import type { RunControl } from './contracts/run-control.ts';
import type { Infrastructure } from './infrastructure.ts';

/** Tells a project's card what its sync found, besides recording it. Both are repeated with the job when a crash comes between. */
export function withProjectCards(control: RunControl, infrastructure: Infrastructure): RunControl {
  return {
    ...control,
    async projectSynced(project, found) {
      await control.projectSynced(project, found);
      await infrastructure.database.transaction((tx) => projectSyncedReply(tx, project));
    },
  };
}
