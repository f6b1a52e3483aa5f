import { Refused } from '../refused.ts';
import { compact, isRecord, type Json } from '../slack/json.ts';
import { flatten } from './component-rules.ts';
import { type Core, type FirstAnswer, NotAnswered } from './core.ts';
import { COMPONENT as C, FLAGS, has } from './flags.ts';
import { secret } from './ids.ts';
import type { Channel, Interaction, Message, Modal, User } from './model.ts';
import { may, permissionsIn } from './permissions.ts';
import { APPLICATION_ID, BOT_USER, GUILD } from './seed.ts';
import { optionsOnWire, resolved, type Typed, type TypedOptions, usableCommands } from './typed-commands.ts';
import { featuresOf, wireActor, wireChannel, wireMessage } from './wire.ts';

/**
 * What people do with the app: commands, buttons, choices and completions. Everything resolves when the app has answered, throws
 * Refused as the Discord client would, and NotAnswered when the app has not answered in time.
 */

interface Ask {
  type: Interaction['type'];
  data: Json;
  name?: string | undefined;
  message?: Message | undefined;
}

/** Sends the interaction and waits; a person is told when the app does not answer. */
export async function send(core: Core, user: User, channel: Channel, ask: Ask): Promise<FirstAnswer> {
  const interaction: Interaction = {
    id: core.state.nextId(),
    token: `${Buffer.from(`interaction:${core.state.nextId()}`).toString('base64url')}${secret(96)}`,
    type: ask.type,
    user: user.id,
    channel: channel.id,
    created_at: core.now(),
    state: 'waiting',
    name: ask.name,
    source: ask.message?.id,
  };
  try {
    return await core.ask(interaction, payloadOf(core, interaction, user, channel, ask));
  } catch (error) {
    if (!(error instanceof NotAnswered)) throw error;
    if (ask.type === 3) error.told = 'This interaction failed';
    if (ask.type === 5) error.told = 'Something went wrong. Try again.';
    if (ask.type === 4) error.told = 'Loading options failed';
    core.state.emit({ type: 'notice', user: user.id, channel: channel.id, tone: 'error', text: error.told });
    throw error;
  }
}

function payloadOf(core: Core, interaction: Interaction, user: User, channel: Channel, ask: Ask): Json {
  const inDm = channel.kind === 'dm';
  return compact({
    id: interaction.id,
    application_id: APPLICATION_ID,
    type: interaction.type,
    token: interaction.token,
    version: 1,
    data: ask.data,
    ...(inDm
      ? {}
      : { guild_id: GUILD.id, guild: { id: GUILD.id, features: featuresOf(core), locale: 'en-US' }, guild_locale: 'en-US' }),
    channel_id: channel.id,
    channel: { ...wireChannel(core, channel), permissions: String(permissionsIn(core, channel, user.id)) },
    ...wireActor(core, user, channel),
    message: ask.message ? wireMessage(core, ask.message) : undefined,
    app_permissions: String(permissionsIn(core, channel, BOT_USER)),
    locale: 'en-US',
    entitlements: [],
    authorizing_integration_owners: { '0': inDm ? '0' : GUILD.id },
    context: inDm ? 1 : 0,
    attachment_size_limit: 10 * 1024 * 1024,
  });
}

function checkMayUse(core: Core, user: User, channel: Channel): void {
  if (!may(core, channel, user.id, 'USE_APPLICATION_COMMANDS'))
    throw new Refused('missing_permission', 'You may not use commands of apps here.');
  if (channel.thread?.locked) throw new Refused('thread_locked', 'This thread is locked.');
}

/** Sends a slash command with its options, as the client builds it from what was typed. */
export async function slashCommand(core: Core, user: User, channel: Channel, typed: Typed): Promise<void> {
  checkMayUse(core, user, channel);
  const { command, leaf, wrap } = findSlashCommand(core, user, channel, typed.path);
  const options = optionsOnWire(core, user, leaf, typed.options, undefined);
  const data = compact({
    id: command.id,
    name: command.name,
    type: 1,
    guild_id: command.scope === 'global' ? undefined : command.scope,
    options: wrap(options),
    resolved: resolved(core, channel, options),
  });
  await send(core, user, channel, { type: 2, data, name: typed.path.join(' ') });
}

/** What the app proposes for the option `focused`, given what is typed so far: at most 25 `{ name, value }`. */
export async function autocomplete(
  core: Core,
  user: User,
  channel: Channel,
  typed: Typed & { focused: string },
): Promise<Json[]> {
  checkMayUse(core, user, channel);
  const { command, leaf, wrap } = findSlashCommand(core, user, channel, typed.path);
  const option = leaf.find((entry) => entry.name === typed.focused);
  if (option?.autocomplete !== true) throw new Refused('no_autocomplete', `The option "${typed.focused}" offers no completions.`);
  const options = optionsOnWire(core, user, leaf, typed.options, typed.focused);
  const guild_id = command.scope === 'global' ? undefined : command.scope;
  const data = compact({ id: command.id, name: command.name, type: 1, guild_id, options: wrap(options) });
  const answer = await send(core, user, channel, { type: 4, data, name: typed.path.join(' ') });
  return answer.choices ?? [];
}

function findSlashCommand(core: Core, user: User, channel: Channel, path: readonly string[]) {
  const [name = '', ...rest] = path;
  const commands = usableCommands(core, user, channel).filter((entry) => entry.type === 1);
  const command = commands.find((entry) => entry.name === name);
  if (!command) {
    const known = commands.map((entry) => `/${entry.name}`).join(', ');
    throw new Refused('unknown_command', `There is no command /${name} here; there is ${known || 'none'}.`);
  }
  let leaf = command.options;
  const steps: { name: string; type: number }[] = [];
  for (const word of rest) {
    const next = leaf.find((entry) => entry.name === word && (entry.type === 1 || entry.type === 2));
    if (!next) throw new Refused('unknown_command', `/${path.join(' ')} does not exist.`);
    steps.push({ name: next.name, type: next.type });
    leaf = next.options ?? [];
  }
  if (leaf.some((entry) => entry.type === 1 || entry.type === 2))
    throw new Refused('incomplete_command', `/${path.join(' ')} needs one of ${leaf.map((entry) => entry.name).join(', ')}.`);
  const wrap = (options: Json[]): Json[] | undefined => {
    const nested = steps.reduceRight<Json[]>((inner, step) => [{ ...step, options: inner }], options);
    return nested.length === 0 ? undefined : nested;
  };
  return { command, leaf, wrap };
}

/** Runs a command from the menu of a message. */
export async function messageCommand(core: Core, user: User, name: string, message: Message): Promise<void> {
  const channel = channelOf(core, message.channel);
  checkMayUse(core, user, channel);
  const command = usableCommands(core, user, channel).find((entry) => entry.type === 3 && entry.name === name);
  if (!command) throw new Refused('unknown_command', `The menu of the message has no "${name}".`);
  if (message.visible_to) throw new Refused('ephemeral_message', 'Messages that only you see have no such menu.');
  const data = compact({
    id: command.id,
    name: command.name,
    type: 3,
    guild_id: command.scope === 'global' ? undefined : command.scope,
    target_id: message.id,
    resolved: { messages: { [message.id]: wireMessage(core, message) } },
  });
  await send(core, user, channel, { type: 2, data, name });
}

/**
 * Presses a button, or chooses in a select menu with `values` (option values, or ids of users, roles and channels). `isLate`: on its way
 * when the app changed the message, so that the message counts as it is given here.
 */
export async function press(
  core: Core,
  user: User,
  message: Message,
  given: { custom_id: string; values?: readonly string[] | undefined; isLate?: boolean },
): Promise<void> {
  const current = given.isLate ? message : core.state.message(message.id);
  if (!current) throw new Refused('message_not_found', 'That message is not there any more.');
  const component = flatten(current.components).find((entry) => entry.custom_id === given.custom_id);
  if (!component) throw new Refused('component_not_found', `There is nothing with the id ${given.custom_id} in that message.`);
  if (component.disabled === true) throw new Refused('component_disabled', 'That cannot be pressed any more.');
  if (has(current.flags, FLAGS.LOADING)) throw new Refused('message_loading', 'The app is still thinking.');
  const values = component.type === C.BUTTON ? undefined : chosen(component, given.values ?? []);
  const channel = channelOf(core, current.channel);
  const picked = resolvedPicks(core, channel, component, values ?? []);
  const data = compact({
    component_type: component.type,
    custom_id: given.custom_id,
    id: component.id,
    values,
    resolved: picked,
  });
  await send(core, user, channel, { type: 3, data, message: current });
}

/** The chosen values of a select, refused where the client would not let one choose them. */
export function chosen(component: Json, values: readonly string[]): readonly string[] {
  const min = typeof component.min_values === 'number' ? component.min_values : 1;
  const max = typeof component.max_values === 'number' ? component.max_values : 1;
  if (values.length > max || values.length < min)
    throw new Refused('wrong_choice', `Choose ${min === max ? min : `${min} to ${max}`}, not ${values.length}.`);
  const options = Array.isArray(component.options) ? component.options.filter(isRecord).map((option) => option.value) : undefined;
  for (const value of values)
    if (options && !options.includes(value)) throw new Refused('wrong_choice', `There is no choice "${value}".`);
  return values;
}

export function resolvedPicks(core: Core, channel: Channel, component: Json, values: readonly string[]): Json | undefined {
  if (component.type === C.STRING_SELECT || component.type === C.BUTTON || values.length === 0) return undefined;
  const kind =
    component.type === C.USER_SELECT ? 6 : component.type === C.CHANNEL_SELECT ? 7 : component.type === C.ROLE_SELECT ? 8 : 9;
  return resolved(
    core,
    channel,
    values.map((value) => ({ type: kind, value })),
  );
}

export function channelOf(core: Core, id: string): Channel {
  const channel = core.state.channels.get(id);
  if (!channel) throw new Refused('channel_not_found', 'That channel does not exist any more.');
  return channel;
}

/** The open form of a person. */
export function modalOf(core: Core, user: User, id: string): Modal {
  const modal = core.state.modals.get(id);
  if (modal?.user !== user.id) throw new Refused('modal_not_found', 'That form is not open any more.');
  return modal;
}

export type { Typed, TypedOptions };
