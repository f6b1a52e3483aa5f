import type { DiscordEmulator } from './discord/emulator.ts';
import { FLAGS, has } from './discord/flags.ts';
import { compareIds, timeOf } from './discord/ids.ts';
import type { Change, Channel, Command, CommandOption, FileRecord, Message, Modal } from './discord/model.ts';
import { canSee, may } from './discord/permissions.ts';
import { GUILD } from './discord/seed.ts';
import { isMemberAllowed } from './discord/typed-commands.ts';
import type {
  DiscordApp,
  DiscordChannel,
  DiscordCommand,
  DiscordEvent,
  DiscordFile,
  DiscordMessage,
  DiscordModal,
  DiscordOption,
  DiscordSettings,
  DiscordState,
} from './discord-page-api.ts';

/** The emulator's records as the pane sees them (see discord-page-api.ts). */

const PER_CHANNEL = 500;
const PREVIEW_CHARS = 4_000;

export function discordState(discord: DiscordEmulator, version: number, suggestions: DiscordState['suggestions']): DiscordState {
  const { state } = discord.core;
  const channels = state.channels.values().sort((a, b) => a.position - b.position || compareIds(a.id, b.id));
  const messages = channels.flatMap((channel) => state.messagesOf(channel.id).slice(-PER_CHANNEL));
  return {
    version,
    guild: { id: GUILD.id, name: GUILD.name },
    app: discordApp(discord),
    people: [...state.users.values()].map(({ id, username, global_name: name, title, color, bot }) => {
      return { id, username, name, title, color, bot };
    }),
    roles: [...state.roles.values()].map(({ id, name }) => ({ id, name })),
    channels: channels.map((channel) => discordChannel(discord, channel)),
    messages: [...messages, ...state.ephemerals()]
      .sort((a, b) => compareIds(a.id, b.id))
      .map((message) => discordMessage(discord, message)),
    modals: [...state.modals.values()].map(discordModal),
    commands: discordCommands(discord),
    settings: discordSettings(discord),
    suggestions,
  };
}

/** What the pane must hear about a change; nothing for changes that show nowhere. */
export function discordEvents(discord: DiscordEmulator, change: Change): DiscordEvent[] {
  const { state } = discord.core;
  switch (change.type) {
    case 'message':
      return [{ type: 'message', message: discordMessage(discord, change.message) }];
    case 'message_removed':
      return [{ type: 'message_removed', id: change.message.id }];
    case 'channel': {
      // Who sees a thread follows from its channel.
      const threads = state.channels.values().filter((entry) => entry.thread?.parent_id === change.channel.id);
      return [change.channel, ...threads].map((channel) => ({ type: 'channel', channel: discordChannel(discord, channel) }));
    }
    case 'channel_removed':
      return [{ type: 'channel_removed', id: change.channel.id }];
    case 'modal':
      return [{ type: 'modal', modal: discordModal(change.modal) }];
    case 'modal_removed':
      return [{ type: 'modal_removed', id: change.modal.id }];
    case 'typing':
      return [change];
    case 'commands':
      return [{ type: 'commands', commands: discordCommands(discord) }];
    case 'settings':
      return [{ type: 'settings', settings: discordSettings(discord) }];
    case 'app':
      return [{ type: 'app', app: discordApp(discord) }];
    case 'reset':
      return [{ type: 'reset' }];
    case 'file':
    case 'notice':
      // Refusals reach the pane as the answer of the action that failed.
      return [];
  }
}

export function discordMessage(discord: DiscordEmulator, message: Message): DiscordMessage {
  const { state } = discord.core;
  const { interaction } = message;
  return {
    id: message.id,
    channel: message.channel,
    author: message.author,
    author_name: message.webhook?.username,
    at: timeOf(message.id),
    type: message.type,
    content: message.content,
    embeds: message.embeds,
    components: message.components,
    v2: has(message.flags, FLAGS.IS_COMPONENTS_V2),
    files: message.attachments.flatMap((id) => {
      const file = state.files.get(id);
      return file ? [discordFile(discord, file)] : [];
    }),
    reactions: message.reactions,
    mentions: message.mentions,
    edited: message.edited_at !== undefined,
    thinking: has(message.flags, FLAGS.LOADING),
    reply_to: message.type === 19 ? message.reference?.message_id : undefined,
    has_thread: has(message.flags, FLAGS.HAS_THREAD),
    opened_thread: message.type === 18 ? message.reference?.channel_id : undefined,
    answers: interaction && { user: interaction.user, type: interaction.type, name: interaction.name },
    visible_to: message.visible_to,
  };
}

export function discordFile(discord: DiscordEmulator, file: FileRecord): DiscordFile {
  const isText = file.content_type.startsWith('text/');
  return {
    id: file.id,
    name: file.filename,
    type: file.content_type,
    size: file.size,
    description: file.description,
    preview: isText ? discord.core.state.readContent(file.id)?.toString('utf8').slice(0, PREVIEW_CHARS) : undefined,
    url: `/lab/discord/api/files/${file.id}/${encodeURIComponent(file.filename)}`,
  };
}

export function discordChannel(discord: DiscordEmulator, channel: Channel): DiscordChannel {
  const { core } = discord;
  const people = [...core.state.users.values()].filter((user) => !user.bot);
  const readers = people.filter(({ id }) => canSee(core, channel, id)).map(({ id }) => id);
  const right = channel.thread ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES';
  return {
    id: channel.id,
    kind: channel.kind,
    name: channel.name,
    topic: channel.topic,
    readers,
    writers: readers.filter((id) => may(core, channel, id, right)),
    bot_sees: canSee(core, channel, discord.botUserId),
    thread: channel.thread && {
      parent: channel.thread.parent_id,
      archived: channel.thread.archived,
      locked: channel.thread.locked,
      private: channel.thread.private,
      owner: channel.thread.owner_id,
    },
    dm_open: channel.dm && !channel.dm.closed,
  };
}

export function discordSettings({ core }: DiscordEmulator): DiscordSettings {
  return { rate_limiting: core.settings.rateLimiting, latency_ms: core.settings.latencyMs };
}

function discordApp(discord: DiscordEmulator): DiscordApp {
  const { core, controls, botUserId } = discord;
  return {
    id: botUserId,
    name: core.state.users.get(botUserId)?.global_name ?? '',
    connected: core.settings.interactionsUrl !== undefined || controls.gateway.count() > 0,
  };
}

function discordModal({ id, user, channel, title, components, error }: Modal): DiscordModal {
  return { id, user, channel, title, components, error };
}

function discordCommands(discord: DiscordEmulator): DiscordCommand[] {
  const { core } = discord;
  const people = [...core.state.users.values()].filter((user) => !user.bot);
  return core.state.commands.values().map((command) => {
    const members = people.filter((user) => isMemberAllowed(core, user, command)).map(({ id }) => id);
    return discordCommand(command, members);
  });
}

function discordCommand(command: Command, members: string[]): DiscordCommand {
  const { id, type, name, description, options, scope, contexts } = command;
  const isGlobal = scope === 'global';
  return {
    id,
    type,
    name,
    description,
    options: options.map(discordOption),
    in_guild: !isGlobal || (contexts?.includes(0) ?? true),
    in_dm: isGlobal && (contexts?.includes(1) ?? true),
    members,
  };
}

function discordOption({ type, name, description, required, autocomplete, choices, options }: CommandOption): DiscordOption {
  return { type, name, description, required, autocomplete, choices, options: options?.map(discordOption) };
}
