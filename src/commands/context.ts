import type { Actor } from '../access/who-acts.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { Tx } from '../store/database.ts';
import { type Project, projectById } from '../store/projects.ts';
import { taskOfThread } from '../store/task-queries.ts';
import { answerConversation, askedBy } from './answer.ts';
import { isOpen, taskOfConversation } from './at-code-host.ts';
import type { CommandContext, CommandDeps } from './command.ts';

/** What a command is told about the act: the channel's project and, in a task's thread, the task. */
export async function contextFor(
  tx: Tx,
  deps: CommandDeps,
  actor: Actor,
  event: InboundEvent,
  picked?: Project,
): Promise<CommandContext> {
  const { workspace } = actor.person;
  const conversation = answerConversation(event);
  const bound = actor.channel.project === undefined ? undefined : await projectById(tx, workspace, actor.channel.project);
  const open = isOpen(deps, event);
  const own =
    conversation.thread === undefined ? undefined : await taskOfThread(tx, workspace, actor.channel.id, conversation.thread);
  const threadTask = own ?? (open ? await taskOfConversation(tx, workspace, event, bound?.id) : undefined);
  return { tx, deps, act: { event, by: askedBy(event), conversation, open }, ...actor, bound, threadTask, picked };
}
