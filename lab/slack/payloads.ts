import type { Core } from './core.ts';
import { compact, type Json } from './json.ts';
import type { Block, Channel, FileRecord, Message, Stream, User, View } from './model.ts';
import { APP_ID, BOT_ID, BOT_USER, TEAM } from './seed.ts';

/** Records as they travel on Slack's wire. Shapes: @slack/types 3.2 events, @slack/web-api 8.2 responses, @slack/bolt 5.1 payloads. */

export function wireMessage(core: Core, message: Message, options: { metadata?: boolean } = {}): Json {
  const inThread = message.thread_ts !== undefined && message.thread_ts !== message.ts;
  const blocks = [...(message.stream ? streamBlocks(message.stream) : []), ...message.blocks];
  return compact({
    type: 'message',
    subtype: message.subtype,
    hidden: message.subtype === 'tombstone' ? true : undefined,
    user: message.user,
    text: message.text,
    ts: message.ts,
    team: teamOf(core.state.users.get(message.user)),
    ...foreignAuthor(core, message),
    bot_id: message.bot_id,
    app_id: message.app_id,
    bot_profile: message.bot_id ? wireBot(core) : undefined,
    username: message.username,
    client_msg_id: message.client_msg_id,
    blocks: blocks.length > 0 ? blocks : undefined,
    attachments: message.attachments.length > 0 ? message.attachments : undefined,
    ...(message.files.length > 0 ? { files: wireFiles(core, message), upload: false, display_as_bot: false } : {}),
    thread_ts: inThread ? message.thread_ts : undefined,
    parent_user_id: inThread ? core.state.message(message.channel, message.thread_ts ?? '')?.user : undefined,
    ...threadFields(core, message),
    reactions:
      message.reactions.length > 0 ? message.reactions.map((entry) => ({ ...entry, count: entry.users.length })) : undefined,
    edited: message.edited,
    streaming_state: message.stream?.state,
    metadata: options.metadata ? message.metadata : undefined,
  });
}

/** Whose message it is, where they are of another organisation: the app may not know them. */
function foreignAuthor(core: Core, message: Message): Json {
  const user = core.state.users.get(message.user);
  if (user?.team === undefined) return {};
  const { name, real_name, display_name } = user;
  const profile = { name, real_name, display_name, first_name: real_name.split(' ')[0], team: user.team.id };
  return { user_team: user.team.id, source_team: user.team.id, user_profile: { ...profile, is_restricted: false } };
}

function wireFiles(core: Core, message: Message): Json[] {
  return message.files.flatMap((id) => {
    const file = core.state.files.get(id);
    if (file?.connected === true) return [{ id, created: 0, timestamp: 0, user: '', file_access: 'check_file_info' }];
    return file ? [wireFile(core, file)] : [{ id, mode: 'tombstone' }];
  });
}

/** What a parent tells about its replies; nothing for a message without any. */
export function threadFields(core: Core, message: Message): Json {
  if (message.thread_ts !== undefined && message.thread_ts !== message.ts) return {};
  const replies = core.state.replies(message.channel, message.ts);
  const latest = replies.at(-1);
  if (!latest) return {};
  const users = [...new Set(replies.map((reply) => reply.user))];
  return {
    thread_ts: message.ts,
    reply_count: replies.length,
    reply_users_count: users.length,
    reply_users: users.slice(0, 5),
    latest_reply: latest.ts,
    is_locked: false,
    subscribed: users.includes(BOT_USER),
  };
}

/** A stream as blocks: what Slack stores for streamed text, tasks and plans. */
export function streamBlocks(stream: Stream): Block[] {
  const tasks: Block[] = [];
  const blocks: Block[] = [];
  let plan: string | undefined;
  for (const [index, part] of stream.parts.entries()) {
    const id = `stream-${index}`;
    if (part.type === 'markdown') blocks.push({ type: 'markdown', block_id: id, text: part.text });
    else if (part.type === 'plan') plan = part.title;
    else if (part.type === 'blocks') blocks.push(...part.blocks);
    else {
      const task: Block = {
        type: 'task_card',
        block_id: id,
        task_id: part.id,
        title: part.title,
        status: part.status,
        ...compact({ details: richText(part.details), output: richText(part.output), sources: part.sources }),
      };
      (stream.mode === 'plan' ? tasks : blocks).push(task);
    }
  }
  if (tasks.length > 0 || plan !== undefined)
    blocks.unshift({ type: 'plan', block_id: 'stream-plan', title: plan ?? 'Plan', tasks });
  return blocks;
}

function richText(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }] };
}

export function wireFile(core: Core, file: FileRecord): Json {
  const base = `${core.baseUrl}/files-pri/${TEAM.id}-${file.id}`;
  const name = encodeURIComponent(file.name);
  const kinds = file.shares.map((share) => core.state.channels.get(share.channel)).filter((entry) => entry !== undefined);
  const ids = (kind: Channel['kind']) => [...new Set(kinds.filter((entry) => entry.kind === kind).map((entry) => entry.id))];
  return compact({
    id: file.id,
    created: file.created,
    timestamp: file.created,
    name: file.name,
    title: file.title,
    mimetype: file.mimetype,
    filetype: file.filetype,
    pretty_type: file.pretty_type,
    user: file.user,
    user_team: TEAM.id,
    editable: file.mode === 'snippet',
    size: file.size,
    mode: file.mode,
    is_external: false,
    external_type: '',
    is_public: ids('public').length > 0,
    public_url_shared: false,
    display_as_bot: false,
    username: '',
    url_private: `${base}/${name}`,
    url_private_download: `${base}/download/${name}`,
    permalink: `https://${TEAM.domain}.slack.com/files/${file.user}/${file.id}/${name}`,
    preview: file.preview,
    alt_txt: file.alt_text,
    channels: ids('public'),
    groups: ids('private'),
    ims: ids('im'),
    shares: shareMap(core, file),
    has_rich_preview: false,
    file_access: 'visible',
  });
}

function shareMap(core: Core, file: FileRecord): Json {
  const shares: Record<'public' | 'private', Record<string, Json[]>> = { public: {}, private: {} };
  for (const share of file.shares) {
    const side = core.state.channels.get(share.channel)?.kind === 'public' ? shares.public : shares.private;
    const list = side[share.channel] ?? [];
    list.push(compact({ ts: share.ts, thread_ts: share.thread_ts, team_id: TEAM.id, share_user_id: file.user }));
    side[share.channel] = list;
  }
  return Object.fromEntries(Object.entries(shares).filter(([, entries]) => Object.keys(entries).length > 0));
}

/** The workspace an account belongs to. */
export function teamOf(user: User | undefined): string {
  return user?.team?.id ?? TEAM.id;
}

/** Is the channel shared with another organisation? It is as soon as one of theirs is in it. */
export function isShared(core: Pick<Core, 'state'>, channel: string): boolean {
  const members = core.state.channels.get(channel)?.members ?? [];
  return members.some((id) => core.state.users.get(id)?.team !== undefined);
}

export function wireUser(user: User): Json {
  return {
    id: user.id,
    team_id: teamOf(user),
    name: user.name,
    deleted: false,
    color: user.color.slice(1),
    real_name: user.real_name,
    tz: user.tz,
    tz_label: user.tz,
    tz_offset: 0,
    profile: compact({
      real_name: user.real_name,
      real_name_normalized: user.real_name,
      display_name: user.display_name,
      display_name_normalized: user.display_name,
      title: user.title,
      team: teamOf(user),
      ...(user.is_bot ? { bot_id: BOT_ID, api_app_id: APP_ID, always_active: true } : {}),
    }),
    is_admin: false,
    is_owner: false,
    is_primary_owner: false,
    is_restricted: user.guest !== undefined,
    is_ultra_restricted: user.guest === 'single_channel',
    ...(user.team === undefined ? {} : { is_stranger: false }),
    is_bot: user.is_bot,
    is_app_user: false,
    updated: 1_767_225_600,
  };
}

export function wireBot(core: Core): Json {
  return {
    id: BOT_ID,
    app_id: APP_ID,
    name: core.manifest.features.bot_user.display_name,
    deleted: false,
    updated: 1_767_225_600,
    team_id: TEAM.id,
    user_id: BOT_USER,
    icons: {},
  };
}

export function wireChannel(channel: Channel): Json {
  if (channel.kind === 'im') {
    return {
      id: channel.id,
      created: channel.created,
      is_im: true,
      is_archived: false,
      is_org_shared: false,
      user: channel.im_user,
      is_open: true,
    };
  }
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: channel.kind === 'public',
    is_group: channel.kind === 'private',
    is_im: false,
    is_mpim: false,
    is_private: channel.kind === 'private',
    created: channel.created,
    creator: channel.creator,
    is_archived: false,
    is_general: false,
    is_shared: false,
    is_ext_shared: false,
    is_org_shared: false,
    is_member: channel.members.includes(BOT_USER),
    context_team_id: TEAM.id,
    topic: { value: channel.topic, creator: channel.creator, last_set: channel.created },
    purpose: { value: channel.purpose, creator: channel.creator, last_set: channel.created },
    num_members: channel.members.length,
  };
}

export function wireView(view: View, values: Json = {}): Json {
  return {
    id: view.id,
    team_id: TEAM.id,
    type: view.type,
    blocks: view.blocks,
    private_metadata: view.private_metadata,
    callback_id: view.callback_id,
    state: { values },
    hash: view.hash,
    title: view.title ?? { type: 'plain_text', text: 'View Title', emoji: true },
    clear_on_close: view.clear_on_close,
    notify_on_close: view.notify_on_close,
    close: view.close ?? null,
    submit: view.submit ?? null,
    submit_disabled: view.submit_disabled,
    previous_view_id: view.previous_view_id ?? null,
    root_view_id: view.root_view_id,
    app_id: APP_ID,
    external_id: view.external_id,
    app_installed_team_id: TEAM.id,
    bot_id: BOT_ID,
  };
}
