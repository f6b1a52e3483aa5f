import type { Faults } from '../slack/faults.ts';
import type { Core, Settings } from './core.ts';
import { makeGroup, otherBotSays } from './groups.ts';
import type { Chat, Message, User } from './model.ts';
import { PEOPLE, privateChat } from './seed.ts';

const OWNER = PEOPLE[0]?.id ?? 0;

/**
 * Faults, load and settings, for tests and for the lab's settings.
 *
 * - `failNext('sendMessage', { status: 502, times: 2 })`, `{ status: 400, error: 'Bad Request: chat not found' }`,
 *   `{ status: 429, retryAfter: 3 }`, `{ dropConnectionBeforeEffect: true }`, `{ dropConnectionAfterEffect: true }`, each optionally
 *   `when: (call) => …`
 * - `const held = hold('editMessageText')`; `await held.reached`; …; `held.release()`: stops a call before its effect
 *   (`{ after: true }`: after it), for tests that kill or change something at exactly that point
 * - `delay('*', 200)`: slows answers down
 */
export interface Controls extends Pick<Faults, 'failNext' | 'hold' | 'delay'> {
  rateLimiting(on: boolean): void;
  /** BotFather's privacy mode. */
  privacyMode(on: boolean): void;
  /** Delays every Bot API answer by so many milliseconds. */
  latency(ms: number): void;
  /** The other bot of a chat writes something. */
  otherBotSays(chat: string, text: string): Message;
  /** A new group of Ada's with everybody in it; `bot` is the bot's standing there, absent when it is not in it. */
  addGroup(given: Omit<Parameters<typeof makeGroup>[2], 'title'> & { title?: string }): Chat;
  /** Adds a person with a private chat. */
  addPerson(given: { name: string; first_name: string }): User;
  /** Makes every press so far too old to be answered. */
  expirePresses(): void;
  /** Brings an update that was confirmed already to the webhook again. */
  redeliver(updateId: number): Promise<void>;
  /** Resolves when the webhook has taken every update so far. */
  updatesSettled(): Promise<void>;
  /** Mistakes of the emulator itself (each was answered with HTTP 500). */
  errors: readonly unknown[];
}

export function createControls(deps: { core: Core; faults: Faults; errors: unknown[] }): Controls {
  const { core, faults } = deps;
  const { state } = core;
  const set = (patch: Partial<Settings>) => {
    Object.assign(core.settings, patch);
    state.emit({ type: 'settings' });
  };
  return {
    failNext: faults.failNext,
    hold: faults.hold,
    delay: faults.delay,
    rateLimiting: (on) => set({ rateLimiting: on }),
    privacyMode: (on) => set({ privacyMode: on }),
    latency: (ms) => set({ latencyMs: ms }),
    otherBotSays(name, text) {
      const chat = state.chats
        .values()
        .find((entry) => entry.name === name && entry.kind !== 'private' && entry.migrated_to === undefined);
      if (!chat) throw new Error(`there is no group ${name}`);
      return otherBotSays(core, chat.id, text);
    },
    addGroup(given) {
      const owner = state.users.get(OWNER);
      if (!owner) throw new Error('there is nobody to own a group');
      return makeGroup(core, owner, { title: given.name, ...given });
    },
    addPerson({ name, first_name }) {
      const id = OWNER + state.next('people', 100);
      const user: User = { id, name, first_name, language_code: 'en', is_bot: false, title: '', color: '#555555' };
      state.users.set(id, user);
      state.putChat(privateChat(user));
      state.emit({ type: 'reset' });
      return user;
    },
    expirePresses() {
      for (const query of state.queries.values()) state.queries.put({ ...query, at: core.now() - core.timing.callback - 1 });
    },
    redeliver: (updateId) => core.webhook.redeliver(updateId),
    updatesSettled: () => core.webhook.idle(),
    errors: deps.errors,
  };
}
