import { invalidArguments, SlackApiError } from './api-error.ts';
import type { Args } from './args.ts';
import type { Core } from './core.ts';
import type { Json } from './json.ts';
import type { Method, MethodCall } from './method.ts';
import type { View } from './model.ts';
import { wireView } from './payloads.ts';
import { BOT_USER } from './seed.ts';
import type { Trigger } from './triggers.ts';
import { readView } from './view-rules.ts';
import { homeOf, MAX_STACK, openViews, pushView, removeViews, replaceView } from './views.ts';

/** `views.*` */

export const viewMethods: Record<string, Method> = {
  'views.open': { tier: 't4', scopes: [], token: 'bot', handle: open },
  'views.push': { tier: 't4', scopes: [], token: 'bot', handle: push },
  'views.update': { tier: 't4', scopes: [], token: 'bot', handle: update },
  'views.publish': { tier: 't4', scopes: [], token: 'bot', handle: publish },
};

function open({ core, args }: MethodCall): Json {
  const { id, trigger } = readTrigger(core, args);
  const content = readView(core, viewArgument(args), 'modal');
  refuseDuplicate(core, content.external_id);
  core.triggers.use(id);
  // A modal of the app that is still open makes room for the new one.
  removeViews(core, openViews(core, trigger.user));
  return { ok: true, view: wireView(pushView(core, trigger.user, content)) };
}

function push({ core, args }: MethodCall): Json {
  const { id, trigger } = readTrigger(core, args);
  const stack = openViews(core, trigger.user);
  if (trigger.viewId === undefined || !stack.some((view) => view.id === trigger.viewId)) throw new SlackApiError('not_found');
  const content = readView(core, viewArgument(args), 'modal');
  refuseDuplicate(core, content.external_id);
  if (stack.length >= MAX_STACK) throw new SlackApiError('push_limit_reached');
  core.triggers.use(id);
  return { ok: true, view: wireView(pushView(core, trigger.user, content)) };
}

function update({ core, args }: MethodCall): Json {
  if (!args.has('view_id') && !args.has('external_id')) throw invalidArguments('missing required field: view_id');
  const view = core.state.views
    .values()
    .find((entry) => (args.has('view_id') ? entry.id === args.text('view_id') : entry.external_id === args.text('external_id')));
  if (!view) throw new SlackApiError('not_found');
  const content = readView(core, viewArgument(args), view.type);
  refuseDuplicate(core, content.external_id, view.id);
  refuseStale(args, view);
  return { ok: true, view: wireView(replaceView(core, view, content)) };
}

function publish({ core, args }: MethodCall): Json {
  if (core.manifest.features.app_home?.home_tab_enabled !== true) throw new SlackApiError('not_enabled');
  const user = args.required('user_id');
  const person = core.state.users.get(user);
  if (!person || user === BOT_USER) throw invalidArguments(`invalid user: ${user} [json-pointer:/user_id]`);
  const content = readView(core, viewArgument(args), 'home');
  const known = homeOf(core, user);
  refuseDuplicate(core, content.external_id, known?.id);
  if (known) {
    refuseStale(args, known);
    return { ok: true, view: wireView(replaceView(core, known, content)) };
  }
  return { ok: true, view: wireView(pushView(core, user, content)) };
}

function viewArgument(args: Args): unknown {
  if (!args.has('view')) throw invalidArguments('missing required field: view');
  return args.json('view', 'invalid_arguments');
}

function readTrigger(core: Core, args: Args): { id: string; trigger: Trigger } {
  const id = args.text('trigger_id') ?? args.text('interactivity_pointer');
  if (!id) throw invalidArguments('missing required field: trigger_id');
  const trigger = core.triggers.check(id);
  if (typeof trigger === 'string') throw new SlackApiError(trigger);
  return { id, trigger };
}

function refuseDuplicate(core: Core, externalId: string, except?: string): void {
  if (externalId === '') return;
  const other = core.state.views.values().find((view) => view.external_id === externalId && view.id !== except);
  if (other) throw new SlackApiError('duplicate_external_id');
}

/** The hash protects against overwriting a newer view. */
function refuseStale(args: Args, view: View): void {
  if (args.has('hash') && args.text('hash') !== view.hash) throw new SlackApiError('hash_conflict');
}
