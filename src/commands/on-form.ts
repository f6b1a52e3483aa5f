import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { decodePress, encodePress } from '../contracts/press.ts';
import type { Form } from '../contracts/view.ts';
import { askForm } from '../delivery/reply.ts';
import { putOutbox } from '../store/outbox.ts';
import { projectsOf } from '../store/projects.ts';
import { taskById } from '../store/task-queries.ts';
import { answered } from './answer.ts';
import type { CommandContext } from './command.ts';
import { onDecisionForm } from './on-decision.ts';
import { checkArguments, parseText } from './parse.ts';
import { commandNamed, commands } from './registry.ts';
import { answer, checkAllowed, runCommand } from './run-command.ts';
import { speak } from './speak.ts';

type FormEvent = Extract<InboundEvent, { type: 'form' }>;
type Shortcut = Extract<InboundEvent, { type: 'shortcut' }>;

/** Most characters a field of a form holds on every platform. */
const fieldLength = 3000;

/** A submitted form: of a decision, of what an agent is to be told, or the arguments of a command under the names of its fields. */
export async function onForm(ctx: CommandContext, form: FormEvent): Promise<void> {
  const token = decodePress(form.token);
  if (token?.kind === 'decide') return onDecisionForm(ctx, token, form.values);
  if (token?.kind === 'task' && token.verb === 'steer') return onSteerForm(ctx, token.task, form.values.text?.[0] ?? '');
  const command = token?.kind === 'command' ? commands.find(({ name }) => name === token.text) : undefined;
  if (command === undefined) throw new AppError('DH-208');
  const raw = Object.fromEntries(
    Object.entries(form.values).flatMap(([name, [value]]) =>
      value === undefined || value.trim() === '' ? [] : [[name, value.trim()]],
    ),
  );
  const checked = checkArguments(command, raw);
  if (checked.type === 'invalid') {
    throw new AppError('DH-201', { problem: checked.problem, example: `\`${command.examples[0]?.[0] ?? command.name}\`` });
  }
  if (checked.type === 'command') await runCommand(ctx, checked.command, checked.args);
}

async function onSteerForm(ctx: CommandContext, id: string, text: string): Promise<void> {
  const task = await taskById(ctx.tx, ctx.person.workspace, id);
  if (task === undefined) throw new AppError('DH-208');
  const reply = await speak(ctx, task, text.trim());
  if (reply !== undefined) await answer(ctx, reply);
}

/** "Hand to Deckhand" on a message of anybody: its text is proposed as a command, which the presser may change and then runs. */
export async function onShortcut(ctx: CommandContext, shortcut: Shortcut): Promise<void> {
  const sh = commandNamed('sh');
  await checkAllowed(ctx, sh, {});
  const parsed = parseText(shortcut.text, commands);
  const asCommand = parsed.type === 'command' && parsed.command.name === 'sh' ? parsed.args.command : undefined;
  const proposed = typeof asCommand === 'string' ? asCommand : shortcut.text.trim();
  if (proposed.length > fieldLength) {
    throw new AppError('DH-300', {
      what: `The message is longer than a form can hold (${fieldLength.toLocaleString('en-US')} characters).`,
      instead: 'Send the command yourself with `sh`, or put it into a script of the repository.',
    });
  }
  const act = answered(shortcut, ctx.person, ctx.act.conversation);
  await putOutbox(ctx.tx, askForm(act, shortcut.trigger, await runForm(ctx, proposed), new Date(shortcut.at)));
}

async function runForm(ctx: CommandContext, proposed: string): Promise<Form> {
  const projects = ctx.bound === undefined && ctx.threadTask === undefined ? await projectsOf(ctx.tx, ctx.person.workspace) : [];
  return {
    token: encodePress({ kind: 'command', text: 'sh' }),
    title: 'Hand to Deckhand',
    submit: 'Run',
    fields: [
      {
        type: 'text',
        id: 'command',
        label: 'Command to run',
        multiline: true,
        required: true,
        placeholder: 'npm test',
        ...(proposed === '' ? {} : { initial: proposed }),
        maxLength: fieldLength,
      },
      ...(projects.length > 1
        ? [
            {
              type: 'select' as const,
              id: 'project',
              label: 'Project',
              required: true,
              multiple: false,
              options: projects.map(({ name }) => ({ value: name, label: name })),
            },
          ]
        : []),
    ],
  };
}
