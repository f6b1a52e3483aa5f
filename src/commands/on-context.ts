import { AppError } from '../contracts/errors.ts';
import { encodePress } from '../contracts/press.ts';
import { isTerminal } from '../contracts/states.ts';
import { type Button, bold, plain, type View } from '../contracts/view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { cleanText } from '../delivery/neutralise.ts';
import { latestContext } from '../store/agent-runs.ts';
import type { TaskRow } from '../store/task-queries.ts';
import type { CommandContext } from './command.ts';
import { answer } from './run-command.ts';
import { notAnAgent } from './speak.ts';
import { personFor } from './subject.ts';

const alone = 'Only my message';

/** *Show context*: what of the thread the agent was given with the latest request that had any. */
export async function showContext(ctx: CommandContext, task: TaskRow): Promise<void> {
  await personFor(ctx, task.project.id, { command: 'show', permission: 'task.see', action: 'see this task' });
  const context = await latestContext(ctx.tx, task.id);
  if (context === undefined) throw new AppError('DH-208');
  const view = withFallback([
    {
      type: 'text',
      spans: [bold(`#${task.number}`), plain(' was given this with the request, as a record of what was said before')],
    },
    { type: 'code', text: cleanText(context) },
    {
      type: 'buttons',
      buttons: [{ label: alone, style: 'default', token: encodePress({ kind: 'task', task: task.id, verb: 'alone' }) }],
    },
  ]);
  await answer(ctx, { view, audience: 'person' });
}

/**
 * *Only my message*: until a runner has the run, the agent is not given what was said before. What a model has read cannot be taken back:
 * later a retry without it is offered.
 */
export async function dropContext(ctx: CommandContext, task: TaskRow): Promise<void> {
  const by = await personFor(ctx, task.project.id, { command: 'steer', permission: 'agent.run', action: 'speak to an agent' });
  if (task.agent === undefined) throw notAnAgent(task.number);
  const { number, outcome } = await ctx.deps.tasks.dropContext(ctx.tx, task.id, by);
  await answer(ctx, { view: outcomeView(task, number, outcome), audience: 'person' });
}

function outcomeView(task: TaskRow, number: number, outcome: 'dropped' | 'too_late' | 'nothing'): View {
  if (outcome === 'dropped') return textView(`The agent of #${number} is given only the message.`);
  if (outcome === 'nothing') return textView(`The agent of #${number} was given nothing but the message.`);
  const atWork = task.run !== undefined && !isTerminal(task.run.state);
  const what = atWork
    ? `The agent of #${number} is at work and may have read what was said before. Stop it, then let it begin again with only the message.`
    : `The agent of #${number} has read what was said before. It can begin again with only the message.`;
  const buttons: Button[] = [
    ...(atWork
      ? [{ label: 'Stop', token: encodePress({ kind: 'task', task: task.id, verb: 'stop' }), style: 'danger' as const }]
      : []),
    { label: 'Retry without', style: 'default', token: encodePress({ kind: 'command', text: `retry #${number} context=none` }) },
  ];
  return withFallback([
    { type: 'text', spans: [plain(what)] },
    { type: 'buttons', buttons },
  ]);
}
