import type { Chat, Member, Rights, User } from './model.ts';

/** The people and chats a fresh emulator starts with. Ids keep Telegram's form and stay the same on every start. */

export const BOT_ID = 800_000_001;
export const OTHER_BOT_ID = 800_000_002;
/** Telegram's own account behind anonymous administrators. */
export const ANONYMOUS_BOT_ID = 1_087_968_824;

function person(id: number, name: string, first: string, last: string, title: string, color: string): User {
  return {
    id,
    name,
    first_name: first,
    last_name: last,
    username: `${name}_lab`,
    language_code: 'en',
    is_bot: false,
    title,
    color,
  };
}

export const PEOPLE: readonly User[] = [
  person(700_000_001, 'ada', 'Ada', 'Lovelace', 'Owner', '#7a3ea8'),
  person(700_000_002, 'ben', 'Ben', 'Ortiz', 'Developer', '#1f7a8c'),
  person(700_000_003, 'gus', 'Gus', 'Meyer', 'Guest', '#b3541e'),
];

export function botUser(username: string, firstName: string): User {
  return { id: BOT_ID, name: 'bot', first_name: firstName, username, is_bot: true, title: 'Bot', color: '#0b4f6c' };
}

export const OTHER_BOTS: readonly User[] = [
  {
    id: OTHER_BOT_ID,
    name: 'other',
    first_name: 'Other',
    username: 'other_lab_bot',
    is_bot: true,
    title: 'Bot',
    color: '#666666',
  },
  {
    id: ANONYMOUS_BOT_ID,
    name: 'anonymous',
    first_name: 'Group',
    username: 'GroupAnonymousBot',
    is_bot: true,
    title: 'Anonymous administrators',
    color: '#666666',
  },
];

export const ALL_RIGHTS: Rights = {
  can_manage_topics: true,
  can_delete_messages: true,
  can_pin_messages: true,
  can_change_info: true,
  can_restrict_members: true,
};

export const NO_RIGHTS: Rights = {
  can_manage_topics: false,
  can_delete_messages: false,
  can_pin_messages: false,
  can_change_info: false,
  can_restrict_members: false,
};

export const DEMO = -4_000_001;
export const OPS = -1_001_000_000_002;
export const FORUM = -1_001_000_000_003;

function members(bot: Member): Record<string, Member> {
  const [owner, ...others] = PEOPLE;
  return {
    ...(owner ? { [owner.id]: { status: 'creator' } } : {}),
    ...Object.fromEntries(others.map((entry) => [entry.id, { status: 'member' }])),
    [BOT_ID]: bot,
    [OTHER_BOT_ID]: { status: 'member' },
  };
}

/** The private chat between a person and the bot. Its id is the person's. */
export function privateChat(user: User): Chat {
  return {
    id: user.id,
    kind: 'private',
    name: user.name,
    is_forum: false,
    members: {},
    person: user.id,
    state: 'new',
    pinned: [],
    can_send: true,
  };
}

export function group(
  given: Pick<Chat, 'id' | 'kind' | 'name' | 'title'> & { is_forum?: boolean; members: Chat['members'] },
): Chat {
  const isForum = given.is_forum ?? false;
  return {
    ...given,
    is_forum: isForum,
    state: 'open',
    pinned: [],
    general: isForum ? { name: 'General', is_closed: false } : undefined,
    can_send: true,
  };
}

/**
 * `demo`: a plain group in which the bot is an administrator and so sees everything. `ops`: a supergroup in which it is a member and
 * privacy mode hides plain messages. `forum`: a supergroup with topics, which the bot may manage. And a private chat per person.
 */
export function seedChats(): Chat[] {
  const administrator: Member = { status: 'administrator', rights: ALL_RIGHTS };
  return [
    group({ id: DEMO, kind: 'group', name: 'demo', title: 'Demo', members: members(administrator) }),
    group({ id: OPS, kind: 'supergroup', name: 'ops', title: 'Operations', members: members({ status: 'member' }) }),
    group({ id: FORUM, kind: 'supergroup', name: 'forum', title: 'Forum', is_forum: true, members: members(administrator) }),
    ...PEOPLE.map(privateChat),
  ];
}
