import { Refused } from '../refused.ts';
import { SlackApiError } from './api-error.ts';
import type { Core } from './core.ts';
import { type InputValues, inputErrors, stateOf } from './elements.ts';
import { answered, head, notify } from './interaction-basics.ts';
import { isRecord, type Json } from './json.ts';
import type { User, View } from './model.ts';
import { wireView } from './payloads.ts';
import { readView } from './view-rules.ts';
import { openViews, pushView, removeViews, replaceView, showErrors } from './views.ts';

/** Submitting and closing modals, and what the app answers to it. */

export interface SubmitResult {
  result: 'closed' | 'cleared' | 'updated' | 'pushed' | 'errors';
  errors: Record<string, string>;
}

export async function submitView(core: Core, user: User, view: View, values: InputValues): Promise<SubmitResult> {
  if (openViews(core, user.id).at(-1)?.id !== view.id)
    throw new Refused('view_not_on_top', 'Another form lies on top of this one.');
  const own = inputErrors(view.blocks, values);
  if (Object.keys(own).length > 0) {
    showErrors(core, view, own);
    return { result: 'errors', errors: own };
  }
  const payload = {
    ...head('view_submission', user),
    trigger_id: core.triggers.issue({ user: user.id, viewId: view.id }),
    view: wireView(view, stateOf(view.blocks, values)),
    response_urls: [],
  };
  const body = await answered(core, { user: user.id }, undefined, () => core.request('interactive', payload));
  const current = core.state.views.get(view.id);
  // The app may have closed or replaced the view through the Web API meanwhile.
  return current ? applyResponse(core, current, body) : { result: 'closed', errors: {} };
}

function applyResponse(core: Core, view: View, body: Json | undefined): SubmitResult {
  const action = body?.response_action;
  try {
    if (action === undefined) {
      removeViews(core, [view]);
      return { result: 'closed', errors: {} };
    }
    if (action === 'clear') {
      removeViews(core, openViews(core, view.user));
      return { result: 'cleared', errors: {} };
    }
    if (action === 'update') {
      replaceView(core, view, readView(core, body?.view, 'modal'));
      return { result: 'updated', errors: {} };
    }
    if (action === 'push') {
      pushView(core, view.user, readView(core, body?.view, 'modal'));
      return { result: 'pushed', errors: {} };
    }
    if (action === 'errors') {
      const errors = readErrors(view, body?.errors);
      showErrors(core, view, errors);
      return { result: 'errors', errors };
    }
    throw new SlackApiError(`unknown response_action ${String(action)}`);
  } catch (error) {
    if (!(error instanceof SlackApiError)) throw error;
    const text = 'We had some trouble connecting. Try again?';
    notify(core, { user: view.user }, text);
    throw new Refused('invalid_response', `${text} (${error.code}${error.messages.map((message) => `; ${message}`).join('')})`);
  }
}

/** Errors must name input blocks of the view; anything else makes Slack show a connection error. */
function readErrors(view: View, value: unknown): Record<string, string> {
  if (!isRecord(value) || Object.keys(value).length === 0) throw new SlackApiError('errors missing');
  const errors: Record<string, string> = {};
  for (const [blockId, message] of Object.entries(value)) {
    const isInput = view.blocks.some((block) => block.block_id === blockId && block.type === 'input');
    if (!isInput || typeof message !== 'string') throw new SlackApiError(`no input block ${blockId}`);
    errors[blockId] = message;
  }
  return errors;
}

/** Closes a modal (or the whole stack); the app hears of those with `notify_on_close`. */
export async function closeView(core: Core, user: User, view: View, all: boolean): Promise<void> {
  const stack = openViews(core, user.id);
  const closing = all || view.clear_on_close ? stack : stack.slice(stack.findIndex((entry) => entry.id === view.id));
  removeViews(core, closing);
  const isCleared = all || view.clear_on_close;
  for (const closed of closing.reverse().filter((entry) => entry.notify_on_close)) {
    const payload = { ...head('view_closed', user), view: wireView(closed), is_cleared: isCleared };
    await answered(core, { user: user.id }, undefined, () => core.request('interactive', payload));
  }
}
