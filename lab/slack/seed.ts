import type { Channel, User } from './model.ts';

/** The workspace a fresh emulator starts with. Ids keep Slack's form and stay the same on every start. */

export const TEAM = { id: 'T00DECKLAB', name: 'Deckhand Lab', domain: 'deckhand-lab' };
export const APP_ID = 'A00DECKHAND';
export const BOT_USER = 'U00DECKHAND';
export const BOT_ID = 'B00DECKHAND';

function person(id: string, name: string, realName: string, title: string, color: string): User {
  return {
    id,
    name,
    real_name: realName,
    display_name: realName.split(' ')[0] ?? realName,
    email: `${name}@example.com`,
    title,
    color,
    tz: 'Europe/Berlin',
    is_bot: false,
  };
}

export const PEOPLE: readonly User[] = [
  person('U0000000ADA', 'ada', 'Ada Lovelace', 'Owner', '#7a3ea8'),
  person('U0000000BEN', 'ben', 'Ben Ortiz', 'Developer', '#1f7a8c'),
  person('U0000000GUS', 'gus', 'Gus Meyer', 'Guest', '#b3541e'),
];

export function botUser(displayName: string): User {
  return {
    id: BOT_USER,
    name: displayName.toLowerCase().replace(/[^a-z0-9._-]+/g, ''),
    real_name: displayName,
    display_name: displayName,
    email: '',
    title: 'App',
    color: '#0b4f6c',
    tz: 'Etc/UTC',
    is_bot: true,
  };
}

const CREATED = 1_767_225_600;
const everyone = PEOPLE.map((entry) => entry.id);

function room(id: string, name: string, topic: string, members: string[]): Channel {
  return { id, name, kind: 'public', topic, purpose: '', created: CREATED, creator: 'U0000000ADA', members };
}

/** `#demo` and `#ops` with the bot, `#random` without it, and one DM with the bot per person. */
export function seedChannels(): Channel[] {
  return [
    room('C00000DEMO', 'demo', 'Try Deckhand here', [...everyone, BOT_USER]),
    room('C000000OPS', 'ops', 'Operations', [...everyone, BOT_USER]),
    room('C0000RANDOM', 'random', 'Everything else', [...everyone]),
    ...PEOPLE.map((entry) => dmChannel(entry)),
  ];
}

export function dmChannel(user: User): Channel {
  return {
    id: user.id.replace(/^U/, 'D'),
    name: user.name,
    kind: 'im',
    topic: '',
    purpose: '',
    created: CREATED,
    creator: user.id,
    members: [user.id, BOT_USER],
    im_user: user.id,
  };
}
