import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
import { pullsOf } from '../store/pull-requests.ts';
import { optional, taskNumber } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { originKeyOf } from './run.ts';
import { personFor, taskFor } from './subject.ts';

const revertNeed = { command: 'revert', permission: 'change.publish', action: 'undo what was merged' } as const;

export const revert = defineCommand({
  name: 'revert',
  group: 'work',
  summary: 'Undoes the merged pull request of a task, as a change to be reviewed',
  details: [
    'Who may bring the change of the task out may do this. Nothing is run but the check of the project, and nothing moves at the code host: the newest commit of the base branch without what was merged becomes the change of the task, on a branch of its own. `push` and `pr` bring it out.',
    'Where what was merged has been changed again since, nothing happens, and the thread says which files conflict.',
  ],
  permission: revertNeed.permission,
  action: revertNeed.action,
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['revert #142', 'undoes what was merged of task 142'],
    ['revert', 'undoes that of the task of this thread'],
  ],
  async run(ctx, args) {
    const { task } = await taskFor(ctx, args.task, revertNeed);
    const pull = (await pullsOf(ctx.tx, task.id)).findLast(({ facts }) => facts.state === 'merged');
    if (pull === undefined) {
      throw new AppError('DH-300', {
        what: `#${task.number} has no merged pull request.`,
        instead: '`discard` is for a change that is not merged.',
      });
    }
    return await revertMerged(ctx, task.project.id, pull.run);
  },
});

/** *Revert*: of what was merged of this run. The thread shows how it goes. */
export async function revertMerged(ctx: CommandContext, project: string, run: string): Promise<Reply> {
  const by = await personFor(ctx, project, revertNeed);
  const { outcome, number, pull } = await ctx.deps.tasks.revert(ctx.tx, { run, by, originKey: originKeyOf(ctx) });
  return outcome === 'known'
    ? { view: textView(`#${number}: ${pull} is undone already; the newest card of the task shows it.`), audience: 'person' }
    : { view: textView(`#${number}: ${pull} is being undone; its thread shows how it goes.`), audience: 'person', card: true };
}
