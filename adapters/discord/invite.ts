import { OAuth2Scopes, PermissionFlagsBits } from 'discord-api-types/v10';

/** What the bot must be allowed in a server, with the words that Discord's settings use and what each is for. */
export const permissions: readonly { name: string; bit: bigint; why: string }[] = [
  { name: 'View Channels', bit: PermissionFlagsBits.ViewChannel, why: 'hearing mentions and replies' },
  { name: 'Send Messages', bit: PermissionFlagsBits.SendMessages, why: 'cards and answers in channels' },
  { name: 'Create Public Threads', bit: PermissionFlagsBits.CreatePublicThreads, why: 'one thread for each task' },
  { name: 'Send Messages in Threads', bit: PermissionFlagsBits.SendMessagesInThreads, why: 'cards and answers there' },
  { name: 'Attach Files', bit: PermissionFlagsBits.AttachFiles, why: 'logs and patches' },
  {
    name: 'Read Message History',
    bit: PermissionFlagsBits.ReadMessageHistory,
    why: 'finding what was said while Deckhand was away',
  },
  { name: 'Add Reactions', bit: PermissionFlagsBits.AddReactions, why: 'the receipt on a message' },
];

/** The same as the bit set of Discord. */
export const permissionBits = permissions.reduce((sum, { bit }) => sum | bit, 0n);

/** The address that adds the bot to a server with these rights and no others. */
export function inviteUrl(application: string): string {
  const url = new URL('https://discord.com/oauth2/authorize');
  url.searchParams.set('client_id', application);
  url.searchParams.set('scope', [OAuth2Scopes.Bot, OAuth2Scopes.ApplicationsCommands].join(' '));
  url.searchParams.set('permissions', permissionBits.toString());
  return url.toString();
}
