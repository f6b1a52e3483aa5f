import type { Core } from './core.ts';
import { threadDeletedEvent, threadEvent, threadMembersEvent } from './events.ts';
import { timeOf } from './ids.ts';
import type { Channel, Message, Thread, User } from './model.ts';

/** Threads, whoever opens or changes them. */

export interface NewThread {
  parent: Channel;
  name: string;
  owner: User;
  private?: boolean | undefined;
  invitable?: boolean | undefined;
  auto_archive_duration?: number | undefined;
  rate_limit_per_user?: number | undefined;
  /** The message it starts from, whose id the thread gets. */
  starter?: Message | undefined;
}

export function openThread(core: Core, given: NewThread): Channel {
  const id = given.starter?.id ?? core.state.nextId();
  const channel: Channel = {
    id,
    kind: 'thread',
    name: given.name,
    topic: '',
    position: 0,
    overwrites: [],
    thread: {
      parent_id: given.parent.id,
      owner_id: given.owner.id,
      private: given.private ?? false,
      archived: false,
      locked: false,
      invitable: given.invitable ?? true,
      auto_archive_duration: given.auto_archive_duration ?? 4320,
      archive_timestamp: core.now(),
      rate_limit_per_user: given.rate_limit_per_user ?? 0,
      members: [given.owner.id],
      total_message_sent: 0,
    },
  };
  core.state.channels.put(channel);
  core.state.emit({ type: 'channel', channel });
  threadEvent(core, 'THREAD_CREATE', channel, true);
  return channel;
}

export function changeThread(core: Core, channel: Channel, patch: Partial<Thread> & { name?: string | undefined }): Channel {
  const { name = channel.name, ...rest } = patch;
  if (!channel.thread) throw new Error(`${channel.id} is no thread`);
  const thread = { ...channel.thread, ...rest };
  if (thread.archived !== channel.thread.archived) thread.archive_timestamp = core.now();
  const next = { ...channel, name, thread };
  core.state.channels.put(next);
  core.state.emit({ type: 'channel', channel: next });
  threadEvent(core, 'THREAD_UPDATE', next);
  return next;
}

export function joinThread(core: Core, channel: Channel, userId: string): void {
  if (!channel.thread || channel.thread.members.includes(userId)) return;
  const next = { ...channel, thread: { ...channel.thread, members: [...channel.thread.members, userId] } };
  core.state.channels.put(next);
  core.state.emit({ type: 'channel', channel: next });
  threadMembersEvent(core, next, { added: userId });
}

export function leaveThread(core: Core, channel: Channel, userId: string): void {
  if (!channel.thread?.members.includes(userId)) return;
  const next = { ...channel, thread: { ...channel.thread, members: channel.thread.members.filter((id) => id !== userId) } };
  core.state.channels.put(next);
  core.state.emit({ type: 'channel', channel: next });
  threadMembersEvent(core, next, { removed: userId });
}

export function deleteThread(core: Core, channel: Channel): void {
  for (const message of core.state.messagesOf(channel.id)) core.state.removeMessage(message);
  core.state.channels.remove(channel.id);
  core.state.emit({ type: 'channel_removed', channel });
  threadDeletedEvent(core, channel);
}

/** Archives threads in which nothing was said for as long as they are set to wait. */
export function archiveIdle(core: Core): void {
  for (const channel of core.state.channels.values()) {
    if (!channel.thread || channel.thread.archived) continue;
    const last = lastActivity(core, channel, channel.thread);
    if (core.now() - last > channel.thread.auto_archive_duration * 60_000) changeThread(core, channel, { archived: true });
  }
}

function lastActivity(core: Core, channel: Channel, thread: Thread): number {
  const newest = core.state.messagesOf(channel.id).at(-1);
  return Math.max(thread.archive_timestamp, newest ? timeOf(newest.id) : 0);
}
