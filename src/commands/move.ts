import { encodePress } from '../contracts/press.ts';
import { plain } from '../contracts/view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { oneOf, optional, taskNumber } from './arguments.ts';
import { defineCommand } from './command.ts';
import { taskFor } from './subject.ts';
import { columnTitles, title } from './task-lines.ts';

const need = { command: 'move', permission: 'task.manage', action: 'move tasks' } as const;

/** Where a person may put a card. `running` and `blocked` are where the work puts it. */
export const moveTargets = ['backlog', 'queued', 'review', 'done', 'cancelled'] as const;

export const move = defineCommand({
  name: 'move',
  group: 'work',
  summary: 'Moves a task to another column of the board',
  details: ['`queued` starts it, `cancelled` stops it. Without a column it asks for one.'],
  permission: need.permission,
  action: need.action,
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
    column: optional({ hint: 'column', about: 'where it goes', values: moveTargets, schema: oneOf(moveTargets) }),
  },
  options: {},
  examples: [
    ['move #142 done', 'takes it off the board as done'],
    ['move queued', 'starts the task of this thread again'],
  ],
  async run(ctx, args) {
    const { task, person } = await taskFor(ctx, args.task, need);
    if (args.column === undefined) {
      const view = withFallback([
        {
          type: 'text',
          spans: [plain(`Where does #${task.number} (${title(task.title)}) go? It is in ${columnTitles[task.column]}.`)],
        },
        {
          type: 'select',
          token: encodePress({ kind: 'task', task: task.id, verb: 'move' }),
          placeholder: 'Move to…',
          options: moveTargets
            .filter((column) => column !== task.column)
            .map((column) => ({ value: column, label: columnTitles[column] })),
        },
      ]);
      return { view, audience: 'person' };
    }
    const { number, from, to } = await ctx.deps.tasks.move(ctx.tx, task.id, args.column, person);
    const said = from === to ? `is in ${columnTitles[to]} already` : `moves from ${columnTitles[from]} to ${columnTitles[to]}`;
    return { view: textView(`#${number} ${said}.`), audience: 'person' };
  },
});
