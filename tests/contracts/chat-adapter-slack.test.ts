import { isRecord } from '../../lab/slack/json.ts';
import type { Block } from '../../lab/slack/model.ts';
import type { Seen } from '../../lab/slack/visible-text.ts';
import type { Conversation, IdentityRef } from '../../src/contracts/platform.ts';
import { type SlackMode, slackModes, startSlack } from '../support/slack-adapter.ts';
import { type ChatDriver, chatAdapterContract, type Fault, type Shown } from './chat-adapter-contract.ts';

for (const mode of slackModes) chatAdapterContract(`Slack (${mode})`, () => openSlack(mode));

async function openSlack(mode: SlackMode): Promise<ChatDriver> {
  const setup = await startSlack({ mode });
  const { slack, adapter, inbox } = setup;
  const tenant = slack.teamId;
  const ada = slack.person('ada');
  const identity = (user: string): IdentityRef => ({ platform: 'slack', tenant, user });
  const inChannel = (channel: string): Conversation => ({ platform: 'slack', tenant, channel, kind: 'channel' });
  const channel = inChannel('C00000DEMO');

  function shown(message: Seen): Shown {
    const what = readBlocks(message.blocks);
    // The text is for notifications, and Slack looks for mentions there too.
    const notified = { ...what, styled: [] };
    textObject({ type: 'mrkdwn', text: message.text }, notified);
    const { channel: id, ts, thread_ts: thread } = message;
    return {
      ...what,
      everybody: notified.everybody,
      ref: { platform: 'slack', tenant, channel: id, ...(thread === undefined ? {} : { thread }), message: ts },
      previews: slack.callsOf('chat.postMessage').every(({ args }) => String(args.unfurl_links) === 'false') ? [] : what.links,
      files: message.files.map((file) => slack.core.state.files.get(file)?.name ?? ''),
    };
  }

  const faults: Record<Fault, Parameters<typeof slack.controls.failNext>[1] | undefined> = {
    rate_limited: { status: 429, retryAfter: 7 },
    dropped_after_effect: { dropConnectionAfterEffect: true },
    dropped_before_effect: { dropConnectionBeforeEffect: true },
    not_reachable: undefined,
  };

  return {
    adapter,
    events: inbox.events,
    channel,
    foreignChannel: inChannel('C0000RANDOM'),
    ada: identity(ada.id),
    ben: identity(slack.person('ben').id),
    async ask(text) {
      const said = ada.mention('#demo', text);
      await slack.controls.eventsSettled();
      return { platform: 'slack', tenant, channel: said.channel, message: said.ts };
    },
    threadOf: async (message) => ({ ...channel, thread: message.message }),
    press: (ref, label) => ada.press(ref.message, label),
    choose: (ref, token, label) => ada.press(ref.message, token, { value: label }),
    async submitForm(values) {
      const form = await ada.waitForView(() => true);
      await ada.submit(form, values);
    },
    expireTriggers() {
      slack.controls.expireTriggers();
      return true;
    },
    async shown(where) {
      const all = where.thread === undefined ? ada.messages(where.channel) : ada.thread(where.thread);
      return all.filter((message) => message.user === slack.botUserId).map(shown);
    },
    shownTo: async (user) => slack.person(user.user).ephemerals().map(shown),
    async homeOf(user) {
      const home = slack.person(user.user).home();
      return home === undefined ? undefined : readBlocks(home.blocks).text;
    },
    async contentOf(message, name) {
      const found = ada.thread(message.ref.thread ?? message.ref.message).find(({ ts }) => ts === message.ref.message);
      const file = found?.files.find((id) => slack.core.state.files.get(id)?.name === name) ?? '';
      return slack.core.state.readContent(file) ?? Buffer.alloc(0);
    },
    reactions: async (ref) => slack.core.state.message(ref.channel, ref.message)?.reactions.map(({ name }) => name) ?? [],
    async delete(ref) {
      const message = slack.core.state.message(ref.channel, ref.message);
      if (message !== undefined) slack.core.state.removeMessage(message);
    },
    async fault(kind) {
      const fault = faults[kind];
      if (fault === undefined) await slack.close();
      else slack.controls.failNext('chat.postMessage', fault);
    },
    close: () => setup[Symbol.asyncDispose](),
  };
}

type Read = Pick<Shown, 'text' | 'mentions' | 'everybody' | 'links' | 'styled' | 'buttons'>;

/** Block Kit as the Slack client shows it: `rich_text` and `plain_text` literally, mrkdwn with its markup understood. */
function readBlocks(blocks: readonly Block[]): Read {
  const read: Read = { text: '', mentions: [], everybody: false, links: [], styled: [], buttons: [] };
  read.text = blocks
    .map((block) => readBlock(block, read))
    .filter((text) => text !== '')
    .join('\n');
  return read;
}

function readBlock(block: Record<string, unknown>, read: Read): string {
  if (block.type === 'rich_text')
    return list(block.elements)
      .map((part) => inline(list(part.elements), read))
      .join('\n');
  if (block.type === 'context')
    return list(block.elements)
      .map((element) => textObject(element, read))
      .join('');
  if (block.type === 'table')
    return rows(block.rows)
      .map((row) => row.map((cell) => String(cell.text)).join(' '))
      .join('\n');
  if (block.type === 'actions') {
    for (const element of list(block.elements)) {
      if (element.type === 'button' && isRecord(element.text)) read.buttons.push(textObject(element.text, read));
    }
    return '';
  }
  if (block.type === 'divider') return '';
  throw new Error(`the adapter is not expected to send ${String(block.type)}`);
}

function inline(elements: Record<string, unknown>[], read: Read): string {
  return elements
    .map((element) => {
      if (element.type === 'user') {
        read.mentions.push(String(element.user_id));
        return `@${element.user_id}`;
      }
      if (element.type === 'link') {
        read.links.push(String(element.url));
        return String(element.text ?? element.url);
      }
      if (element.type === 'date') return String(element.fallback);
      if (element.type !== 'text') throw new Error(`the adapter is not expected to send ${String(element.type)}`);
      if (isRecord(element.style)) read.styled.push(String(element.text));
      return String(element.text);
    })
    .join('');
}

function textObject(object: Record<string, unknown>, read: Read): string {
  const text = String(object.text);
  if (object.type === 'plain_text') {
    if (object.emoji !== false) throw new Error(`emoji names in ${text} would become pictures`);
    return text;
  }
  const marked = /[*_~`]|:[\w+-]+:/.exec(text.replace(/<[^<>]*>/g, ''));
  if (marked !== null) read.styled.push(text);
  return text.replace(/<([^<>|]*)(?:\|([^<>]*))?>/g, (_, target: string, label: string | undefined) => {
    if (/^!(?:here|channel|everyone)/.test(target)) read.everybody = true;
    else if (target.startsWith('@')) read.mentions.push(target.slice(1));
    else if (!target.startsWith('!')) read.links.push(target.replaceAll('&amp;', '&'));
    return (label ?? target).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  });
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function rows(value: unknown): Record<string, unknown>[][] {
  return Array.isArray(value) ? value.map(list) : [];
}
