import { encodePress } from '../contracts/press.ts';
import type { TaskColumn } from '../contracts/states.ts';
import { type Block, bold, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { cardsOf, countByColumn, type TaskFilter, type TaskRow } from '../store/task-queries.ts';
import { name, optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { sightOf } from './subject.ts';
import { columnTitles, commandButton, taskLine, title } from './task-lines.ts';
import { scopeOf } from './tasks.ts';

/** Cards shown of each column; those of the last two say little and are only counted. */
const shownCards: Record<TaskColumn, number> = {
  backlog: 5,
  queued: 5,
  running: 8,
  blocked: 8,
  review: 5,
  done: 0,
  cancelled: 0,
};
const columns = Object.keys(columnTitles) as TaskColumn[];

export const board = defineCommand({
  name: 'board',
  group: 'look',
  summary: 'Shows the board: what is in each column, with a way to move cards',
  permission: 'task.see',
  action: 'see the board',
  about: 'project',
  positional: {},
  options: {
    project: optional({ hint: 'name', about: 'only this project; `all` for every one', names: 'project', schema: name }),
  },
  examples: [
    ['board', 'the board of the project of this channel'],
    ['board project=all', 'one board over all projects'],
  ],
  async run(ctx, { project: named }) {
    const scope = await scopeOf(ctx, named);
    const filter = { workspace: ctx.person.workspace, projects: scope.projects, sight: sightOf(ctx) };
    const { blocks, cards } = await boardBlocks(ctx, filter);
    const refresh = commandButton('Refresh', `board${named === undefined ? '' : ` project=${named}`}`);
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Board${scope.title}`)] },
        ...blocks,
        ...(cards.length === 0 ? [] : [moveSelect(cards)]),
        { type: 'buttons', buttons: [refresh, commandButton('Tasks', 'tasks'), commandButton('Pending', 'pending')] },
      ]),
      audience: 'asked',
      list: 'shared',
    };
  },
});

/** The columns with their first cards. */
export async function boardBlocks(
  ctx: Pick<CommandContext, 'tx' | 'deps'>,
  filter: TaskFilter,
): Promise<{ blocks: Block[]; cards: TaskRow[] }> {
  const counts = await countByColumn(ctx.tx, filter);
  const now = ctx.deps.now();
  const all: TaskRow[] = [];
  const blocks: Block[] = [];
  for (const column of columns) {
    const total = counts.get(column) ?? 0;
    if (total === 0 || shownCards[column] === 0) continue;
    const cards = await cardsOf(ctx.tx, filter, column, shownCards[column]);
    all.push(...cards);
    const lines = cards.flatMap((task) => [plain('\n'), ...taskLine(task, { now, project: filter.projects?.length !== 1 })]);
    const more = total > cards.length ? [plain(`\nand ${total - cards.length} more`)] : [];
    blocks.push({ type: 'text', spans: [bold(`${columnTitles[column]} (${total})`), ...lines, ...more] });
  }
  const over = (['done', 'cancelled'] as const).map((column) => `${columnTitles[column]}: ${counts.get(column) ?? 0}`);
  if (blocks.length === 0) blocks.push({ type: 'text', spans: marked('Nothing is open. `sh <command>` starts a task.') });
  blocks.push({ type: 'context', spans: [plain(over.join(' · '))] });
  return { blocks, cards: all };
}

/** Choosing a card asks where it goes. */
function moveSelect(cards: readonly TaskRow[]): Block {
  return {
    type: 'select',
    token: encodePress({ kind: 'command', text: 'move' }),
    placeholder: 'Move to…',
    options: cards.map(({ number, title: text }) => ({ value: `#${number}`, label: `#${number} ${title(text, 50)}` })),
  };
}
