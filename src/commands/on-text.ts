import { actingOn } from '../access/who-acts.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { isWithin, may } from '../contracts/permissions.ts';
import type { TaskRow } from '../store/task-queries.ts';
import { wordsOf } from './attachments.ts';
import type { CommandContext } from './command.ts';
import { isSentence, meantBy } from './free-text.ts';
import { parseText } from './parse.ts';
import { commandNamed, commands } from './registry.ts';
import { startAgent } from './run.ts';
import { answer, checkAllowed, runCommand, runText, suggest } from './run-command.ts';
import { speak } from './speak.ts';
import { exampleFor } from './usage-line.ts';

type Message = Extract<InboundEvent, { type: 'message' }>;

/**
 * A message to the bot: a command, else free text. In the thread of an agent's task that speaks to the agent; anywhere else it starts a
 * task of one.
 */
export async function onAddressedMessage(ctx: CommandContext, message: Message): Promise<void> {
  const text = message.text.replace(/^[\s,:]+/, '');
  const meant = meantBy(text, commands);
  const nothing = text.trim() === '';
  if (ctx.act.open && nothing && ctx.threadTask === undefined) return handOver(ctx, message);
  const onlyFiles = nothing && message.attachments.length > 0;
  if (meant.type === 'command' && !onlyFiles) return runText(ctx, text);
  if (meant.type === 'typo') {
    const agent = ' `run …` hands it to an agent as it is.';
    throw new AppError('DH-200', { command: meant.word.slice(0, 80), suggestion: `${suggest(meant.suggestions)}${agent}` });
  }
  const { threadTask } = ctx;
  if (threadTask?.agent !== undefined) return say(ctx, threadTask, text);
  await start(ctx, wordsOf(text, message.attachments));
}

async function start(ctx: CommandContext, prompt: string): Promise<void> {
  await checkAllowed(ctx, commandNamed('run'), {});
  const reply = await startAgent(ctx, { prompt, settings: {} });
  if (reply !== undefined) await answer(ctx, reply);
}

/** Nothing but the name of the bot, in an issue or a pull request: that is what is to be done. */
async function handOver(ctx: CommandContext, { about, conversation: { thread } }: Message): Promise<void> {
  await start(ctx, about === 'pull' ? `Do what pull request ${thread} asks for.` : `Do what issue ${thread} asks for.`);
}

/**
 * A reply in a task's thread that does not name the bot, of somebody who may do more than look. It is obeyed when all of it is a command. For
 * the agent of the task anything else is said to it by those who may speak to agents; in the thread of a command it is people talking to each other.
 */
export async function onThreadReply(ctx: CommandContext, message: Message): Promise<void> {
  const { threadTask } = ctx;
  const by = threadTask === undefined ? ctx.person : actingOn(ctx, threadTask.project.id);
  if (by.role === undefined || isWithin(by, { role: 'guest' })) return;
  const parsed = parseText(message.text, commands);
  const agents = threadTask?.agent !== undefined;
  if (parsed.type === 'command' && !(agents && begins.has(parsed.command.name))) {
    return runCommand(ctx, parsed.command, parsed.args);
  }
  if (threadTask === undefined || !agents || (message.text.trim() === '' && message.attachments.length === 0)) return;
  if (!may(by, 'agent.run')) return;
  if (parsed.type === 'invalid' && settles.has(parsed.command.name) && !isSentence(message.text)) {
    throw new AppError('DH-201', { problem: parsed.problem, example: exampleFor(parsed.command, message.text) });
  }
  return say(ctx, threadTask, message.text.trim());
}

/** "Run the tests once more" is said to the agent whose thread it is; only naming the bot starts another task there. */
const begins: ReadonlySet<string> = new Set(['run']);

/** Words that hardly begin anything but their command: what does not fit is a mistake, not talk. */
const settles: ReadonlySet<string> = new Set(['mode', 'model', 'effort', 'budget', 'retry']);

async function say(ctx: CommandContext, task: TaskRow, text: string): Promise<void> {
  const reply = await speak(ctx, task, text);
  if (reply !== undefined) await answer(ctx, reply);
}
