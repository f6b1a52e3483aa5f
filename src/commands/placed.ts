import type { InboundEvent } from '../contracts/inbound.ts';
import { currentChannel } from '../store/channel-moves.ts';
import type { Tx } from '../store/database.ts';
import { threadOfMessage } from '../store/sent-messages.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';

/**
 * The event where it belongs: in the conversation as it is called now, and in the thread of the message of ours that it answers or
 * presses. Everything that follows (rights, context, answers) looks at this event only.
 */
export async function placed(tx: Tx, event: InboundEvent): Promise<InboundEvent> {
  if (event.type === 'channel_moved') return event;
  const { platform, tenant, thread } = event.conversation;
  const channel = await currentChannel(tx, platform, tenant, event.conversation.channel);
  if (channel !== event.conversation.channel) return moved(event, channel);
  const about = event.type === 'press' ? event.message : event.replyTo;
  if (thread !== undefined || about === undefined) return event;
  const workspace = await workspaceOfTenant(tx, platform, tenant);
  if (workspace === undefined) return event;
  const found = await threadOfMessage(tx, workspace.id, { platform, tenant, channel, message: about });
  // Where a message names the thread it opens, it stands at the top level itself.
  if (found === undefined || (event.type === 'press' && found === about)) return event;
  return { ...event, conversation: { ...event.conversation, thread: found } };
}

/** Ids of messages and threads of the conversation it was name nothing, or something else, in the one it is. */
function moved(event: InboundEvent, channel: string): InboundEvent {
  const { thread: _, ...conversation } = event.conversation;
  const { replyTo: __, ...rest } = { ...event, conversation: { ...conversation, channel } };
  if (rest.type === 'press') {
    const { message: ___, ...press } = rest;
    return press;
  }
  if (rest.type === 'message' || rest.type === 'shortcut') {
    const { below: ___, ...message } = rest;
    return message;
  }
  return rest;
}
