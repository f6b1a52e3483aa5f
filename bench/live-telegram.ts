import { createTelegramEmulator } from '../lab/telegram/emulator.ts';
import { keptCalls } from './chat.ts';
import type { OpenPlatform, PlatformCall } from './live-platform.ts';

/** Groups where the bot is a plain member with privacy mode on: it hears its commands and nothing else. */
export const openTelegram: OpenPlatform = async (site) => {
  const telegram = await createTelegramEmulator({ keepCalls: keptCalls });
  site.onEnd(() => telegram.close());
  const { controls } = telegram;
  const methods = { send: 'sendMessage', edit: 'editMessageText' };
  const ada = telegram.person('ada');
  const tenant = String(telegram.botId);
  // Edits are not mentioned in the published limits; counted with messages is the stricter reading.
  const isMessage = ({ method }: PlatformCall) => /^(send(?!ChatAction|.*Draft)|editMessage)/.test(method);
  const chatOf = (call: PlatformCall) => (isMessage(call) ? call.channel : undefined);
  return {
    platform: 'telegram',
    variables: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.apiRoot,
      DECKHAND_OWNERS: `telegram:${ada.id}`,
    },
    addPlaces: (count) =>
      Array.from({ length: count }, (_, at) => {
        const name = `team-${at + 1}`;
        const { id } = controls.addGroup({ name, kind: 'supergroup', bot: { status: 'member' } });
        return { platform: 'telegram', tenant, channel: String(id), name };
      }),
    isReady: () => true,
    acknowledges: false,
    async command(place, line) {
      ada.say(Number(place.channel), `/${line}`);
    },
    calls: () => telegram.calls,
    methods,
    // WORD JOINER keeps clients from finding links, and is not seen.
    textOf: ({ args }) => String(args.text).replaceAll('\u2060', ''),
    overLimit: () => telegram.overLimit(),
    limits: [
      { name: 'messages and edits in a second', windowMs: 1000, atMost: 30, scopeOf: (call) => chatOf(call) && 'all' },
      { name: 'messages and edits in a second in a chat', windowMs: 1000, atMost: 1, scopeOf: chatOf },
      {
        name: 'messages and edits in a minute in a group',
        windowMs: 60_000,
        atMost: 20,
        scopeOf: (call) => (call.channel?.startsWith('-') === true ? chatOf(call) : undefined),
      },
    ],
    enforce(refuses, retryAfter) {
      controls.rateLimiting(true);
      for (const method of Object.values(methods))
        controls.failNext(method, { status: 429, retryAfter, times: Number.POSITIVE_INFINITY, when: refuses });
    },
    refusalScope: ({ channel = '' }) => channel,
    errors: () => controls.errors,
  };
};
