import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { actions, completeQuery, uploadQuery } from './page-actions.ts';
import type { LabCompletion, LabError, LabOptions, LabSuggestion } from './page-api.ts';
import { createPageEvents } from './page-events.ts';
import { labFile, labMessage, labSettings, labState } from './page-state.ts';
import { NotAnswered, Refused } from './slack/core.ts';
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
/** What a browser may show in place; everything else is offered as a download, so that no file runs as a page of this origin. */
const INLINE = new Set(['image/png', 'image/jpeg', 'image/gif']);

/**
 * The lab's API as a Fastify plugin (routes `/lab/api/*`, documented in page-api.ts). The host decides who can reach it: it lets
 * anyone act as anybody. Requests that a browser sends on behalf of another site are refused.
 */
export function labRoutes(slack: SlackEmulator, host: LabOptionsOfHost = {}): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    const { core } = slack;
    const events = createPageEvents(slack);
    server.addHook('preClose', async () => events.close());
    server.setErrorHandler(answerError);
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

    server.get('/lab/api/state', async () => {
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

    server.get<{ Params: { id: string } }>('/lab/api/files/:id/:name', async (request, reply) =>
      sendFile(slack, request.params.id, request, reply),
    );
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

function resumePoint(request: FastifyRequest): number | undefined {
  const { after } = z.object({ after: z.coerce.number().optional() }).parse(request.query);
  const header = Number(request.headers['last-event-id']);
  return Number.isFinite(header) ? header : after;
}

function sendFile(slack: SlackEmulator, id: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const file = slack.core.state.files.get(id);
  const content = file && slack.core.state.readContent(file.id);
  if (!file || !content) throw new Refused('file_not_found', 'That file is not there any more.');
  const { download } = z.object({ download: z.string().optional() }).parse(request.query);
  const isText = file.mode === 'snippet' || file.mimetype.startsWith('text/');
  const type = INLINE.has(file.mimetype) ? file.mimetype : isText ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  const disposition = download !== undefined || type === 'application/octet-stream' ? 'attachment' : 'inline';
  return reply
    .header('content-type', type)
    .header('content-disposition', `${disposition}; filename*=UTF-8''${encodeURIComponent(file.name)}`)
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .send(content);
}

function optionOf(option: Json): LabOptions['options'][number] {
  const textOf = (value: unknown) => (isRecord(value) && typeof value.text === 'string' ? value.text : undefined);
  return { text: textOf(option.text) ?? '', value: String(option.value ?? ''), description: textOf(option.description) };
}

function refuseForeignSites(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new Refused('foreign_site', 'The lab only answers its own page.');
}

function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = (status: number, code: string, message: string) =>
    reply.code(status).send({ error: { code, message } } satisfies LabError);
  if (error instanceof Refused)
    return answer(error.code === 'foreign_site' ? 403 : error.code.endsWith('_not_found') ? 404 : 400, error.code, error.message);
  if (error instanceof NotAnswered) return answer(424, error.code, error.told);
  if (error instanceof z.ZodError) return answer(400, 'invalid_input', z.prettifyError(error));
  if (error.statusCode !== undefined && error.statusCode < 500) return answer(error.statusCode, 'invalid_input', error.message);
  request.log.error(error);
  return answer(500, 'internal_error', 'The lab failed to do that.');
}
