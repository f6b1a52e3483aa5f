import { z } from 'zod';
import { textView } from '../delivery/list-view.ts';
import { putOutbox } from '../store/outbox.ts';
import { personalPut, receivedPut } from './answer.ts';
import { name, optional, required, runsOnOption } from './arguments.ts';
import { originAtCodeHost, placeTask, threadOfNewTask } from './at-code-host.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { personFor, projectFor } from './subject.ts';

const need = { command: 'sh', permission: 'command.run', action: 'run commands' } as const;

export const sh = defineCommand({
  name: 'sh',
  group: 'work',
  summary: 'Runs a shell command in its own container on its own working copy',
  details: [
    'Everything after `sh` goes to the shell as it is, over several lines too. Code marks around the whole command are taken off.',
    'A card in the thread shows how it goes. What the policy of the project does not let run waits for an approval first.',
    'Options stand before the command; `--` ends them.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  open: true,
  positional: {
    command: required({ hint: 'command', about: 'what the shell runs', schema: z.string(), takes: 'verbatim' }),
  },
  options: {
    project: optional({
      hint: 'name',
      about: 'the project to run in, where the channel does not say it',
      names: 'project',
      schema: name,
    }),
    'runs-on': runsOnOption,
  },
  examples: [
    ['sh npm test', 'runs the tests'],
    ['sh git log --oneline | head -5', 'runs a pipeline'],
    ['sh project=web npm run build', 'runs in the project `web`'],
  ],
  async run(ctx, { command, project: named, 'runs-on': runsOn }) {
    const choice = await projectFor(ctx, named);
    if ('ask' in choice) return choice.ask;
    const requester = await personFor(ctx, choice.project.id, need);
    const { event, conversation } = ctx.act;
    const thread = threadOfNewTask(ctx);
    const origin = await originAtCodeHost(ctx);
    const task = await ctx.deps.tasks.createCommandTask(ctx.tx, {
      workspace: requester.workspace,
      project: choice.project.id,
      requester,
      command,
      runsOn,
      channel: ctx.channel.id,
      thread,
      originKey: `${conversation.platform}:${conversation.tenant}:${event.key}`,
    });
    await placeTask(ctx, task, choice.project, origin);
    if (event.type === 'message') {
      await putOutbox(ctx.tx, receivedPut(requester.workspace, event));
    }
    if (!ctx.act.open) await warnOfQuotes(ctx, command);
    return ctx.threadTask === undefined || ctx.threadTask.id === task.task ? undefined : elsewhere(task.number);
  },
});

/** Phones turn quotes into typographic ones, which a shell takes for letters. They are left as they are, and the person is told. */
async function warnOfQuotes(ctx: CommandContext, command: string): Promise<void> {
  if (!/[“”„‘’]/.test(command)) return;
  const text =
    'The command contains typographic quotes (“ ” ‘ ’). They are passed on as they are, and a shell does not take them for quotes. Put the command between backticks to keep `"` and `\'` as typed.';
  await putOutbox(ctx.tx, personalPut(ctx.act.event, ctx.person, textView(text), 'quotes'));
}

function elsewhere(number: number): Reply {
  return { view: textView(`#${number} is a task of its own: its card and its thread are in this channel.`), audience: 'asked' };
}
