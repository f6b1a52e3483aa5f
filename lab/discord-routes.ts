import type { FastifyInstance, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { closeModal } from './discord/callbacks.ts';
import { NotAnswered } from './discord/core.ts';
import type { DiscordEmulator } from './discord/emulator.ts';
import { autocomplete, messageCommand, modalOf, press, slashCommand } from './discord/interactions.ts';
import { submitModal } from './discord/modal-submit.ts';
import type { User } from './discord/model.ts';
import * as people from './discord/people.ts';
import { MAX_FILE } from './discord/request-body.ts';
import { discordActions as actions, discordUpload } from './discord-page-actions.ts';
import type { DiscordChoice, DiscordEvent, DiscordSuggestion } from './discord-page-api.ts';
import {
  discordChannel,
  discordEvents,
  discordFile,
  discordMessage,
  discordSettings,
  discordState,
} from './discord-page-state.ts';
import { createPageEvents } from './page-events.ts';
import { errorAnswer, type Refusal, refusedStatus, refuseForeignSites, resumePoint, sendFile } from './page-guard.ts';
import { Refused } from './refused.ts';

export interface DiscordLabHost {
  /** What the pane proposes to type first. Asked for every time the pane loads. */
  suggestions?: () => DiscordSuggestion[] | Promise<DiscordSuggestion[]>;
}

const BASE = '/lab/discord/api';

/**
 * The API of the Discord pane as a Fastify plugin (documented in discord-page-api.ts). The host decides who can reach it: it lets anyone
 * act as anybody. Requests that a browser sends on behalf of another site are refused.
 */
export function discordLabRoutes(
  discord: DiscordEmulator,
  host: DiscordLabHost = {},
): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    const { core } = discord;
    const events = createPageEvents<DiscordEvent>((push) =>
      core.state.subscribe((change) => discordEvents(discord, change).forEach(push)),
    );
    server.addHook('preClose', async () => events.close());
    server.setErrorHandler(errorAnswer(refusalOf));
    server.addHook('onRequest', async (request) => refuseForeignSites(request));

    const action = <T extends z.ZodType<{ as: string }>>(
      path: string,
      body: T,
      run: (user: User, given: z.infer<T>) => unknown,
    ) =>
      server.post(`${BASE}/${path}`, async (request) => {
        const given = body.parse(request.body);
        return (await run(people.personById(core, given.as), given)) ?? {};
      });
    const place = (user: User, id: string) => people.channelFor(core, user, id);

    server.get(`${BASE}/state`, async () => {
      const suggestions = (await host.suggestions?.()) ?? [];
      return discordState(discord, events.version(), suggestions);
    });
    server.get(`${BASE}/events`, async (request, reply) => {
      const after = resumePoint(request);
      reply.hijack();
      events.stream(reply.raw, after);
    });

    action('messages', actions.post, (user, given) => ({ message: discordMessage(discord, people.say(core, user, given)) }));
    action('messages/edit', actions.edit, (user, given) => ({
      message: discordMessage(discord, people.edit(core, user, given)),
    }));
    action('messages/delete', actions.delete, (user, { id }) => people.remove(core, user, id));
    action('reactions', actions.react, (user, given) => people.reactAs(core, user, given));
    action('threads', actions.thread, (user, given) => {
      return { channel: discordChannel(discord, people.startThread(core, user, given)) };
    });
    action('threads/set', actions.setThread, (user, { id, archived, locked }) => {
      const change = { ...(archived === undefined ? {} : { archived }), ...(locked === undefined ? {} : { locked }) };
      return { channel: discordChannel(discord, people.setThread(core, user, id, change)) };
    });
    action('dms', actions.dms, (user, { open }) => people.setDms(core, user, open));
    action('commands', actions.command, (user, { channel, path, options }) =>
      slashCommand(core, user, place(user, channel), { path, options }),
    );
    action('autocomplete', actions.autocomplete, async (user, { channel, path, options, focused }) => {
      const found = await autocomplete(core, user, place(user, channel), { path, options, focused });
      const choices = found.map(({ name, value }): DiscordChoice => {
        return { name: String(name), value: typeof value === 'number' ? value : String(value) };
      });
      return { choices };
    });
    action('message-commands', actions.messageCommand, (user, { id, name }) =>
      messageCommand(core, user, name, people.visibleMessage(core, user, id)),
    );
    action('press', actions.press, (user, { id, ...given }) => press(core, user, people.visibleMessage(core, user, id), given));
    action('modals/submit', actions.submit, (user, { id, values }) => submitModal(core, user, modalOf(core, user, id), values));
    action('modals/close', actions.close, (user, { id }) => closeModal(core, modalOf(core, user, id)));

    server.post(`${BASE}/settings`, async (request) => {
      const given = actions.settings.parse(request.body);
      if (given.rate_limiting !== undefined) discord.controls.rateLimiting(given.rate_limiting);
      if (given.latency_ms !== undefined) discord.controls.latency(given.latency_ms);
      return { settings: discordSettings(discord) };
    });
    server.post(`${BASE}/reset`, async () => {
      discord.reset();
      return {};
    });

    server.get<{ Params: { id: string } }>(`${BASE}/files/:id/:name`, async (request, reply) => {
      const file = core.state.files.get(request.params.id);
      const content = file && core.state.readContent(file.id);
      if (!file || !content) throw new Refused('file_not_found', 'That file is not there any more.');
      const { filename: name, content_type: type } = file;
      return sendFile(request, reply, { name, type, isText: type.startsWith('text/'), content });
    });
    await server.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      // More than Discord takes, so that a file a little too large is refused with the sentence of its client.
      const limit = { parseAs: 'buffer' as const, bodyLimit: 2 * MAX_FILE };
      scope.addContentTypeParser('*', limit, async (_request: FastifyRequest, body: Buffer) => body);
      scope.post(`${BASE}/files`, async (request) => {
        const { as, name } = discordUpload.parse(request.query);
        const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        return { file: discordFile(discord, people.upload(core, people.personById(core, as), { name, content })) };
      });
    });
  };
}

function refusalOf(error: Error): Refusal | undefined {
  if (error instanceof Refused) return { status: refusedStatus(error.code), code: error.code, message: error.message };
  if (error instanceof NotAnswered) return { status: 424, code: 'not_answered', message: error.told };
  return undefined;
}
