import type { FastifyInstance, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { createPageEvents } from './page-events.ts';
import { errorAnswer, type Refusal, refusedStatus, refuseForeignSites, resumePoint, sendFile } from './page-guard.ts';
import type { PersonKey } from './page-person.ts';
import { Refused } from './refused.ts';
import type { TelegramEmulator } from './telegram/emulator.ts';
import * as groups from './telegram/groups.ts';
import { commandsFor } from './telegram/methods-commands.ts';
import type { Message, User } from './telegram/model.ts';
import * as people from './telegram/people.ts';
import { answerTo, press, stopDraft } from './telegram/presses.ts';
import { telegramActions as actions, commandsQuery, telegramSettings, uploadQuery } from './telegram-page-actions.ts';
import type { TelegramPageEvent, TelegramSuggestion } from './telegram-page-api.ts';
import { pageMessage } from './telegram-page-messages.ts';
import { pageSettings, pageTopic, telegramEvents, telegramState } from './telegram-page-state.ts';

export interface TelegramLabHost {
  /** What the pane proposes to type first. Asked for every time the page loads. */
  suggestions?: () => TelegramSuggestion[] | Promise<TelegramSuggestion[]>;
}

/** As large as Telegram lets bots send; the emulator refuses what is larger than a person may send. */
const MAX_UPLOAD = 50 * 1024 * 1024;

/**
 * The API of the Telegram pane as a Fastify plugin (routes `/lab/telegram/api/*`, documented in telegram-page-api.ts). The host decides
 * who can reach it: it lets anyone act as anybody. Requests that a browser sends on behalf of another site are refused.
 */
export function telegramLabRoutes(
  telegram: TelegramEmulator,
  host: TelegramLabHost = {},
): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    const { core } = telegram;
    const events = createPageEvents<TelegramPageEvent>((push) =>
      core.state.subscribe((change) => telegramEvents(telegram, change).forEach(push)),
    );
    server.addHook('preClose', async () => events.close());
    server.addHook('onRequest', async (request) => refuseForeignSites(request));
    server.setErrorHandler(errorAnswer(refusalOf));

    const told = (message: Message) => ({ message: pageMessage(core, message) });
    const action = <T extends z.ZodType<{ as: PersonKey }>>(
      path: string,
      body: T,
      run: (user: User, given: z.infer<T>) => unknown,
    ) =>
      server.post(`/lab/telegram/api/${path}`, async (request) => {
        const given = body.parse(request.body);
        return (await run(personOf(telegram, given.as), given)) ?? {};
      });

    server.get('/lab/telegram/api/state', async () => {
      const suggestions = (await host.suggestions?.()) ?? [];
      return telegramState(telegram, events.version(), suggestions);
    });
    server.get('/lab/telegram/api/events', async (request, reply) => {
      reply.hijack();
      events.stream(reply.raw, resumePoint(request));
    });
    server.get('/lab/telegram/api/commands', async (request) => {
      const { as, chat } = commandsQuery.parse(request.query);
      const user = personOf(telegram, as);
      const commands = commandsFor(core, people.chatFor(core, user, chat), user.id);
      return { commands: commands.map(({ command, description }) => ({ command, description })) };
    });

    action('messages', actions.say, (user, given) => told(people.say(core, user, given)));
    action('messages/edit', actions.edit, (user, given) => told(people.edit(core, user, given)));
    action('messages/delete', actions.message, (user, given) => people.remove(core, user, given));
    action('reactions', actions.react, (user, { chat, id, emoji }) =>
      people.react(core, user, { chat, id, emoji: emoji ?? undefined }),
    );
    action('press', actions.press, (user, given) => answerTo(core, press(core, user, given)));
    action('start', actions.start, (user, { payload }) => told(people.start(core, user, payload)));
    action('block', actions.block, (user, { on }) => (on ? people.block(core, user) : people.unblock(core, user)));
    action('drafts/stop', actions.stopDraft, (user, { draft_id }) => stopDraft(core, user, draft_id));
    action('topics', actions.topic, (user, given) => ({ topic: pageTopic(groups.makeTopic(core, user, given)) }));
    action('bot', actions.bot, (user, { chat, on }) => (on ? groups.addBot(core, user, chat) : groups.kickBot(core, user, chat)));
    action('migrate', actions.chat, (user, { chat }) => ({ chat: groups.migrate(core, user, chat).id }));

    server.post('/lab/telegram/api/settings', async (request) => {
      const given = telegramSettings.parse(request.body);
      if (given.rate_limiting !== undefined) telegram.controls.rateLimiting(given.rate_limiting);
      if (given.privacy_mode !== undefined) telegram.controls.privacyMode(given.privacy_mode);
      if (given.latency_ms !== undefined) telegram.controls.latency(given.latency_ms);
      return { settings: pageSettings(telegram) };
    });
    server.post('/lab/telegram/api/reset', async () => {
      telegram.reset();
      return {};
    });

    server.get<{ Params: { id: string } }>('/lab/telegram/api/files/:id/:name', async (request, reply) => {
      const file = core.state.files.get(request.params.id);
      const content = file && core.state.readContent(file.id);
      if (!file || !content) throw new Refused('file_not_found', 'That file is not there any more.');
      const isText = file.mime_type.startsWith('text/') || file.mime_type === 'application/json';
      return sendFile(request, reply, { name: file.name, type: file.mime_type, isText, content });
    });
    await server.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser(
        '*',
        { parseAs: 'buffer', bodyLimit: MAX_UPLOAD },
        async (_request: FastifyRequest, body: Buffer) => body,
      );
      scope.post('/lab/telegram/api/files', async (request) => {
        const { as, ...given } = uploadQuery.parse(request.query);
        const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        return told(groups.sendFile(core, personOf(telegram, as), { ...given, content }));
      });
    });
  };
}

function refusalOf(error: Error): Refusal | undefined {
  if (!(error instanceof Refused)) return undefined;
  return { status: refusedStatus(error.code), code: error.code, message: error.message };
}

function personOf({ core }: TelegramEmulator, key: PersonKey): User {
  const user = [...core.state.users.values()].find(({ name, is_bot }) => name === key && !is_bot);
  if (user === undefined) throw new Refused('unknown_person', `There is no person ${key}.`);
  return user;
}
