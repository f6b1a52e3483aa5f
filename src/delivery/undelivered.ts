import type { DeliveryFailure } from '../contracts/chat-adapter.ts';
import { type OutboxPut, type OutboxTarget, priorities } from '../contracts/outbox.ts';
import type { IdentityRef } from '../contracts/platform.ts';
import { decodePress } from '../contracts/press.ts';
import { code, type Form, plain, type Span, type View } from '../contracts/view.ts';
import type { ClaimedRow, WaitingRow } from '../store/outbox-rows.ts';
import type { Unattached } from './deliver-parts.ts';
import { marked } from './error-view.ts';
import { textView, withFallback } from './list-view.ts';
import { oneLine } from './neutralise.ts';

/** Rows whose long texts stay in messages, because the platform has refused to take them as a file. */
export const inlinePrefix = 'inline:';
/** A longer command is not repeated to be typed. */
const mostTyped = 200;

/** What stands in the conversation for a file that could not be attached: the text itself where we have it, else where to find it. */
export function insteadOfFile(row: WaitingRow, claimed: ClaimedRow, { file, detail }: Unattached): OutboxPut {
  const words = `\`${file.name}\` could not be attached: ${detail}.`;
  return {
    workspace: row.workspace,
    key: `${inlinePrefix}${row.id}:${file.name}`,
    target: targetOf(row),
    payload: {
      type: 'message',
      view:
        file.from === 'text'
          ? withFallback([
              { type: 'text', spans: marked(`${words} This is its text:`) },
              { type: 'code', text: file.text, ...(file.language === undefined ? {} : { language: file.language }) },
            ])
          : textView(`${words} \`logs\` shows the output of a task.`),
    },
    priority: claimed.priority,
    traceparent: claimed.traceparent,
  };
}

/** Tells a person directly what could not be posted where they asked for it, so that it is not lost. `once`: one message for each of these. */
export function toldDirectly(
  row: WaitingRow,
  claimed: ClaimedRow,
  failure: DeliveryFailure,
  account: string,
  once: string,
): OutboxPut | undefined {
  const { payload } = claimed;
  if (payload.type !== 'message' || row.channelKind === 'direct') return undefined;
  const user: IdentityRef = { platform: row.platform, tenant: row.tenant, user: account };
  return {
    workspace: row.workspace,
    key: `undelivered:${once}`,
    target: targetOf(row),
    payload: { type: 'direct', user, view: withReason(payload.view, failure) },
    priority: claimed.priority,
    traceparent: claimed.traceparent,
  };
}

/** Shows an answer that could not be posted to the person who asked: where they asked for it when the platform can, else directly. */
export function shownToAsker(row: WaitingRow, claimed: ClaimedRow, failure: DeliveryFailure): OutboxPut | undefined {
  const { payload } = claimed;
  if (payload.type !== 'message' || payload.answers === undefined || row.channelKind === 'direct') return undefined;
  return {
    workspace: row.workspace,
    key: `undelivered:${row.id}`,
    target: targetOf(row),
    payload: { type: 'ephemeral', ...payload.answers, view: withReason(payload.view, failure) },
    priority: claimed.priority,
    traceparent: claimed.traceparent,
  };
}

/**
 * Says where somebody asked that the answer is for them alone and cannot reach them, without the answer: on some platforms a bot may write
 * to nobody who has not written to it before.
 */
export function calledAside(row: WaitingRow, claimed: ClaimedRow, failure: DeliveryFailure, name: string): OutboxPut | undefined {
  const { payload } = claimed;
  if (payload.type !== 'ephemeral' || failure.kind !== 'not_permitted' || row.channelKind === 'direct') return undefined;
  const { user, aside } = payload;
  const words = ': the answer is for you alone, and Deckhand may not write to you yet. ';
  const todo =
    'Open a direct conversation with Deckhand and say something there (on Telegram: press Start), then ask here again.';
  return {
    workspace: row.workspace,
    key: `aside:${row.id}`,
    target: targetOf(row),
    payload: {
      type: 'message',
      view: withFallback([
        {
          type: 'text',
          spans: [
            { type: 'person', name: oneLine(name), user: user.user, notify: true },
            ...(aside === undefined ? [plain(words), plain(todo)] : marked(`: ${aside}`)),
          ],
        },
      ]),
    },
    priority: claimed.priority,
    traceparent: claimed.traceparent,
  };
}

function withReason(view: View, failure: DeliveryFailure): View {
  const detail = failure.kind === 'rate_limited' ? '' : `: ${failure.detail}`;
  const why: Record<string, string> = {
    not_permitted: `Deckhand may not write there${detail}. Invite Deckhand to the channel to get the next messages in the thread.`,
    gone: `the channel or the thread no longer exists${detail}.`,
    rejected: `the platform refuses its content${detail}.`,
  };
  return {
    fallback: view.fallback,
    blocks: [
      { type: 'text', spans: marked(`The following could not be posted where you asked for it: ${why[failure.kind] ?? detail}`) },
      ...view.blocks,
    ],
    ...(view.files === undefined ? {} : { files: view.files }),
  };
}

/** A form that came too late to open: the person is told how to get it again, and how to do without. */
export function formTooLate(row: WaitingRow, { user, form }: Extract<OutboxPut['payload'], { type: 'form' }>): OutboxPut {
  const view = withFallback([{ type: 'text', spans: [plain('The form could not be opened in time. '), ...withoutForm(form)] }]);
  return {
    workspace: row.workspace,
    key: `late:${row.id}`,
    target: targetOf(row),
    payload: { type: 'ephemeral', user, view },
    priority: priorities.reply,
  };
}

/** A message with a secret in it could not be deleted: whoever wrote it is to do that. */
export function stillThere(
  row: WaitingRow,
  { user, message, reply }: Extract<OutboxPut['payload'], { type: 'removal' }>,
): OutboxPut {
  const words = 'Your message with the key still stands there: Deckhand has no right to delete it. Delete it yourself, now.';
  return {
    workspace: row.workspace,
    key: `still:${message.platform}:${message.tenant}:${message.channel}:${message.message}`,
    target: targetOf(row),
    payload: {
      type: 'ephemeral',
      user,
      view: textView(words),
      aside: 'your message with a key still stands here. Delete it yourself, now.',
      ...(reply === undefined ? {} : { reply }),
    },
    priority: priorities.decision,
  };
}

function isSecret(field: Form['fields'][number]): boolean {
  return field.type === 'text' && field.secret === true;
}

function withoutForm(form: Form): Span[] {
  const token = decodePress(form.token);
  if (token?.kind === 'decide' && token.verb === 'deny') {
    return marked('Press the button again, or `Deny` to deny without a reason.');
  }
  if (token?.kind !== 'command' || form.fields.some(isSecret)) return marked('Press the button again.');
  if (!form.fields.some(({ id }) => id === 'command')) {
    const options = form.fields.flatMap((field) => (field.type === 'text' ? [`${field.id}=${field.placeholder ?? '…'}`] : []));
    return [plain('Try again, or send it yourself: '), code([token.text, ...options].join(' '))];
  }
  // A proposed command is somebody's text: code, whatever marks are in it.
  const proposed = form.fields.find((field) => field.type === 'text');
  const text = (proposed?.type === 'text' ? (proposed.initial ?? '') : '').trim();
  const repeats = text !== '' && text.length <= mostTyped && !text.includes('\n');
  const typed = `${token.text} ${repeats ? oneLine(text) : '<command>'}`;
  return [plain('Try again, or send it yourself: '), code(typed)];
}

function targetOf(row: WaitingRow): OutboxTarget {
  if (row.threadId !== undefined) return { type: 'thread', thread: row.threadId, anchor: false };
  const { platform, tenant, channel, thread, channelKind } = row;
  return {
    type: 'conversation',
    conversation: { platform, tenant, channel, kind: channelKind, ...(thread === undefined ? {} : { thread }) },
  };
}
