import { encodePress } from '../contracts/press.ts';
import { totalsOf } from '../contracts/run-event.ts';
import { isTerminal } from '../contracts/states.ts';
import { bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { cleanText } from '../delivery/neutralise.ts';
import { bytes, count } from '../delivery/units.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { decisionsOf } from '../store/decision-queries.ts';
import { labelsOf } from '../store/people.ts';
import { artifactsOf } from '../store/run-queries.ts';
import { runsOf, type TaskRow } from '../store/task-queries.ts';
import { optional, taskNumber } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { taskFor } from './subject.ts';
import { ago, runWords, taskButtons, taskState } from './task-lines.ts';

export const show = defineCommand({
  name: 'show',
  group: 'look',
  summary: 'Shows a task: command, state, branch, runs and decisions',
  permission: 'task.see',
  action: 'see tasks',
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['show #142', 'shows task 142'],
    ['show', 'shows the task of this thread'],
  ],
  async run(ctx, args) {
    const { task } = await taskFor(ctx, args.task, { command: 'show', permission: 'task.see', action: 'see this task' });
    return { view: await taskView(ctx, task), audience: 'asked', task: task.id };
  },
});

async function taskView(ctx: CommandContext, task: TaskRow): Promise<View> {
  const now = ctx.deps.now();
  const runs = await runsOf(ctx.tx, task.id);
  const decisions = (await decisionsOf(ctx.tx, task.id)).filter(({ state }) => state !== 'superseded');
  const people = [task.requester, ...runs.map((run) => run.requestedBy), ...decisions.flatMap(({ by }) => by)];
  const names = await labelsOf(ctx.tx, ctx.person.workspace, people);
  const nameOf = (user: string) => names.get(user) ?? 'somebody';
  const base = task.baseCommit === undefined ? '' : `@${task.baseCommit.slice(0, 7)}`;
  const latest = runs.slice(-5);
  const result = task.run?.result;
  const files = task.run === undefined ? [] : await artifactsOf(ctx.tx, task.run.id);
  const patch = files.find(({ kind, keptMs }) => kind === 'patch' && keptMs === undefined);

  const runSpans = latest.flatMap((run): Span[] => [
    plain(
      `${run.attempt === latest[0]?.attempt ? '' : '\n'}${runName(run)}: ${runWords(run, now)}${run.id === task.chosen ? ', chosen' : ''}, asked by ${nameOf(run.requestedBy)} `,
    ),
    ago(run.queuedAt, now),
  ]);
  const decisionSpans = decisions.flatMap(({ state, by, at, reason }): Span[] => [
    plain(
      `\n${state === 'pending' ? 'A decision is pending' : `${capital(state)}${by.length === 0 ? '' : ` by ${by.map(nameOf).join(' and ')}`} `}`,
    ),
    ...(at === undefined ? [] : [ago(at, now)]),
    ...(reason === undefined ? [] : [plain(`: ${cleanText(reason)}`)]),
  ]);
  return withFallback([
    { type: 'title', spans: [plain(`#${task.number}`)], state: { text: taskState(task, now), tone: toneOf(task) } },
    { type: 'code', text: cleanText(redactText(task.command, [])) },
    {
      type: 'context',
      spans: [
        plain(`${task.project.name} · ${task.baseBranch ?? 'default branch'}${base} · `),
        code(task.branch),
        plain(` · asked by ${nameOf(task.requester)} `),
        ago(task.createdAt, now),
      ],
    },
    ...(task.reason === undefined ? [] : [{ type: 'text' as const, spans: [plain(cleanText(task.reason))] }]),
    ...(result === undefined ? [] : [{ type: 'text' as const, spans: [bold('Result: '), plain(cleanText(result.message))] }]),
    ...(result === undefined || result.files.length === 0
      ? []
      : [{ type: 'text' as const, spans: [plain(`${count(totalsOf(result).files, 'file')} changed.`)] }]),
    ...(runSpans.length + decisionSpans.length === 0 ? [] : [{ type: 'text' as const, spans: [...runSpans, ...decisionSpans] }]),
    {
      type: 'buttons',
      buttons: [
        ...taskButtons(task),
        ...(patch === undefined
          ? []
          : [
              {
                token: encodePress({ kind: 'task', task: task.id, verb: 'patch' }),
                label: `Patch (${bytes(patch.bytes)})`,
                style: 'default' as const,
              },
            ]),
      ],
    },
  ]);
}

function toneOf(task: TaskRow): 'neutral' | 'active' | 'waiting' | 'good' | 'bad' {
  const state = task.run?.state;
  if (state === undefined || state === 'queued') return 'neutral';
  if (state === 'awaiting') return 'waiting';
  if (!isTerminal(state)) return 'active';
  return state === 'succeeded' ? 'good' : 'bad';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function runName({ attempt, variant }: { attempt: number; variant: number | undefined }): string {
  return variant === undefined ? `Run ${attempt}` : `Attempt ${variant}`;
}
