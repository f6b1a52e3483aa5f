import { AppError } from '../contracts/errors.ts';
import { nothingFreed } from '../contracts/housekeeping.ts';
import { pruneCard } from '../delivery/prune-card.ts';
import { recordAudit } from '../store/audit.ts';
import { createPruneOrder, liveHosts } from '../store/prune-orders.ts';
import { deadAfterMs } from '../store/runners.ts';
import { defineCommand } from './command.ts';
import { originKeyOf } from './run.ts';

export const copiesPrune = defineCommand({
  name: 'copies prune',
  group: 'look',
  summary: 'Deletes what finished tasks have left on the machines of the runners',
  details: [
    'That is: files of runs, and commits of tasks that are merged, discarded or have changed nothing. What runs, waits, is still to be decided about, has an open pull request or was left within the last day stays.',
    'It cannot be taken back.',
  ],
  permission: 'copy.prune',
  action: 'delete what finished tasks have left',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['copies prune', 'makes room, and says how much']],
  async run(ctx) {
    const { workspace, user } = ctx.person;
    if (ctx.ownRole === undefined) {
      throw new AppError('DH-202', {
        who: ctx.person.name,
        action: 'delete what tasks of other channels have left',
        whoCan: 'Maintainers with a role of their own can; `member role` gives it.',
      });
    }
    const now = ctx.deps.now();
    const hosts = await liveHosts(ctx.tx.db, new Date(now.getTime() - deadAfterMs));
    if (hosts.length === 0) {
      throw new AppError('DH-300', {
        what: 'No runner is up, so nothing can be deleted.',
        instead: 'Start one, then say it again.',
      });
    }
    const cardKey = `prune:${originKeyOf(ctx)}`;
    await createPruneOrder(ctx.tx, { workspace, by: user, cardKey, hosts, freed: nothingFreed }, now);
    await recordAudit(ctx.tx, { workspace, actor: user, action: 'copies.prune', subject: cardKey, data: { hosts } });
    return { view: pruneCard(nothingFreed, hosts.length, 0), audience: 'all', key: cardKey };
  },
});
