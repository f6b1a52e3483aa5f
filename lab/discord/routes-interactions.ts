import { apiError } from './api-error.ts';
import { callbackResponse, contextOf, postAnswer, respond } from './callbacks.ts';
import { FLAGS, has } from './flags.ts';
import { messageFields } from './message-body.ts';
import { changeMessage, deleteMessage } from './messages.ts';
import type { Interaction, Message } from './model.ts';
import { BUCKETS } from './rate-limits.ts';
import { type Answer, bodyOf, noContent, ok, type Route, type RouteCall } from './route.ts';
import { APPLICATION_ID } from './seed.ts';
import { wireMessage } from './wire.ts';

/** Interaction callbacks, and the messages one may write with the token of an interaction for a quarter of an hour. */

function callback(call: RouteCall): Answer {
  const { core, params } = call;
  const interaction = core.state.interactions.get(params.interaction ?? '');
  if (!interaction || interaction.token !== params.token) throw apiError('unknownInteraction');
  const message = respond(core, interaction, call.body);
  if (call.query.get('with_response') !== 'true') return noContent;
  return ok(callbackResponse(core, interaction, Number(bodyOf(call).type), message));
}

/** The interaction of a token: 10015 before its first answer and for other applications, 50027 once the token is too old. */
function interactionOf({ core, params }: RouteCall): Interaction {
  if (params.webhook !== APPLICATION_ID) throw apiError('unknownWebhook');
  const interaction = core.state.interactions.values().find((entry) => entry.token === params.token);
  if (!interaction) throw apiError('invalidWebhookToken');
  if (core.now() - interaction.created_at > core.timing.token) throw apiError('invalidWebhookToken');
  if (interaction.state !== 'answered' || interaction.type === 4) throw apiError('unknownWebhook');
  return interaction;
}

/** `@original`, or a message that this interaction wrote. */
function messageOf(call: RouteCall, interaction: Interaction): Message {
  const id = call.params.message ?? interaction.original ?? '';
  const message = call.core.state.message(id);
  const isOwn = message?.interaction?.id === interaction.id || id === interaction.original;
  if (!message || !isOwn) throw apiError('unknownMessage');
  return message;
}

/** The first follow-up after a deferred message fills that message, whose visibility stays as it was. */
function followUp(call: RouteCall): Answer {
  const { core } = call;
  const interaction = interactionOf(call);
  if (interaction.loading) return edit(call, interaction);
  const fields = messageFields(contextOf(core, interaction), call.body);
  return ok(wireMessage(core, postAnswer(core, interaction, fields, interaction.original)));
}

function edit(call: RouteCall, interaction: Interaction): Answer {
  const { core } = call;
  const message = messageOf(call, interaction);
  const isLoading = has(message.flags, FLAGS.LOADING);
  const fields = messageFields({ ...contextOf(core, interaction), previous: message }, call.body);
  const next = changeMessage(core, message, {
    ...fields,
    flags: fields.flags & ~FLAGS.LOADING,
    edited_at: isLoading ? undefined : core.now(),
  });
  if (message.id === interaction.original) core.state.interactions.put({ ...interaction, loading: false });
  return ok(wireMessage(core, next));
}

function remove(call: RouteCall): Answer {
  const interaction = interactionOf(call);
  const message = messageOf(call, interaction);
  deleteMessage(call.core, message);
  if (message.id === interaction.original) call.core.state.interactions.put({ ...interaction, loading: false });
  return noContent;
}

const webhook = '/webhooks/:webhook/:token';
const route = (method: string, verb: Route['verb'], path: string, handle: Route['handle']): Route => {
  return { method, verb, path, auth: 'token', bucket: BUCKETS.webhook, handle };
};
const read = (call: RouteCall) => ok(wireMessage(call.core, messageOf(call, interactionOf(call))));
const change = (call: RouteCall) => edit(call, interactionOf(call));

export const interactionRoutes: Route[] = [
  route('create_interaction_response', 'POST', '/interactions/:interaction/:token/callback', callback),
  route('execute_webhook', 'POST', webhook, followUp),
  route('get_original_webhook_message', 'GET', `${webhook}/messages/@original`, read),
  route('update_original_webhook_message', 'PATCH', `${webhook}/messages/@original`, change),
  route('delete_original_webhook_message', 'DELETE', `${webhook}/messages/@original`, remove),
  route('get_webhook_message', 'GET', `${webhook}/messages/:message`, read),
  route('update_webhook_message', 'PATCH', `${webhook}/messages/:message`, change),
  route('delete_webhook_message', 'DELETE', `${webhook}/messages/:message`, remove),
];
