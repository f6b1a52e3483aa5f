import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { encodePress } from '../contracts/press.ts';
import type { Form } from '../contracts/view.ts';
import { askForm } from '../delivery/reply.ts';
import { putOutbox } from '../store/outbox.ts';
import { projectsOf } from '../store/projects.ts';
import { answered } from './answer.ts';
import type { CommandContext } from './command.ts';
import { checkArguments, parseText } from './parse.ts';
import { commandNamed, commands } from './registry.ts';
import { checkAllowed, runCommand } from './run-command.ts';
import { seen } from './subject.ts';

type Shortcut = Extract<InboundEvent, { type: 'shortcut' }>;

/** Most characters a field of a form holds on every platform. */
const fieldLength = 3000;

/** What the form of "Hand to Deckhand" carries. */
export const handFormText = 'hand';

/** The two ways to hand a message on, as people read them. */
const agentWork = 'Work for an agent';
const aCommand = 'A command';

/**
 * "Hand to Deckhand" on a message of anybody: its text is proposed as work for an agent, or as a command when it is one. The presser may
 * change both, and hands it on as their own.
 */
export async function onShortcut(ctx: CommandContext, shortcut: Shortcut): Promise<void> {
  await checkAllowed(ctx, commandNamed('sh'), {});
  const parsed = parseText(shortcut.text, commands);
  const command = parsed.type === 'command' && parsed.command.name === 'sh' ? parsed.args.command : undefined;
  const isCommand = typeof command === 'string';
  const proposed = isCommand ? command : shortcut.text.trim();
  if (proposed.length > fieldLength) {
    throw new AppError('DH-300', {
      what: `The message is longer than a form can hold (${fieldLength.toLocaleString('en-US')} characters).`,
      instead: 'Send the text yourself with `run`, or the command with `sh`.',
    });
  }
  const act = answered(shortcut, ctx.person, ctx.act.conversation);
  const form = await handForm(ctx, proposed, isCommand ? aCommand : agentWork);
  await putOutbox(ctx.tx, askForm(act, shortcut.trigger, form, new Date(shortcut.at)));
}

async function handForm(ctx: CommandContext, proposed: string, as: string): Promise<Form> {
  const projects =
    ctx.bound === undefined && ctx.threadTask === undefined ? seen(ctx, await projectsOf(ctx.tx, ctx.person.workspace)) : [];
  const options = (labels: readonly string[]) => labels.map((label) => ({ value: label, label }));
  return {
    token: encodePress({ kind: 'command', text: handFormText }),
    title: 'Hand to Deckhand',
    submit: 'Hand on',
    fields: [
      {
        type: 'text',
        id: 'text',
        label: 'What to do',
        multiline: true,
        required: true,
        placeholder: 'Fix the failing test',
        ...(proposed === '' ? {} : { initial: proposed }),
        maxLength: fieldLength,
      },
      {
        type: 'select',
        id: 'as',
        label: 'Hand it on as',
        required: true,
        multiple: false,
        options: options([agentWork, aCommand]),
        initial: as,
      },
      ...(projects.length > 1
        ? [
            {
              type: 'select' as const,
              id: 'project',
              label: 'Project',
              required: true,
              multiple: false,
              options: options(projects.map(({ name }) => name)),
            },
          ]
        : []),
    ],
  };
}

/** The form comes back. */
export async function onHanded(ctx: CommandContext, values: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const [text = ''] = values.text ?? [];
  const [as] = values.as ?? [];
  const [project] = values.project ?? [];
  const command = commandNamed(as === aCommand ? 'sh' : 'run');
  const verbatim = Object.entries(command.positional).find(([, { takes }]) => takes === 'verbatim')?.[0];
  if (verbatim === undefined) throw new Error(`${command.name} takes no text`);
  const raw = { ...(text.trim() === '' ? {} : { [verbatim]: text.trim() }), ...(project === undefined ? {} : { project }) };
  const checked = checkArguments(command, raw);
  if (checked.type === 'invalid') {
    throw new AppError('DH-201', { problem: checked.problem, example: `\`${command.examples[0]?.[0] ?? command.name}\`` });
  }
  if (checked.type === 'command') await runCommand(ctx, checked.command, checked.args);
}
