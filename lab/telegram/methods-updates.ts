import { compact, type Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import type { Args } from './args.ts';
import type { Core } from './core.ts';
import { answering, type Method, type MethodCall, type MethodResult } from './method.ts';
import type { Webhook } from './model.ts';

const MAX_TIMEOUT_S = 50;
const KINDS = new Set([
  'message',
  'edited_message',
  'channel_post',
  'edited_channel_post',
  'business_connection',
  'business_message',
  'edited_business_message',
  'deleted_business_messages',
  'guest_message',
  'message_reaction',
  'message_reaction_count',
  'inline_query',
  'chosen_inline_result',
  'callback_query',
  'shipping_query',
  'pre_checkout_query',
  'purchased_paid_media',
  'poll',
  'poll_answer',
  'my_chat_member',
  'chat_member',
  'chat_join_request',
  'chat_boost',
  'removed_chat_boost',
  'managed_bot',
  'stopped_message_generation',
]);

/** Keeps `allowed_updates` when it is given; it stays until it is given again. Unknown names are passed over, as on the server. */
function rememberAllowed(core: Core, args: Args): void {
  const given = args.json('allowed_updates', 'allowed updates');
  if (!Array.isArray(given)) return;
  const allowed_updates = given.filter((kind): kind is string => typeof kind === 'string' && KINDS.has(kind));
  core.state.putProfile({ ...core.state.profile(), allowed_updates });
}

async function getUpdates({ core, args, signal }: MethodCall): Promise<MethodResult> {
  if (!core.state.profile().webhook) rememberAllowed(core, args);
  const poll = {
    offset: args.integer('offset', 0),
    limit: args.integer('limit', 100, { min: 1, max: 100 }),
    timeoutMs: args.integer('timeout', 0, { min: 0, max: MAX_TIMEOUT_S }) * 1000,
  };
  return { result: await core.updates.poll(poll, signal) };
}

function webhookOf(args: Args, url: string): Webhook {
  checkAddress(url);
  const secret = args.text('secret_token');
  if (secret.length > 256) throw badRequest('secret token is too long');
  if (!/^[A-Za-z0-9_-]*$/.test(secret)) throw badRequest('secret token contains unallowed characters');
  return {
    url,
    secret_token: secret === '' ? undefined : secret,
    max_connections: args.integer('max_connections', 40, { min: 1, max: 100 }),
    ip_address: args.has('ip_address') ? args.text('ip_address') : undefined,
  };
}

/** HTTPS on one of four ports. On this machine plain HTTP on any port will do, as a self-hosted server allows in its local mode. */
function checkAddress(value: string): void {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw badRequest('bad webhook: invalid webhook URL specified');
  }
  if (['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) return;
  if (url.protocol !== 'https:') throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
  if (!['', '443', '80', '88', '8443'].includes(url.port)) {
    throw badRequest('bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443');
  }
}

function setWebhook({ core, args }: MethodCall): MethodResult {
  const url = args.text('url').trim();
  if (url === '') return removeWebhook({ core, args });
  const webhook = webhookOf(args, url);
  const before = core.state.profile().webhook;
  rememberAllowed(core, args);
  if (args.flag('drop_pending_updates')) core.updates.dropAll();
  core.state.putProfile({ ...core.state.profile(), webhook });
  core.updates.endPoll('terminated by setWebhook request');
  core.state.emit({ type: 'bot' });
  core.webhook.kick();
  const { last_error_date: _date, last_error_message: _message, ...same } = before ?? webhook;
  const isSame = before !== undefined && JSON.stringify(same) === JSON.stringify(webhook);
  return { result: true, description: isSame ? 'Webhook is already set' : 'Webhook was set' };
}

function removeWebhook({ core, args }: Pick<MethodCall, 'core' | 'args'>): MethodResult {
  const { webhook, ...profile } = core.state.profile();
  if (args.flag('drop_pending_updates')) core.updates.dropAll();
  core.state.putProfile(profile);
  core.state.emit({ type: 'bot' });
  core.webhook.kick();
  return { result: true, description: webhook ? 'Webhook was deleted' : 'Webhook is already deleted' };
}

function getWebhookInfo({ core }: MethodCall): Json {
  const { webhook, allowed_updates } = core.state.profile();
  return compact({
    url: webhook?.url ?? '',
    has_custom_certificate: false,
    pending_update_count: core.updates.pending().length,
    ip_address: webhook && (webhook.ip_address ?? '127.0.0.1'),
    last_error_date: webhook?.last_error_date,
    last_error_message: webhook?.last_error_message,
    max_connections: webhook?.max_connections,
    allowed_updates: allowed_updates.length > 0 ? allowed_updates : undefined,
  });
}

export const updateMethods: Record<string, Method> = {
  getUpdates,
  setWebhook,
  deleteWebhook: removeWebhook,
  getWebhookInfo: answering(getWebhookInfo),
};
