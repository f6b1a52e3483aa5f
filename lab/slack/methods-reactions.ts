import { SlackApiError } from './api-error.ts';
import type { Args } from './args.ts';
import type { Core } from './core.ts';
import type { Json } from './json.ts';
import { channelById, type Method, type MethodCall } from './method.ts';
import type { Message } from './model.ts';
import { wireMessage } from './payloads.ts';
import { BOT_USER } from './seed.ts';
import { react } from './workspace.ts';

/** `reactions.*` */

const MAX_DIFFERENT = 23;

export const reactionMethods: Record<string, Method> = {
  'reactions.add': { tier: 't3', scopes: ['reactions:write'], token: 'bot', handle: add },
  'reactions.remove': { tier: 't2', scopes: ['reactions:write'], token: 'bot', handle: remove },
  'reactions.get': { tier: 't3', scopes: ['reactions:read'], token: 'bot', handle: get },
};

function add({ core, args }: MethodCall): Json {
  const name = nameOf(args);
  const message = target(core, args);
  const isNew = !message.reactions.some((entry) => entry.name === name);
  if (isNew && message.reactions.length >= MAX_DIFFERENT) throw new SlackApiError('too_many_emoji');
  if (!react(core, message, BOT_USER, name, 'add')) throw new SlackApiError('already_reacted');
  return { ok: true };
}

function remove({ core, args }: MethodCall): Json {
  const name = nameOf(args);
  if (!react(core, target(core, args), BOT_USER, name, 'remove')) throw new SlackApiError('no_reaction');
  return { ok: true };
}

function get({ core, args }: MethodCall): Json {
  const message = target(core, args);
  return { ok: true, type: 'message', channel: message.channel, message: wireMessage(core, message) };
}

function nameOf(args: Args): string {
  const name = args.required('name').replaceAll(':', '');
  if (!/^[a-z0-9_+'-]+$/.test(name)) throw new SlackApiError('invalid_name');
  return name;
}

function target(core: Core, args: Args): Message {
  if (!args.has('channel') || !args.has('timestamp')) throw new SlackApiError('no_item_specified');
  const channel = channelById(core, args.required('channel'));
  const ts = args.ts('timestamp', 'bad_timestamp') ?? '';
  if (!channel.members.includes(BOT_USER)) throw new SlackApiError('not_in_channel');
  const message = core.state.message(channel.id, ts);
  if (!message || message.subtype === 'tombstone') throw new SlackApiError('message_not_found');
  return message;
}
