import { oneOf, optional, taskNumber } from './arguments.ts';
import { bringOut, changedRun } from './bring-out.ts';
import { defineCommand } from './command.ts';
import { pushNeed } from './push.ts';
import { taskFor } from './subject.ts';

export const pr = defineCommand({
  name: 'pr',
  group: 'work',
  summary: 'Pushes what a task has changed and opens a pull request for it',
  details: [
    'It is decided like `push`. When a pull request of the branch is open already, that one shows the change.',
    'The pull request says what was asked, who asked, who approved, and from which thread.',
  ],
  permission: pushNeed.permission,
  action: pushNeed.action,
  about: 'project',
  open: true,
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
    draft: optional({
      hint: 'draft',
      about: 'as a draft, which nobody is asked to review yet',
      values: ['draft'],
      schema: oneOf(['draft']),
    }),
  },
  options: {},
  examples: [
    ['pr #142', 'opens a pull request for the change of task 142'],
    ['pr #142 draft', 'opens it as a draft'],
  ],
  async run(ctx, args) {
    const { task, person: by } = await taskFor(ctx, args.task, { ...pushNeed, command: 'pr' });
    const what = args.draft === undefined ? 'pull_request' : 'draft';
    return await bringOut(ctx, task, { run: await changedRun(ctx, task), what, by });
  },
});
