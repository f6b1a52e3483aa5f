import type { Channel, Overwrite, User } from './model.ts';

/** The guild a fresh emulator starts with. Ids keep Discord's form and stay the same on every start. */

export const GUILD = { id: '1100000000000000001', name: 'Deckhand Lab', owner: '1100000000000000101' };
export const APPLICATION_ID = '1100000000000000900';
/** Bot users of newer applications have the id of the application. */
export const BOT_USER = APPLICATION_ID;
export const BOT_ROLE = '1100000000000000020';
export const MEMBER_ROLE = '1100000000000000010';
/** Another bot of the guild, to see that its messages start nothing. */
export const OTHER_BOT = '1100000000000000800';

function person(id: string, username: string, name: string, title: string, color: string): User {
  return { id, username, global_name: name, title, color, bot: false, roles: [MEMBER_ROLE] };
}

export const PEOPLE: readonly User[] = [
  person('1100000000000000101', 'ada', 'Ada', 'Owner', '#7a3ea8'),
  person('1100000000000000102', 'ben', 'Ben', 'Developer', '#1f7a8c'),
  person('1100000000000000103', 'gus', 'Gus', 'Guest', '#b3541e'),
];

export function botUser(name: string): User {
  return {
    id: BOT_USER,
    username: name.toLowerCase().replace(/[^a-z0-9._]+/g, ''),
    global_name: name,
    title: 'App',
    color: '#0b4f6c',
    bot: true,
    roles: [BOT_ROLE],
  };
}

export const otherBot: User = {
  id: OTHER_BOT,
  username: 'relay',
  global_name: 'Relay',
  title: 'App',
  color: '#5b6770',
  bot: true,
  roles: [MEMBER_ROLE],
};

export function textChannel(id: string, name: string, topic: string, position: number, overwrites: Overwrite[] = []): Channel {
  return { id, kind: 'text', name, topic, position, overwrites };
}

/** Hides a channel from the app: `1 << 10` is the right to see it. */
export const withoutBot: Overwrite = { id: BOT_ROLE, type: 0, allow: '0', deny: '1024' };

/** `#demo` and `#general` with the bot, `#ops` without it, and one DM with the bot per person. */
export function seedChannels(): Channel[] {
  return [
    textChannel('1100000000000000201', 'demo', 'Try Deckhand here', 0),
    textChannel('1100000000000000202', 'general', 'Everything else', 1),
    textChannel('1100000000000000203', 'ops', 'Operations', 2, [withoutBot]),
    ...PEOPLE.map((entry) => dmChannel(entry)),
  ];
}

/** The DM of a person with the bot. Its id is made from the person's, so that it is the same on every start. */
export function dmChannel(user: User): Channel {
  const id = String(BigInt(user.id) + 200n);
  return { id, kind: 'dm', name: user.username, topic: '', position: 0, overwrites: [], dm: { user: user.id, closed: false } };
}
