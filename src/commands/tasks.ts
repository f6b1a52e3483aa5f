import type { Permission } from '../contracts/permissions.ts';
import { type TaskColumn, taskColumnSchema } from '../contracts/states.ts';
import { bold, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { idsOf } from '../store/linked-people.ts';
import { labelsOf } from '../store/people.ts';
import { listTasks } from '../store/task-queries.ts';
import { count, name, oneOf, optional } from './arguments.ts';
import { defineCommand } from './command.ts';
import { pageBlocks } from './fitting-buttons.ts';
import { namedProject, personFor, sightOf, visibleProjects } from './subject.ts';
import { taskLine } from './task-lines.ts';
import { quote } from './tokens.ts';

const filters = ['open', 'mine', 'all', ...taskColumnSchema.options] as const;
type Filter = (typeof filters)[number];
const openColumns: readonly TaskColumn[] = ['backlog', 'queued', 'running', 'blocked', 'review'];
const pageSize = 10;

export const tasks = defineCommand({
  name: 'tasks',
  group: 'look',
  summary: 'Lists tasks, newest first',
  details: ['Without a filter it lists the open tasks of the project of the channel; in a direct message those of all projects.'],
  permission: 'task.see',
  action: 'see tasks',
  about: 'project',
  positional: {
    filter: optional({ hint: 'filter', about: 'which tasks', values: filters, schema: oneOf(filters) }),
  },
  options: {
    project: optional({ hint: 'name', about: 'only this project; `all` for every one', names: 'project', schema: name }),
    page: optional({ hint: '2', about: 'further tasks', schema: count(999) }),
  },
  examples: [
    ['tasks', 'the open tasks'],
    ['tasks mine', 'what you asked for'],
    ['tasks running project=all', 'what runs in all projects'],
    ['tasks done page=2', 'what was done, the second page'],
  ],
  async run(ctx, { filter = 'open', project: named, page = 1 }) {
    const scope = await scopeOf(ctx, named);
    const found = await listTasks(
      ctx.tx,
      {
        workspace: ctx.person.workspace,
        sight: sightOf(ctx),
        projects: scope.projects,
        requesters: filter === 'mine' ? idsOf(ctx.person) : undefined,
        columns: columnsOf(filter),
      },
      { size: pageSize, number: page },
    );
    const now = ctx.deps.now();
    const names = await labelsOf(
      ctx.tx,
      ctx.person.workspace,
      found.tasks.map(({ requester }) => requester),
    );
    const lines = found.tasks.flatMap((task, at) => [
      ...(at === 0 ? [] : [plain('\n')]),
      ...taskLine(task, { now, project: scope.projects?.length !== 1, requester: names.get(task.requester) }),
    ]);
    const last = Math.max(1, Math.ceil(found.total / pageSize));
    const again = (to: number) =>
      `tasks ${filter}${named === undefined ? '' : ` project=${quote(named)}`}${to === 1 ? '' : ` page=${to}`}`;
    const heading = `${titles[filter]}${scope.title} · ${found.total}${last > 1 ? ` · page ${page} of ${last}` : ''}`;
    return {
      view: withFallback([
        { type: 'text', spans: [bold(heading)] },
        { type: 'text', spans: lines.length > 0 ? lines : marked('There is none. `sh <command>` starts one.') },
        ...pageBlocks({ page, last }, { before: 'Newer', after: 'Older' }, again),
      ]),
      audience: 'asked',
      list: filter === 'mine' ? 'own' : 'shared',
    };
  },
});

const titles: Record<Filter, string> = {
  open: 'Open tasks',
  mine: 'Your tasks',
  all: 'All tasks',
  backlog: 'Tasks in the backlog',
  queued: 'Queued tasks',
  running: 'Running tasks',
  blocked: 'Tasks that wait for a decision',
  review: 'Tasks in review',
  done: 'Done tasks',
  cancelled: 'Cancelled tasks',
};

function columnsOf(filter: Filter): readonly TaskColumn[] | undefined {
  if (filter === 'open') return openColumns;
  const column = taskColumnSchema.safeParse(filter);
  return column.success ? [column.data] : undefined;
}

/**
 * Which projects a list is about. The channel's unless another is named; no more than those about which the person is may do that.
 */
export async function scopeOf(
  ctx: Parameters<typeof namedProject>[0],
  named: string | undefined,
  permission: Permission = 'task.see',
): Promise<{ projects: string[] | undefined; title: string }> {
  const all = named?.toLowerCase() === 'all';
  const project = named === undefined || all ? undefined : await namedProject(ctx, named);
  const one = project ?? (all ? undefined : ctx.bound);
  if (one === undefined) return { projects: await visibleProjects(ctx, permission), title: '' };
  await personFor(ctx, one.id, { command: 'tasks', permission, action: `see the tasks of ${one.name}` });
  return { projects: [one.id], title: ` of ${one.name}` };
}
