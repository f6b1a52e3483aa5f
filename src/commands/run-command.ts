import { mayUse } from '../access/effective-role.ts';
import { notAllowed } from '../access/not-allowed.ts';
import { strongestAnywhere } from '../access/role-about.ts';
import { rightsInWorkspace, rightsSomewhere, within, withoutBundle } from '../access/who-acts.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { OutboxPut } from '../contracts/outbox.ts';
import type { Permission, Rights } from '../contracts/permissions.ts';
import { traced } from '../runtime/trace.ts';
import { putOutbox, putOutboxRows } from '../store/outbox.ts';
import { sentMessage } from '../store/sent-messages.ts';
import { placesOfTask } from '../store/threads.ts';
import { putInPlace, putOf, putsElsewhere, receivedPut } from './answer.ts';
import type { Command, CommandContext, Reply } from './command.ts';
import { helpView, usableHere } from './help.ts';
import { refuseCutCommand } from './leaked-key.ts';
import { either } from './nearest.ts';
import { parseText } from './parse.ts';
import { commands } from './registry.ts';
import { exampleFor } from './usage-line.ts';

/** Reads a command line and runs it. Throws DH-200 or DH-201 for what is no command or does not fit. */
export async function runText(ctx: CommandContext, text: string): Promise<void> {
  const parsed = parseText(text, commands);
  switch (parsed.type) {
    case 'command':
      return runCommand(ctx, parsed.command, parsed.args);
    case 'empty':
      return answer(ctx, { view: helpView(usableHere(ctx, commands), undefined), audience: 'person', list: 'own' });
    case 'group':
      return answer(ctx, { view: helpView(commands, parsed.group), audience: 'person' });
    case 'invalid':
      throw new AppError('DH-201', { problem: parsed.problem, example: exampleFor(parsed.command, text) });
    case 'unknown':
      throw new AppError('DH-200', { command: parsed.word.slice(0, 80), suggestion: suggest(parsed.suggestions) });
  }
}

/** Runs one command after asking whether it may be used here and by this person, and answers. */
export async function runCommand(ctx: CommandContext, command: Command, args: Record<string, unknown>): Promise<void> {
  await checkAllowed(ctx, command, args);
  refuseCutCommand(ctx.act.event, command.permissionFor?.(args) ?? command.permission);
  const reply = await traced('command', { command: command.name }, () => command.run(ctx, args));
  if (reply !== undefined) await answer(ctx, reply);
}

/**
 * Throws DH-203 in a channel without a project, DH-202 and DH-248 for a permission that is lacking, and DH-221 where others would read what is not for them.
 */
export async function checkAllowed(ctx: CommandContext, command: Command, args: Record<string, unknown>): Promise<void> {
  if (ctx.act.open && !command.open) throw new AppError('DH-221', { command: command.name });
  // A thread of a task says by itself what it is about.
  const unbound = ctx.channel.kind === 'channel' && ctx.bound === undefined && ctx.threadTask === undefined;
  if (
    unbound &&
    (command.unbound === 'no' || (command.unbound === 'with-role' && strongestAnywhere(ctx.member, ctx.grants) === undefined))
  ) {
    throw new AppError('DH-203');
  }
  const needed = command.permissionFor?.(args) ?? command.permission;
  if (mayUse(rightsFor(ctx, command, args, needed), needed)) return;
  if (needed === 'anyone') return;
  const { limit } = within(ctx.channel, rightsFor(withoutBundle(ctx), command, args, needed));
  throw await notAllowed(ctx.tx, { ...ctx.person, limit, about: ctx.bound?.id }, command.action, needed);
}

/**
 * The rights that open a command. What it does to a project it asks about that project itself; here it is enough that the person may do it
 * somewhere. What is about the workspace takes the right there, whatever one may do about a project.
 */
function rightsFor(ctx: CommandContext, command: Command, args: Record<string, unknown>, needed: Permission | 'anyone'): Rights {
  const about = typeof command.about === 'function' ? command.about(args) : command.about;
  return about === 'project' || needed === 'task.see' ? rightsSomewhere(ctx) : rightsInWorkspace(ctx);
}

/** Puts the answer where its audience is. The buttons of a list change that list instead of adding another one. */
export async function answer(ctx: CommandContext, reply: Reply): Promise<void> {
  const { event } = ctx.act;
  // Everything said there notifies all who follow the conversation.
  if (ctx.act.open && reply.card === true && event.type === 'message') {
    await putOutbox(ctx.tx, receivedPut(ctx.person.workspace, event));
    return;
  }
  if (event.type === 'press' && event.message !== undefined && reply.list !== undefined) {
    const sent = await sentMessage(ctx.tx, ctx.person.workspace, { ...event.conversation, message: event.message });
    const put = sent === undefined ? undefined : putInPlace(sent, ctx.person, reply, ctx.person.workspace);
    if (put !== undefined) {
      await putOutbox(ctx.tx, put);
      return;
    }
  }
  const put = inPlaceOfPressed(event, reply, putOf(ctx.act, ctx.person, reply));
  const places = reply.task === undefined ? [] : await placesOfTask(ctx.tx, reply.task);
  await putOutboxRows(ctx.tx, [put, ...putsElsewhere(ctx, reply, put, places)]);
}

/** A page of a list that only one person sees takes the place of the page it was asked for on: such a message has no id of its own. */
function inPlaceOfPressed(event: InboundEvent, reply: Reply, put: OutboxPut): OutboxPut {
  const turned = event.type === 'press' && event.message === undefined && reply.list !== undefined;
  return turned && put.payload.type === 'ephemeral' ? { ...put, payload: { ...put.payload, replaces: true } } : put;
}

export function suggest(names: readonly string[]): string {
  if (names.length === 0) return '`help` lists all commands.';
  return `Did you mean ${either(names)}? \`help\` lists all commands.`;
}
