import type { Role } from './model.ts';
import { bitsOf } from './permissions.ts';
import { BOT_ROLE, BOT_USER, GUILD, MEMBER_ROLE } from './seed.ts';

/**
 * The roles of the guild. @everyone sees channels, as on any server that nobody closed, and may do nothing else, so that a bot has the
 * rights its invite link asked for; people have theirs by the role Member.
 */
export function seedRoles(botPermissions: bigint): Role[] {
  const member = bitsOf([
    'VIEW_CHANNEL',
    'SEND_MESSAGES',
    'SEND_MESSAGES_IN_THREADS',
    'CREATE_PUBLIC_THREADS',
    'CREATE_PRIVATE_THREADS',
    'READ_MESSAGE_HISTORY',
    'EMBED_LINKS',
    'ATTACH_FILES',
    'ADD_REACTIONS',
    'USE_APPLICATION_COMMANDS',
  ]);
  return [
    { id: GUILD.id, name: '@everyone', permissions: bitsOf(['VIEW_CHANNEL']), position: 0 },
    { id: MEMBER_ROLE, name: 'Member', permissions: member, position: 1 },
    { id: BOT_ROLE, name: 'Deckhand', permissions: botPermissions, position: 2, bot_id: BOT_USER },
  ];
}
