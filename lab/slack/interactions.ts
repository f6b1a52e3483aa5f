import { Refused } from '../refused.ts';
import { SlackApiError } from './api-error.ts';
import type { Core } from './core.ts';
import { actionOf, findElement, type InputValue, type InputValues, stateOf } from './elements.ts';
import { answered, head, notify, TOKEN } from './interaction-basics.ts';
import { compact, isRecord, type Json } from './json.ts';
import type { Channel, Message, User, View } from './model.ts';
import { wireMessage, wireView } from './payloads.ts';
import { issueResponseUrl, show } from './response-url.ts';
import { APP_ID, TEAM } from './seed.ts';

/** Commands, presses and shortcuts of people, sent to the app as Slack sends them. */

/** Where an interactive element is. */
export type Place = { message: Message } | { view: View };

/** A slash command typed in a channel. Throws Refused as the client does, NotAnswered when the app stays silent. */
export async function slashCommand(
  core: Core,
  user: User,
  channel: Channel,
  given: { command: string; text: string; thread_ts?: string | undefined },
): Promise<void> {
  const known = core.manifest.features.slash_commands?.find((entry) => entry.command === given.command);
  if (!known) throw new Refused('unknown_command', `${given.command} is not a valid command.`);
  if (user.team)
    throw new Refused('not_installed', `${given.command} belongs to an app that your organisation has not installed.`);
  if (given.thread_ts !== undefined) throw new Refused('not_in_threads', `${given.command} is not supported in threads. Sorry!`);
  const hook = { user: user.id, channel: channel.id };
  const payload = {
    token: TOKEN,
    team_id: TEAM.id,
    team_domain: TEAM.domain,
    channel_id: channel.id,
    channel_name: channel.kind === 'im' ? 'directmessage' : channel.kind === 'private' ? 'privategroup' : channel.name,
    user_id: user.id,
    user_name: user.name,
    command: given.command,
    text: given.text,
    api_app_id: APP_ID,
    is_enterprise_install: 'false',
    response_url: issueResponseUrl(core, 'commands', hook),
    trigger_id: core.triggers.issue({ user: user.id, channel: channel.id }),
  };
  const where = { user: user.id, channel: channel.id };
  const body = await answered(core, where, given.command, () => core.request('slash_commands', payload));
  if (!body || Object.keys(body).length === 0) return;
  try {
    show(core, hook, body);
  } catch (error) {
    if (!(error instanceof SlackApiError)) throw error;
    notify(core, where, `${given.command} failed with the error "${error.code}"`);
    throw new Refused(error.code, `${given.command} failed with the error "${error.code}"`);
  }
}

/** A press or choice in a message, modal or Home. */
export async function press(
  core: Core,
  user: User,
  place: Place,
  given: { block_id: string; action_id: string; value?: InputValue | undefined; values?: InputValues | undefined },
): Promise<void> {
  const blocks = 'view' in place ? place.view.blocks : blocksOf(core, place.message);
  const found = findElement(blocks, given.block_id, given.action_id);
  if (!found) throw new Refused('element_not_found', 'That element is not there any more.');
  const action = actionOf(found, given.value, core.state.nextTs());
  const entered = structuredClone(given.values ?? {});
  if (given.value !== undefined) entered[given.block_id] = { ...entered[given.block_id], [given.action_id]: given.value };
  const state = { values: stateOf(blocks, entered) };
  const payload = compact({ ...head('block_actions', user), actions: [action], ...placeFields(core, user, place, state) });
  const where =
    'view' in place ? { user: user.id } : { user: user.id, channel: place.message.channel, thread_ts: place.message.thread_ts };
  await answered(core, where, undefined, () => core.request('interactive', payload));
}

/** Asks the app for the options of an external select. */
export async function suggestOptions(
  core: Core,
  user: User,
  place: Place,
  given: { block_id: string; action_id: string; query: string },
): Promise<Json[]> {
  const { trigger_id: _trigger, ...fields } = placeFields(core, user, place, { values: {} });
  const payload = compact({
    ...head('block_suggestion', user),
    ...fields,
    block_id: given.block_id,
    action_id: given.action_id,
    value: given.query,
  });
  const body = await answered(core, { user: user.id }, undefined, () => core.request('interactive', payload));
  const groups = Array.isArray(body?.option_groups) ? body.option_groups.filter(isRecord) : [];
  return [body, ...groups].flatMap((holder) => (Array.isArray(holder?.options) ? holder.options : [])).filter(isRecord);
}

export async function shortcut(core: Core, user: User, callbackId: string, message?: Message): Promise<void> {
  const known = core.manifest.features.shortcuts?.find((entry) => entry.callback_id === callbackId);
  if (!known) throw new Refused('unknown_shortcut', 'This shortcut is not installed.');
  if ((known.type === 'message') !== (message !== undefined))
    throw new Refused('invalid_input', 'A message shortcut needs a message.');
  const actionTs = core.state.nextTs();
  const trigger = core.triggers.issue({ user: user.id, channel: message?.channel });
  const basics = { callback_id: callbackId, trigger_id: trigger, action_ts: actionTs };
  const payload = message
    ? {
        ...head('message_action', user),
        ...basics,
        message_ts: message.ts,
        message: wireMessage(core, message),
        channel: channelField(core, message.channel),
        response_url: issueResponseUrl(core, 'app', { user: user.id, channel: message.channel, thread_ts: message.thread_ts }),
      }
    : { ...head('shortcut', user), ...basics };
  await answered(core, { user: user.id, channel: message?.channel }, undefined, () => core.request('interactive', payload));
}

function placeFields(core: Core, user: User, place: Place, state: Json): Json {
  if ('view' in place) {
    const { view } = place;
    return {
      container: { type: 'view', view_id: view.id },
      trigger_id: core.triggers.issue({ user: user.id, viewId: view.type === 'modal' ? view.id : undefined }),
      view: wireView(view, isRecord(state.values) ? state.values : {}),
    };
  }
  const { message } = place;
  const isEphemeral = message.visible_to !== undefined;
  return {
    container: compact({
      type: 'message',
      message_ts: message.ts,
      channel_id: message.channel,
      is_ephemeral: isEphemeral,
      thread_ts: message.thread_ts,
    }),
    channel: channelField(core, message.channel),
    // Slack does not send the content of an ephemeral message along.
    message: isEphemeral ? undefined : wireMessage(core, message),
    state,
    trigger_id: core.triggers.issue({ user: user.id, channel: message.channel }),
    response_url: issueResponseUrl(core, 'actions', {
      user: user.id,
      channel: message.channel,
      thread_ts: message.thread_ts,
      source: { ts: message.ts, ephemeral: isEphemeral },
    }),
  };
}

function channelField(core: Core, id: string): Json {
  const channel = core.state.channels.get(id);
  const name = channel?.kind === 'im' ? 'directmessage' : channel?.kind === 'private' ? 'privategroup' : channel?.name;
  return { id, name };
}

function blocksOf(core: Core, message: Message): Message['blocks'] {
  const { blocks } = wireMessage(core, message);
  return Array.isArray(blocks) ? blocks : [];
}
