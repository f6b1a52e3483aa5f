import type { Affiliation } from '../../src/contracts/affiliation.ts';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { DiscordMessage, Membership } from './payloads.ts';

/** What is known about the application, and what turns a secret of a payload into an opaque handle. */
export interface InboundContext {
  application: string;
  botUser: string;
  menu: Pick<CommandMenu, 'commands'>;
  seal(text: string): string;
  now(): Date;
}

/** Where something happened. */
export interface Place {
  conversation: Conversation;
  channelName?: string | undefined;
  /** Not everybody on the server may see the channel; undefined: not known. */
  channelPrivate?: boolean | undefined;
  /** In a server for all who find it, where roles are given to those who belong there. */
  community?: boolean | undefined;
}

/** What a payload means: events to hand over, or nothing that a person did for us. */
export type Inbound = { kind: 'events'; events: InboundEvent[] } | { kind: 'ignored'; why: string };

export function ignored(why: string): Inbound {
  return { kind: 'ignored', why };
}

export function event(one: InboundEvent): Inbound {
  return { kind: 'events', events: [one] };
}

/** Types of channels (Discord documentation, channel resource). */
export const channelTypes = { direct: 1, group: 3, threads: [10, 11, 12], forums: [15, 16] } as const;

export function isThread(type: number): boolean {
  return channelTypes.threads.some((one) => one === type);
}

export function isForum(type: number): boolean {
  return channelTypes.forums.some((one) => one === type);
}

/** Messages of people: the ordinary kind and replies. All others are written by Discord or by bots. */
export function isPersonal(message: DiscordMessage): boolean {
  const { type, author, webhook_id: webhook } = message;
  return (type == null || type === 0 || type === 19) && author != null && author.bot !== true && webhook == null;
}

export function nameOf(
  member: { nick?: string | null | undefined } | null | undefined,
  user: { global_name?: string | null | undefined; username?: string | null | undefined } | null | undefined,
): { name?: string } {
  const name = [member?.nick, user?.global_name, user?.username].find((one) => one != null && one.trim() !== '');
  return name == null ? {} : { name };
}

const guestFlag = 1 << 4;

/**
 * How somebody belongs to the server, as it says with what they do there; nothing for a direct message. In a server that anybody may join,
 * who has been given no role is a newcomer; elsewhere whoever was let in is a member.
 */
export function affiliationIn(
  member: Membership | null | undefined,
  place: Pick<Place, 'conversation' | 'community'>,
): { affiliation?: Affiliation } {
  if (member == null || place.conversation.kind === 'direct') return {};
  if (((member.flags ?? 0) & guestFlag) !== 0) return { affiliation: { kind: 'guest' } };
  const isNew = member.pending === true || (place.community === true && member.roles?.length === 0);
  return { affiliation: { kind: isNew ? 'newcomer' : 'member' } };
}

/** What an event tells of its channel. */
export function named({ channelName, channelPrivate }: Place): { channelName?: string; channelPrivate?: boolean } {
  return {
    ...(channelName === undefined ? {} : { channelName }),
    ...(channelPrivate === undefined ? {} : { channelPrivate }),
  };
}
