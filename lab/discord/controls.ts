import type { Core, Settings } from './core.ts';
import { channelEvent, guildEvent, threadListEvent } from './events.ts';
import type { Faults } from './faults.ts';
import { INTENTS } from './flags.ts';
import type { Gateway } from './gateway.ts';
import type { HttpDelivery } from './http-delivery.ts';
import { postMessage } from './messages.ts';
import type { Channel, Message, User } from './model.ts';
import { bitsOf, canSee, type PermissionName } from './permissions.ts';
import type { Rest } from './rest.ts';
import { BOT_ROLE, BOT_USER, dmChannel, GUILD, MEMBER_ROLE, OTHER_BOT, textChannel } from './seed.ts';
import { archiveIdle } from './threads.ts';

/**
 * Faults, load and settings, for tests and for the lab's settings.
 *
 * - `failNext('create_message', { status: 500, times: 2 })`, `{ status: 403, code: 50013 }`, `{ status: 429, retryAfter: 3 }`,
 *   `{ dropConnectionBeforeEffect: true }`, `{ dropConnectionAfterEffect: true }`, each optionally `when: (call) => …`
 * - `const held = hold('update_message')`; `await held.reached`; …; `held.release()`: stops a call before its effect
 *   (`{ after: true }`: after it), for tests that kill or change something at exactly that point
 * - `delay('*', 200)`: slows answers down
 * - `gateway`: count, cut, close with a code, ask for a reconnect, invalidate sessions, stop acknowledging heartbeats
 */
export interface Controls extends Pick<Faults, 'failNext' | 'hold' | 'delay'> {
  rateLimiting(on: boolean): void;
  /** Forgets what was counted against the rate limits, so that the next calls find full buckets. */
  refillLimits(): void;
  /** Delays every REST answer by so many milliseconds. */
  latency(ms: number): void;
  /** REST answers 503, and gateway connections are cut and refused, until switched off. */
  outage(on: boolean): void;
  gateway: Pick<
    Gateway,
    | 'count'
    | 'stats'
    | 'closeSockets'
    | 'cut'
    | 'requestReconnect'
    | 'invalidate'
    | 'requestHeartbeat'
    | 'ackHeartbeats'
    | 'sendRaw'
  >;
  /** Switches privileged intents of the application on (all others off). Default: all on. */
  grantIntents(...names: ('GUILD_MEMBERS' | 'GUILD_PRESENCES' | 'MESSAGE_CONTENT')[]): void;
  /**
   * Sends interactions to this address from now on, or with `undefined` through the gateway. Checked first as Discord does when
   * it is saved: PING must be answered, bad signatures must be answered with 401; rejects when not.
   */
  interactionsUrl(url: string | undefined): Promise<void>;
  /** Makes every interaction token issued so far too old. */
  expireTokens(): void;
  /** The rights of the bot's role in the guild. */
  botPermissions(...names: PermissionName[]): void;
  /** Takes rights from the bot in one channel; none: gives back what its role has. `VIEW_CHANNEL` hides the channel. */
  denyIn(channel: string, ...names: PermissionName[]): void;
  /** Adds a channel; with `private` only for these people (ids) and the bot, unless `bot: false`. */
  addChannel(given: { name: string; private?: string[]; bot?: boolean; open?: boolean }): Channel;
  removeChannel(id: string): void;
  /** Adds a person with a DM to the bot. */
  addPerson(given: { username: string; global_name: string } & Partial<Pick<User, 'roles' | 'pending'>>): User;
  /** Makes the guild a community, or no longer one. */
  community(on: boolean): void;
  /** A message of another bot of the guild. */
  sayAsBot(channel: string, text: string): Message;
  /** A message through a webhook. */
  sayAsWebhook(channel: string, username: string, text: string): Message;
  /** Archives threads that were idle as long as they are set to wait. Done by itself every minute. */
  archiveIdle(): void;
  /** Calls answered with 401, 403 or 429: Discord bans an address after 10,000 of them within ten minutes. */
  invalidRequests(): number;
  /** Mistakes of the emulator itself (each was answered with HTTP 500). */
  errors: readonly unknown[];
}

export function createControls(deps: {
  core: Core;
  faults: Faults;
  gateway: Gateway;
  http: HttpDelivery;
  rest: Rest;
  invalidRequests: () => number;
  errors: unknown[];
}): Controls {
  const { core, faults, gateway } = deps;
  const { state } = core;
  const set = (patch: Partial<Settings>) => {
    Object.assign(core.settings, patch);
    state.emit({ type: 'settings' });
  };
  const channelNamed = (name: string): Channel => {
    const bare = name.replace(/^#/, '');
    const channel = state.channels.values().find((entry) => entry.id === name || (entry.kind !== 'dm' && entry.name === bare));
    if (!channel) throw new Error(`there is no channel ${name}`);
    return channel;
  };
  const putChannel = (channel: Channel, event: 'CHANNEL_CREATE' | 'CHANNEL_UPDATE') => {
    state.channels.put(channel);
    state.emit({ type: 'channel', channel });
    channelEvent(core, event, channel);
  };
  return {
    failNext: faults.failNext,
    hold: faults.hold,
    delay: faults.delay,
    rateLimiting: (on) => set({ rateLimiting: on }),
    refillLimits: () => deps.rest.clearLimits(),
    latency: (ms) => set({ latencyMs: ms }),
    outage(on) {
      set({ outage: on });
      if (on) gateway.cut();
    },
    gateway,
    grantIntents: (...names) => set({ grantedIntents: names.reduce((bits, name) => bits | INTENTS[name], 0) }),
    async interactionsUrl(url) {
      if (url !== undefined) await deps.http.checkEndpoint(url);
      set({ interactionsUrl: url });
      state.emit({ type: 'app' });
    },
    expireTokens() {
      for (const entry of state.interactions.values())
        state.interactions.put({ ...entry, created_at: entry.created_at - core.timing.token - 1 });
    },
    botPermissions(...names) {
      const role = state.roles.get(BOT_ROLE);
      if (role) state.roles.set(BOT_ROLE, { ...role, permissions: bitsOf(names) });
      state.emit({ type: 'app' });
    },
    denyIn(name, ...names) {
      const channel = channelNamed(name);
      const sawIt = canSee(core, channel, BOT_USER);
      const others = channel.overwrites.filter((entry) => entry.id !== BOT_ROLE);
      const denied = { id: BOT_ROLE, type: 0 as const, allow: '0', deny: String(bitsOf(names)) };
      const next = { ...channel, overwrites: names.length === 0 ? others : [...others, denied] };
      putChannel(next, 'CHANNEL_UPDATE');
      if (!sawIt && canSee(core, next, BOT_USER)) threadListEvent(core, next);
    },
    addChannel({ name, private: members, bot = true, open = false }) {
      const view = String(bitsOf(['VIEW_CHANNEL']));
      const hidden = members ? [{ id: MEMBER_ROLE, type: 0 as const, allow: '0', deny: view }] : [];
      const allowed = (members ?? []).map((id) => ({ id, type: 1 as const, allow: view, deny: '0' }));
      const withoutBot = bot ? [] : [{ id: BOT_ROLE, type: 0 as const, allow: '0', deny: view }];
      const said = String(bitsOf(['VIEW_CHANNEL', 'SEND_MESSAGES', 'READ_MESSAGE_HISTORY']));
      const forAll = open ? [{ id: GUILD.id, type: 0 as const, allow: said, deny: '0' }] : [];
      const position = state.channels.values().filter((entry) => entry.kind === 'text').length;
      const channel = textChannel(state.nextId(), name, '', position, [...hidden, ...allowed, ...withoutBot, ...forAll]);
      putChannel(channel, 'CHANNEL_CREATE');
      return channel;
    },
    removeChannel(id) {
      const channel = channelNamed(id);
      state.channels.remove(channel.id);
      state.emit({ type: 'channel_removed', channel });
      channelEvent(core, 'CHANNEL_DELETE', channel);
    },
    community(on) {
      set({ community: on });
      guildEvent(core);
    },
    addPerson({ username, global_name, roles = [MEMBER_ROLE], pending }) {
      const user: User = {
        id: state.nextId(),
        username,
        global_name,
        title: '',
        color: '#555555',
        bot: false,
        roles,
        ...(pending === undefined ? {} : { pending }),
      };
      state.users.set(user.id, user);
      state.channels.put({ ...dmChannel(user), id: state.nextId() });
      state.emit({ type: 'reset' });
      return user;
    },
    sayAsBot: (channel, text) => postMessage(core, { channel: channelNamed(channel).id, author: OTHER_BOT, content: text }),
    sayAsWebhook(channel, username, text) {
      const webhook = { id: `${BigInt(GUILD.id) + 700n}`, username };
      return postMessage(core, { channel: channelNamed(channel).id, author: webhook.id, content: text, webhook });
    },
    archiveIdle: () => archiveIdle(core),
    invalidRequests: deps.invalidRequests,
    errors: deps.errors,
  };
}
