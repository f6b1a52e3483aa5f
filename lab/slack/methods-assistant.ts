import { invalidArguments, SlackApiError } from './api-error.ts';
import type { Core } from './core.ts';
import { isRecord, type Json } from './json.ts';
import { channelById, type Method, type MethodCall } from './method.ts';
import { BOT_USER } from './seed.ts';
import { endStatus } from './workspace.ts';

/** `assistant.threads.*`: the status line below a thread, and the agent surface where the manifest has one. */

export const assistantMethods: Record<string, Method> = {
  'assistant.threads.setStatus': { tier: 'special', scopes: ['chat:write'], token: 'bot', handle: setStatus },
  'assistant.threads.setSuggestedPrompts': { tier: 't4', scopes: ['assistant:write'], token: 'bot', handle: setPrompts },
  'assistant.threads.setTitle': { tier: 't4', scopes: ['assistant:write'], token: 'bot', handle: setTitle },
};

const STATUS_LIFETIME_MS = 2 * 60_000;

function setStatus({ core, args }: MethodCall): Json {
  const { channel, thread_ts } = thread(core, args.required('channel_id'), args.required('thread_ts'));
  const status = args.text('status');
  if (status === undefined) throw invalidArguments('missing required field: status');
  const loading = args.list('loading_messages');
  if (loading.length > 10) throw invalidArguments('no more than 10 items allowed [json-pointer:/loading_messages]');
  const record = { channel, thread_ts, status, loading_messages: loading };
  const key = `${channel}/${thread_ts}`;
  if (status === '') core.state.statuses.delete(key);
  else core.state.statuses.set(key, record);
  core.state.emit({ type: 'status', status: record });
  if (status !== '') {
    setTimeout(() => {
      if (core.state.statuses.get(key) === record) endStatus(core, channel, thread_ts);
    }, STATUS_LIFETIME_MS).unref();
  }
  return { ok: true };
}

function setPrompts({ core, args }: MethodCall): Json {
  requireAgentApp(core);
  channelById(core, args.required('channel_id'));
  const prompts = args.json('prompts', 'invalid_arguments');
  const isValid = (prompt: unknown) => isRecord(prompt) && typeof prompt.title === 'string' && typeof prompt.message === 'string';
  if (!Array.isArray(prompts) || prompts.length === 0 || prompts.length > 4 || !prompts.every(isValid)) {
    throw invalidArguments('must provide 1 to 4 prompts with title and message [json-pointer:/prompts]');
  }
  return { ok: true };
}

function setTitle({ core, args }: MethodCall): Json {
  requireAgentApp(core);
  thread(core, args.required('channel_id'), args.required('thread_ts'));
  args.required('title');
  return { ok: true };
}

function requireAgentApp(core: Core): void {
  const { agent_view: agent, assistant_view: assistant } = core.manifest.features;
  if (!agent && !assistant) throw new SlackApiError('not_agent_app');
}

function thread(core: Core, channelId: string, ts: string): { channel: string; thread_ts: string } {
  const channel = channelById(core, channelId);
  if (!channel.members.includes(BOT_USER)) throw new SlackApiError('channel_not_found');
  if (!core.state.message(channel.id, ts)) throw new SlackApiError('invalid_thread_ts');
  return { channel: channel.id, thread_ts: ts };
}
