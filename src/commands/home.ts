import { actingOn, rightsSomewhere } from '../access/who-acts.ts';
import { mayDecideOn } from '../approvals/approvers.ts';
import { type Block, bold, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { type InteractionRow, pendingInteractions } from '../store/decision-queries.ts';
import { labelsOf } from '../store/people.ts';
import { listTasks } from '../store/task-queries.ts';
import { everywhere } from '../store/task-sight.ts';
import type { CommandContext } from './command.ts';
import { decisionBlocks } from './pending.ts';
import { queueLines } from './queue.ts';
import { sightOf, visibleProjects } from './subject.ts';
import { commandButton, taskLine } from './task-lines.ts';

const shownDecisions = 5;
const shownLines = 10;

/** What a person finds on the bot's home: their decisions, what runs and waits, and what was there lately. */
export async function homeView(ctx: CommandContext): Promise<View> {
  if (rightsSomewhere(ctx).role === undefined) return gettingStarted();
  const { workspace } = ctx.person;
  const now = ctx.deps.now();
  const projects = await visibleProjects(ctx);
  // Whoever may decide sees what it is about, wherever it was asked for.
  const waiting = await pendingInteractions(ctx.tx, workspace, { projects, sight: everywhere }, now);
  const mine: InteractionRow[] = [];
  for (const one of waiting) {
    const project = one.task.project.id;
    if (await mayDecideOn(ctx.tx, { ...one, workspace, project, task: one.task.id }, actingOn(ctx, project))) mine.push(one);
  }
  const lines = await queueLines(ctx, projects);
  const recent = await listTasks(
    ctx.tx,
    { workspace, projects, sight: sightOf(ctx), columns: ['review', 'done', 'cancelled', 'backlog'] },
    { size: shownLines, number: 1 },
  );
  const names = await labelsOf(
    ctx.tx,
    workspace,
    recent.tasks.map(({ requester }) => requester),
  );
  const recentLines = recent.tasks.map((task) => taskLine(task, { now, project: true, requester: names.get(task.requester) }));
  const decisions = mine.slice(0, shownDecisions);
  return withFallback([
    { type: 'text', spans: [bold('Waiting for your decision')] },
    ...(decisions.length === 0
      ? [{ type: 'text' as const, spans: marked('Nothing waits for you.') }]
      : await decisionBlocks(ctx, decisions)),
    ...(mine.length > decisions.length
      ? [{ type: 'context' as const, spans: marked(`and ${mine.length - decisions.length} more: \`pending\` lists them`) }]
      : []),
    { type: 'divider' },
    section('Running', [...lines.running, ...lines.deciding], 'Nothing runs.'),
    section('Queue', lines.waiting, 'Nothing waits.'),
    section('Lately', recentLines, 'Nothing was run yet. `sh <command>` in a channel that is bound to a project runs a command.'),
    {
      type: 'buttons',
      buttons: [commandButton('Board', 'board'), commandButton('Your tasks', 'tasks mine'), commandButton('Help', 'help')],
    },
    {
      type: 'context',
      spans: [plain('As of '), { type: 'time', at: now.toISOString(), text: now.toISOString().slice(0, 16).replace('T', ' ') }],
    },
  ]);
}

function section(title: string, lines: readonly (readonly Span[])[], empty: string): Block {
  const shown = lines.slice(0, shownLines).flatMap((line) => [plain('\n'), ...line]);
  const more = lines.length > shownLines ? [plain(`\nand ${lines.length - shownLines} more`)] : [];
  return { type: 'text', spans: [bold(title), ...(lines.length === 0 ? [plain('\n'), ...marked(empty)] : [...shown, ...more])] };
}

/** For people without a role: what this is and how to be let in. */
function gettingStarted(): View {
  return withFallback([
    { type: 'text', spans: [bold('Welcome to Deckhand')] },
    {
      type: 'text',
      spans: marked(
        'It runs the commands of your team from chat: each on its own working copy of the repository, with one card in the thread that shows how it goes, and a question before anything risky.',
      ),
    },
    {
      type: 'text',
      spans: marked(
        'You have no role yet. A maintainer gives you one with `member add @you developer`. In some channels every member may use Deckhand: try `@Deckhand help` there.',
      ),
    },
    {
      type: 'text',
      spans: marked(
        'Did you install Deckhand just now? The last lines of its log hold a code: send `claim <code>` as a direct message, and you are the owner.',
      ),
    },
    { type: 'buttons', buttons: [commandButton('Help', 'help'), commandButton('About', 'about')] },
  ]);
}
