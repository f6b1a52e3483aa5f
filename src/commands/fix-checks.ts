import { fixCheckPrompt } from '../changes/errand-prompt.ts';
import { AppError } from '../contracts/errors.ts';
import type { CheckResult } from '../contracts/run-event.ts';
import { checkLines, checkWords, hasFailed } from '../delivery/check-words.ts';
import { textView } from '../delivery/list-view.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { resultOf } from '../store/task-changes.ts';
import { taskOfRun } from '../store/task-queries.ts';
import { checkAgent } from './agent-choice.ts';
import type { CommandContext } from './command.ts';
import { extrasOf, originKeyOf } from './run.ts';
import { answer } from './run-command.ts';
import { notAnAgent } from './speak.ts';
import { personFor } from './subject.ts';

const need = { command: 'steer', permission: 'agent.run', action: 'speak to an agent' } as const;
const linesQuoted = 60;
const lengthQuoted = 6000;

/**
 * *Fix checks*: the agent goes on in a further run, with the last lines of the check that its change has not passed. Throws DH-208 when the run is
 * gone, DH-300 for one of a command, for a check that has passed, for an older change and while the agent is at work.
 */
export async function fixChecks(ctx: CommandContext, run: string): Promise<void> {
  const task = await taskOfRun(ctx.tx, ctx.person.workspace, run);
  if (task === undefined) throw new AppError('DH-208');
  const by = await personFor(ctx, task.project.id, need);
  const { number, agent } = task;
  if (agent === undefined) throw notAnAgent(number);
  const result = await resultOf(ctx.tx, run);
  const check = result?.check;
  if (check === undefined || !hasFailed(check)) {
    throw new AppError('DH-300', {
      what: `No check has failed over that change of #${number}.`,
      instead: 'A reply in its thread tells the agent what else to do.',
    });
  }
  if (task.run?.id !== run) {
    throw new AppError('DH-300', {
      what: `That is not the newest run of #${number}.`,
      instead: 'Use the button on the card of the newest one.',
    });
  }
  await checkAgent(ctx, { agent: agent.agent, account: agent.account, project: task.project.id, runsOn: task.runsOn });
  await ctx.deps.tasks.followUp(ctx.tx, {
    task: task.id,
    text: promptOf(check),
    by,
    originKey: originKeyOf(ctx),
    ...(await extrasOf(ctx, task.project.id, false, task.run.queuedAt)),
  });
  const view = textView(`#${number}: the agent is given what has failed; its thread shows how it goes.`);
  await answer(ctx, { view, audience: 'person' });
}

function promptOf({ output, ...check }: CheckResult): string {
  const lines = output === undefined ? [] : checkLines(redactText(output, []), linesQuoted, lengthQuoted);
  return fixCheckPrompt({
    command: check.command,
    how: checkWords(check).replace(/^. /, ''),
    output: lines.length === 0 ? undefined : lines.join('\n'),
  });
}
