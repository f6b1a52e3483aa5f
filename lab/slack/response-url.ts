import { SlackApiError } from './api-error.ts';
import { createArgs } from './args.ts';
import type { Core } from './core.ts';
import { secret } from './ids.ts';
import type { Json } from './json.ts';
import { hasContent, readContent } from './message-args.ts';
import type { Message, ResponseHook } from './model.ts';
import { APP_ID, BOT_USER, TEAM } from './seed.ts';
import { changeMessage, deleteMessage, postMessage } from './workspace.ts';

/** Response URLs: five uses within thirty minutes, no token needed. */

const MAX_USES = 5;

export function issueResponseUrl(
  core: Core,
  kind: 'commands' | 'actions' | 'app',
  where: Pick<ResponseHook, 'user' | 'channel' | 'thread_ts' | 'source'>,
): string {
  for (const hook of core.state.hooks.values()) if (hook.expires_at < core.now() - 60 * 60_000) core.state.hooks.remove(hook.id);
  const hook: ResponseHook = { ...where, id: secret(18), uses: 0, expires_at: core.now() + core.timing.responseUrl };
  core.state.hooks.put(hook);
  return `${core.baseUrl}/${kind}/${TEAM.id}/${APP_ID}/${hook.id}`;
}

/** Answers a POST to a response URL. */
export function respond(core: Core, hookId: string, body: Json): { status: number; body: Json | string } {
  const hook = core.state.hooks.get(hookId);
  if (!hook) return { status: 404, body: { ok: false, error: 'invalid_url' } };
  if (hook.expires_at < core.now()) return { status: 404, body: { ok: false, error: 'expired_url' } };
  if (hook.uses >= MAX_USES) return { status: 404, body: { ok: false, error: 'used_url' } };
  try {
    show(core, hook, body);
  } catch (error) {
    if (!(error instanceof SlackApiError)) throw error;
    return {
      status: 400,
      body: {
        ok: false,
        error: error.code,
        ...(error.messages.length > 0 ? { response_metadata: { messages: error.messages } } : {}),
      },
    };
  }
  core.state.hooks.put({ ...hook, uses: hook.uses + 1 });
  return { status: 200, body: 'ok' };
}

/**
 * Shows what an app answers to a command or an interaction, from a response URL or from the body of an acknowledgement: an
 * ephemeral message unless it says `in_channel`, or a change of the message that was acted on.
 */
export function show(core: Core, hook: Pick<ResponseHook, 'user' | 'channel' | 'thread_ts' | 'source'>, body: Json): void {
  const args = createArgs(body);
  const source = hook.source && sourceOf(core, hook.channel, hook.source);
  if (args.flag('delete_original')) {
    if (!source) throw new SlackApiError('message_not_found');
    deleteMessage(core, source);
    return;
  }
  const { markdown_text: _unsupported, ...known } = body;
  const content = readContent(core, createArgs(known), { sizeCap: false });
  if (!hasContent(content)) throw new SlackApiError('no_text');
  const shown = { text: content.text ?? '', blocks: content.blocks ?? [], attachments: content.attachments ?? [] };
  if (args.flag('replace_original')) {
    if (!source) throw new SlackApiError('message_not_found');
    changeMessage(core, source, { ...shown, stream: undefined });
    return;
  }
  const threadTs = args.ts('thread_ts', 'invalid_thread_ts');
  postMessage(core, {
    channel: hook.channel,
    user: BOT_USER,
    ...shown,
    thread_ts: threadTs ?? (source?.visible_to ? hook.thread_ts : undefined),
    visible_to: args.text('response_type') === 'in_channel' ? undefined : hook.user,
  });
}

function sourceOf(core: Core, channel: string, source: { ts: string; ephemeral: boolean }): Message | undefined {
  return source.ephemeral ? core.state.ephemeral(channel, source.ts) : core.state.message(channel, source.ts);
}
