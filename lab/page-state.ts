import type {
  LabApp,
  LabChannel,
  LabEvent,
  LabFile,
  LabHome,
  LabMessage,
  LabPerson,
  LabSettings,
  LabState,
  LabView,
} from './page-api.ts';
import type { SlackEmulator } from './slack/emulator.ts';
import { isRecord, stringOf } from './slack/json.ts';
import type { Change, Channel, FileRecord, Message, User, View } from './slack/model.ts';
import { threadFields } from './slack/payloads.ts';
import { TEAM } from './slack/seed.ts';

/** The emulator's records as the page sees them (see page-api.ts). */

const PER_CHANNEL = 1_000;

export function labState(slack: SlackEmulator, version: number, suggestions: LabState['suggestions']): LabState {
  const { state } = slack.core;
  const messages = state.channels.values().flatMap((channel) => state.messagesOf(channel.id).slice(-PER_CHANNEL));
  const shown = [...messages, ...state.ephemerals()].sort((a, b) => Number(a.ts) - Number(b.ts));
  return {
    version,
    team: { ...TEAM },
    app: labApp(slack),
    people: [...state.users.values()].map(labPerson),
    channels: state.channels.values().map((channel) => labChannel(slack, channel)),
    messages: shown.map((message) => labMessage(slack, message)),
    views: state.views.values().flatMap((view) => (view.type === 'modal' ? [labView(slack, view)] : [])),
    homes: state.views.values().flatMap((view) => (view.type === 'home' ? [labHome(view)] : [])),
    statuses: [...state.statuses.values()],
    ...installed(slack),
    settings: labSettings(slack),
    suggestions,
  };
}

/** What the page must hear about a change; nothing for changes that show nowhere. */
export function labEvents(slack: SlackEmulator, change: Change): LabEvent[] {
  switch (change.type) {
    case 'message':
      return [{ type: 'message', message: labMessage(slack, change.message) }];
    case 'message_removed': {
      const { channel, ts, visible_to } = change.message;
      return [{ type: 'message_removed', channel, ts, visible_to }];
    }
    case 'channel':
      return [{ type: 'channel', channel: labChannel(slack, change.channel) }];
    case 'view':
      return [
        change.view.type === 'home'
          ? { type: 'home', home: labHome(change.view) }
          : { type: 'view', view: labView(slack, change.view) },
      ];
    case 'view_removed':
      return [{ type: 'view_removed', id: change.view.id, user: change.view.user }];
    case 'status':
      return [{ type: 'status', status: change.status }];
    case 'notice':
      // Errors reach the page as the answer of the action that failed.
      return change.tone === 'error' ? [] : [change];
    case 'settings':
      return [{ type: 'settings', settings: labSettings(slack) }];
    case 'app':
      return [{ type: 'app', app: labApp(slack), ...installed(slack) }];
    case 'reset':
      return [{ type: 'reset' }];
    case 'file':
      return [];
  }
}

export function labMessage(slack: SlackEmulator, message: Message): LabMessage {
  const thread = threadFields(slack.core, message);
  return {
    channel: message.channel,
    ts: message.ts,
    thread_ts: message.thread_ts ?? stringOf(thread.thread_ts),
    user: message.user,
    is_bot: message.bot_id !== undefined,
    text: message.text,
    blocks: message.blocks,
    attachments: message.attachments,
    files: message.files.flatMap((id) => {
      const file = slack.core.state.files.get(id);
      return file ? [labFile(file)] : [];
    }),
    reactions: message.reactions,
    edited: message.edited,
    reply_count: typeof thread.reply_count === 'number' ? thread.reply_count : 0,
    reply_users: Array.isArray(thread.reply_users) ? thread.reply_users.map(String) : [],
    latest_reply: stringOf(thread.latest_reply),
    broadcast: message.broadcast ?? false,
    subtype: message.subtype,
    visible_to: message.visible_to,
    stream: message.stream && { state: message.stream.state, mode: message.stream.mode, parts: message.stream.parts },
  };
}

export function labFile(file: FileRecord): LabFile {
  return {
    id: file.id,
    name: file.name,
    title: file.title,
    mimetype: file.mimetype,
    filetype: file.filetype,
    pretty_type: file.pretty_type,
    size: file.size,
    user: file.user,
    alt_text: file.alt_text,
    mode: file.mode,
    preview: file.preview,
    url: `/lab/api/files/${file.id}/${encodeURIComponent(file.name)}`,
  };
}

export function labSettings(slack: SlackEmulator): LabSettings {
  const { settings } = slack.core;
  return {
    rate_limiting: settings.rateLimiting,
    delivery: settings.delivery,
    delivery_modes: settings.requestUrl === undefined ? ['socket'] : ['socket', 'http'],
    mention_order: settings.mentionOrder,
    latency_ms: settings.latencyMs,
  };
}

function labApp(slack: SlackEmulator): LabApp {
  const { manifest, settings } = slack.core;
  return {
    id: slack.appId,
    name: manifest.display_information.name,
    description: manifest.display_information.description ?? '',
    bot_user_id: slack.botUserId,
    bot_id: slack.botId,
    connected: settings.delivery === 'http' ? settings.requestUrl !== undefined : slack.controls.sockets.count() > 0,
    home_tab: manifest.features.app_home?.home_tab_enabled === true,
  };
}

function installed(slack: SlackEmulator): Pick<LabState, 'commands' | 'shortcuts'> {
  const { slash_commands: commands = [], shortcuts = [] } = slack.core.manifest.features;
  return {
    commands: commands.map(({ command, description, usage_hint = '' }) => ({ command, description, usage_hint })),
    shortcuts: shortcuts.map(({ name, type, callback_id, description }) => ({ name, type, callback_id, description })),
  };
}

function labPerson(user: User): LabPerson {
  const { id, name, real_name, display_name, title, color, is_bot } = user;
  return { id, name, real_name, display_name, title, color, is_bot };
}

function labChannel(slack: SlackEmulator, channel: Channel): LabChannel {
  const { id, name, kind, topic, members, im_user } = channel;
  return { id, name, kind, topic, members, bot_is_member: members.includes(slack.botUserId), im_user };
}

function labView(slack: SlackEmulator, view: View): LabView {
  const stack = slack.core.state.views.values().filter((entry) => entry.type === 'modal' && entry.user === view.user);
  return {
    id: view.id,
    type: 'modal',
    user: view.user,
    title: plain(view.title) ?? '',
    submit: plain(view.submit),
    close: plain(view.close),
    blocks: view.blocks,
    hash: view.hash,
    depth: stack.findIndex((entry) => entry.id === view.id),
    errors: view.errors,
  };
}

function labHome(view: View): LabHome {
  return { user: view.user, view_id: view.id, blocks: view.blocks, hash: view.hash };
}

function plain(text: unknown): string | undefined {
  return isRecord(text) ? stringOf(text.text) : undefined;
}
