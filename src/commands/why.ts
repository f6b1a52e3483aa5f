import { z } from 'zod';
import { actingOn } from '../access/who-acts.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { type Button, bold, code, plain, type Span } from '../contracts/view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { type TaskRow, taskById } from '../store/task-queries.ts';
import { tasksOfCommit } from '../store/why.ts';
import { optional } from './arguments.ts';
import { said, short } from './audit-words.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { sightOf, taskFor } from './subject.ts';
import { commandButton, title } from './task-lines.ts';
import { whyBlocks } from './why-blocks.ts';

const need = { command: 'why', permission: 'task.see', action: 'see why something was done' } as const;
const mostTasks = 5;

/** `#142`, or the beginning of the name of a commit. Seven digits and more without `#` are a commit. */
const subject = z.string().transform((text, ctx): { task: number } | { commit: string } => {
  if (/^#\d{1,9}$/.test(text) || /^\d{1,6}$/.test(text)) return { task: Number(text.replace('#', '')) };
  if (/^[0-9a-f]{7,64}$/i.test(text)) return { commit: text.toLowerCase() };
  ctx.addIssue({ code: 'custom', message: `\`${text}\` is neither a task nor the first seven digits of a commit.`, input: text });
  return z.NEVER;
});

export const why = defineCommand({
  name: 'why',
  group: 'look',
  summary: 'Says how a commit or a task came about: who asked, what was given, who decided',
  details: [
    'Also what was allowed from then on, pushed and merged.',
    'What was said and given is named by how much it was and by hashes (SHA-256). A commit may be one that a task has made, pushed or merged.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  positional: {
    subject: optional({
      hint: 'commit|#task',
      about: 'a commit, or a task; may be left out in the thread of a task',
      schema: subject,
    }),
  },
  options: {},
  examples: [
    ['why 3f2a91c', 'how this commit came about'],
    ['why #142', 'how what task 142 did came about'],
  ],
  async run(ctx, { subject: asked }) {
    const commit = asked !== undefined && 'commit' in asked ? asked.commit : undefined;
    const found =
      commit === undefined
        ? [(await taskFor(ctx, asked !== undefined && 'task' in asked ? asked.task : undefined, need)).task]
        : await tasksWithCommit(ctx, commit);
    const [task, ...others] = found;
    if (task === undefined) throw unknownCommit(commit ?? '');
    return {
      view: others.length === 0 ? await whyView(ctx, task, commit) : severalView(found, commit ?? ''),
      audience: 'asked',
      task: task.id,
    };
  },
});

/** Tasks of projects that the person may see here. What is of other projects or workspaces is not known, like what is nowhere. */
async function tasksWithCommit(ctx: CommandContext, start: string): Promise<TaskRow[]> {
  const { workspace } = ctx.person;
  const known = await tasksOfCommit(ctx.tx.db, workspace, start, 50);
  const seen = known.filter(({ project }) => may(actingOn(ctx, project), need.permission));
  const ids = [...new Set(seen.map(({ task }) => task))].slice(0, mostTasks);
  const tasks: TaskRow[] = [];
  for (const id of ids) {
    const task = await taskById(ctx.tx, workspace, id, sightOf(ctx));
    if (task !== undefined) tasks.push(task);
  }
  return tasks;
}

function unknownCommit(commit: string): AppError {
  return new AppError('DH-300', {
    what: `No task that you may see has led to a commit \`${short(commit)}\`.`,
    instead: '`why #142` says how a task came about.',
  });
}

async function whyView(ctx: CommandContext, task: TaskRow, commit: string | undefined) {
  const heading: Span[] = [bold(`Why #${task.number}`), ...(commit === undefined ? [] : [plain(' · '), code(short(commit))])];
  const buttons: Button[] = [
    commandButton('Show', `show #${task.number}`),
    ...(may(ctx.ownRights, 'audit.read') ? [commandButton('Audit', `audit #${task.number}`)] : []),
  ];
  return withFallback([
    { type: 'text', spans: [...heading, plain(` · ${task.project.name}\n${said(task.title, 200)}`)] },
    ...(await whyBlocks(ctx, task, commit)),
    { type: 'buttons', buttons },
  ]);
}

function severalView(tasks: readonly TaskRow[], commit: string) {
  return withFallback([
    { type: 'text', spans: [plain('Several tasks have led to '), code(short(commit)), plain('. Which one?')] },
    {
      type: 'text',
      spans: tasks.flatMap((task, at) => [plain(at === 0 ? '' : '\n'), bold(`#${task.number}`), plain(` ${title(task.title)}`)]),
    },
    { type: 'buttons', buttons: tasks.map(({ number }) => commandButton(`#${number}`, `why #${number}`)) },
  ]);
}
