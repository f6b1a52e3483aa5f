import type { Repository } from '../../src/contracts/code-host.ts';
import type { Conversation, MessageRef } from '../../src/contracts/platform.ts';
import { gone } from './talk-failures.ts';

/** Names as GitHub takes them. Whatever is none cannot exist, and stays out of addresses. */
const fullName = /^([A-Za-z0-9][A-Za-z0-9-]{0,38})\/([A-Za-z0-9._-]{1,100})$/;

export function repositoryIn({ channel }: Pick<Conversation, 'channel'>): Repository {
  const [, owner, name] = fullName.exec(channel) ?? [];
  if (owner === undefined || name === undefined || /^\.+$/.test(name)) throw gone(`${channel} is no repository`);
  return { owner, name };
}

/** The page of an issue or pull request, else that of the repository; GitHub leads from one kind to the other. */
export function pageOf(web: URL, channel: string, thread: string | undefined): string | undefined {
  if (!fullName.test(channel)) return undefined;
  const page = `${web.origin}/${channel}`;
  return thread === undefined ? page : `${page}/issues/${encodeURIComponent(thread)}`;
}

/** The issue or pull request of a conversation. There is nothing else to write into. */
export function numberIn({ channel, thread }: Pick<Conversation, 'channel' | 'thread'>): number {
  if (thread === undefined || !/^[1-9]\d{0,9}$/.test(thread))
    throw gone(`${channel} has no conversation of its own, only issues`);
  return Number(thread);
}

/** `i`: the body of an issue or pull request, by its number; `c`: a comment; `r`: a comment on a line; `v`: the body of a review. */
export interface Spot {
  kind: 'i' | 'c' | 'r' | 'v';
  id: number;
}

export function spotOf({ message }: Pick<MessageRef, 'message'>): Spot {
  const [, kind, id] = /^([icrv])([1-9]\d{0,15})$/.exec(message) ?? [];
  if (kind !== 'i' && kind !== 'c' && kind !== 'r' && kind !== 'v') throw gone(`${message} is no message`);
  return { kind, id: Number(id) };
}
