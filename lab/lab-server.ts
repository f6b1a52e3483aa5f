import type { FastifyInstance, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { actions, completeQuery, uploadQuery } from './page-actions.ts';
import type { LabCompletion, LabEvent, LabOptions, LabSuggestion } from './page-api.ts';
import { createPageEvents } from './page-events.ts';
import { errorAnswer, type Refusal, refusedStatus, refuseForeignSites, resumePoint, sendFile } from './page-guard.ts';
import { labEvents, labFile, labMessage, labSettings, labState } from './page-state.ts';
import { Refused } from './refused.ts';
import { NotAnswered } from './slack/core.ts';
import type { SlackEmulator } from './slack/emulator.ts';
import { type Place, press, shortcut, slashCommand, suggestOptions } from './slack/interactions.ts';
import { isRecord, type Json } from './slack/json.ts';
import type { User } from './slack/model.ts';
import * as people from './slack/people.ts';
import { closeView, submitView } from './slack/view-interactions.ts';

export interface LabOptionsOfHost {
  /** Completions for the text after a slash command; `value` replaces the whole text. Default: none. */
  complete?: (input: {
    command: string;
    text: string;
    user: string;
    channel: string;
  }) => LabCompletion[] | Promise<LabCompletion[]>;
  /** What the page proposes to type first. Asked for every time the page loads. */
  suggestions?: () => LabSuggestion[] | Promise<LabSuggestion[]>;
}

const MAX_UPLOAD = 50 * 1024 * 1024;

/**
 * The lab's API as a Fastify plugin (routes `/lab/api/*`, documented in page-api.ts). The host decides who can reach it: it lets
 * anyone act as anybody. Requests that a browser sends on behalf of another site are refused.
 */
export function labRoutes(slack: SlackEmulator, host: LabOptionsOfHost = {}): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    const { core } = slack;
    const events = createPageEvents<LabEvent>((push) => core.state.subscribe((change) => labEvents(slack, change).forEach(push)));
    server.addHook('preClose', async () => events.close());
    server.setErrorHandler(errorAnswer(refusalOf));
    server.addHook('onRequest', async (request) => refuseForeignSites(request));

    const action = <T extends z.ZodType<{ as: string }>>(
      path: string,
      body: T,
      run: (user: User, given: z.infer<T>) => unknown,
    ) =>
      server.post(`/lab/api/${path}`, async (request) => {
        const given = body.parse(request.body);
        return (await run(people.personById(core, given.as), given)) ?? {};
      });

    const placeOf = (user: User, where: z.infer<typeof actions.press>['in']): Place => {
      if ('view_id' in where) return { view: viewOf(user, where.view_id) };
      return { message: people.visibleMessage(core, user, where.channel, where.ts) };
    };
    const viewOf = (user: User, id: string) => {
      const view = core.state.views.get(id);
      if (view?.user !== user.id) throw new Refused('view_not_found', 'That form is not open any more.');
      return view;
    };

    server.get('/lab/api/state', async (request, reply) => {
      const tag = `"${events.version()}"`;
      if (request.headers['if-none-match'] === tag) return await reply.code(304).send();
      reply.header('etag', tag);
      const suggestions = (await host.suggestions?.()) ?? [];
      return labState(slack, events.version(), suggestions);
    });
    server.get('/lab/api/events', async (request, reply) => {
      reply.hijack();
      events.stream(reply.raw, resumePoint(request));
    });
    server.get('/lab/api/complete', async (request) => {
      const { as, ...input } = completeQuery.parse(request.query);
      const completions = (await host.complete?.({ ...input, user: people.personById(core, as).id })) ?? [];
      return { completions };
    });

    action('messages', actions.post, (user, given) => ({ message: labMessage(slack, people.say(core, user, given)) }));
    action('messages/edit', actions.edit, (user, given) => ({ message: labMessage(slack, people.edit(core, user, given)) }));
    action('messages/delete', actions.delete, (user, given) => people.remove(core, user, given));
    action('reactions', actions.react, (user, given) => people.reactAs(core, user, given));
    action('home', actions.home, (user, { tab }) => people.openHome(core, user, tab));
    action('channels/invite', actions.invite, (user, { channel }) => people.inviteBot(core, user, channel));
    action('channels/kick', actions.invite, (user, { channel }) => people.kickBot(core, user, channel));
    action('commands', actions.command, (user, given) =>
      slashCommand(core, user, people.channelFor(core, user, given.channel), given),
    );
    action('press', actions.press, (user, given) => press(core, user, placeOf(user, given.in), given));
    action('options', actions.options, async (user, given): Promise<LabOptions> => {
      return { options: (await suggestOptions(core, user, placeOf(user, given.in), given)).map(optionOf) };
    });
    action('views/submit', actions.submit, (user, given) => submitView(core, user, viewOf(user, given.view_id), given.values));
    action('views/close', actions.close, (user, given) => closeView(core, user, viewOf(user, given.view_id), given.all ?? false));
    action('shortcuts', actions.shortcut, (user, { callback_id, channel, ts }) => {
      const message = channel !== undefined && ts !== undefined ? people.visibleMessage(core, user, channel, ts) : undefined;
      return shortcut(core, user, callback_id, message);
    });

    server.post('/lab/api/settings', async (request) => {
      const given = actions.settings.parse(request.body);
      if (given.delivery === 'http' && core.settings.requestUrl === undefined) {
        throw new Refused('invalid_input', 'HTTP delivery is not set up: the app has no request URL.');
      }
      if (given.delivery !== undefined) slack.controls.delivery(given.delivery);
      if (given.rate_limiting !== undefined) slack.controls.rateLimiting(given.rate_limiting);
      if (given.mention_order !== undefined) slack.controls.mentionOrder(given.mention_order);
      if (given.latency_ms !== undefined) slack.controls.latency(given.latency_ms);
      return { settings: labSettings(slack) };
    });
    server.post('/lab/api/reset', async () => {
      slack.reset();
      return {};
    });

    server.get<{ Params: { id: string } }>('/lab/api/files/:id/:name', async (request, reply) => {
      const file = core.state.files.get(request.params.id);
      const content = file && core.state.readContent(file.id);
      if (!file || !content) throw new Refused('file_not_found', 'That file is not there any more.');
      const isText = file.mode === 'snippet' || file.mimetype.startsWith('text/');
      return sendFile(request, reply, { name: file.name, type: file.mimetype, isText, content });
    });
    await server.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser(
        '*',
        { parseAs: 'buffer', bodyLimit: MAX_UPLOAD },
        async (_request: FastifyRequest, body: Buffer) => body,
      );
      scope.post('/lab/api/files', async (request) => {
        const { as, name } = uploadQuery.parse(request.query);
        const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        return { file: labFile(people.upload(core, people.personById(core, as), { name, content })) };
      });
    });
  };
}

function optionOf(option: Json): LabOptions['options'][number] {
  const textOf = (value: unknown) => (isRecord(value) && typeof value.text === 'string' ? value.text : undefined);
  return { text: textOf(option.text) ?? '', value: String(option.value ?? ''), description: textOf(option.description) };
}

function refusalOf(error: Error): Refusal | undefined {
  if (error instanceof Refused) return { status: refusedStatus(error.code), code: error.code, message: error.message };
  if (error instanceof NotAnswered) return { status: 424, code: error.code, message: error.told };
  return undefined;
}
