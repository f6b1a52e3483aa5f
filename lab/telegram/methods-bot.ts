import type { Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import { answering, type Method, type MethodCall } from './method.ts';
import type { CallbackAnswer } from './model.ts';
import { wireUser } from './wire.ts';

/** The bot itself, and its answers to presses. */

const MAX_ANSWER = 200;
const TOO_OLD = 'query is too old and response timeout expired or query ID is invalid';

function getMe({ core }: MethodCall): Json {
  return {
    ...wireUser(core.bot),
    can_join_groups: true,
    can_read_all_group_messages: !core.settings.privacyMode,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
  };
}

function answerCallbackQuery({ core, args }: MethodCall): true {
  const query = core.state.queries.get(args.text('callback_query_id'));
  const text = args.text('text');
  if (text.length > MAX_ANSWER) throw badRequest('MESSAGE_TOO_LONG');
  if (!query || query.answer || core.now() - query.at > core.timing.callback) throw badRequest(TOO_OLD);
  if (args.has('url')) throw badRequest('URL_INVALID');
  const shown: CallbackAnswer['shown'] = text === '' ? 'none' : args.flag('show_alert') ? 'alert' : 'toast';
  const answered = { ...query, answer: { shown, text } };
  core.state.queries.put(answered);
  core.state.emit({ type: 'query', query: answered });
  return true;
}

export const botMethods: Record<string, Method> = {
  getMe: answering(getMe),
  answerCallbackQuery: answering(answerCallbackQuery),
};
