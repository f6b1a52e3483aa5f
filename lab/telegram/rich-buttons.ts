import type { Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import { checkAction } from './keyboards.ts';
import type { Chat } from './model.ts';

/** Buttons inside rich messages. */

export interface RichButtonRules {
  chat: Chat;
  /** Buttons so far. */
  buttonCount: number;
}

const MAX_BUTTONS = 100;
const STYLES = ['danger', 'success', 'primary', 'link'];
const ACTIONS = [
  'url',
  'callback_data',
  'web_app',
  'login_url',
  'switch_inline_query',
  'switch_inline_query_current_chat',
  'switch_inline_query_chosen_chat',
  'copy_text',
  'disabled',
];

export function richButton(button: Json, rules: RichButtonRules): Json {
  const fail = (detail: string) => badRequest(`can't parse rich message button: ${detail}`);
  rules.buttonCount += 1;
  if (rules.buttonCount > MAX_BUTTONS) throw badRequest('REPLY_MARKUP_TOO_LONG');
  if (button.style !== undefined && !STYLES.includes(String(button.style))) throw fail('Invalid button style specified');
  const actions = ACTIONS.filter((name) => button[name] !== undefined);
  const [action] = actions;
  if (action === undefined || actions.length > 1) throw fail('Button must have exactly one action');
  checkAction(action, button, rules.chat, fail);
  return button;
}
