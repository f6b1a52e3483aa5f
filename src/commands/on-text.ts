import type { InboundEvent } from '../contracts/inbound.ts';
import { roleAtLeast } from '../contracts/roles.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import type { CommandContext } from './command.ts';
import { nearest } from './nearest.ts';
import { namesCommand, parseText } from './parse.ts';
import { commands } from './registry.ts';
import { answer, runCommand, runText } from './run-command.ts';
import { commandButton } from './task-lines.ts';

type Message = Extract<InboundEvent, { type: 'message' }>;

/** A message to the bot: a command when it begins with one, else free text, which takes an agent that is not there. */
export async function onAddressedMessage(ctx: CommandContext, message: Message): Promise<void> {
  const text = message.text.replace(/^[\s,:]+/, '');
  if (text === '' || namesCommand(text, commands)) return runText(ctx, text);
  return answer(ctx, { view: freeTextView(text), audience: 'person' });
}

/**
 * A reply in a task's thread that does not name the bot. It is obeyed when all of it is a command and the person may run commands;
 * anything else is people talking to each other.
 */
export async function onThreadReply(ctx: CommandContext, message: Message): Promise<void> {
  if (!roleAtLeast(ctx.person.role, 'developer')) return;
  const parsed = parseText(message.text, commands);
  if (parsed.type === 'command') await runCommand(ctx, parsed.command, parsed.args);
}

function freeTextView(text: string) {
  const first = /^\S+/.exec(text)?.[0] ?? '';
  const meant = nearest(
    first,
    commands.map(({ name }) => name),
  );
  const guess = meant.length === 0 ? '' : ` Did you mean ${meant.map((name) => `\`${name}\``).join(' or ')}?`;
  return withFallback([
    {
      type: 'text',
      spans: marked(
        `No agent is installed here that could work on free text.${guess} \`sh <command>\` runs a command, for example \`sh npm test\`.`,
      ),
    },
    { type: 'buttons', buttons: [commandButton('Help', 'help')] },
  ]);
}
