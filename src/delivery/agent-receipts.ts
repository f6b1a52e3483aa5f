import { type MessageOrigin, readOrigin } from '../contracts/message-origin.ts';
import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { bold, plain } from '../contracts/view.ts';
import type { Tx } from '../store/database.ts';
import { messageOrigins } from '../store/run-mail.ts';
import { rowsByKey } from '../store/sent-messages.ts';
import type { MessageView } from './agent-view.ts';
import { readable } from './decision-text.ts';
import { oneLine, shorten } from './neutralise.ts';
import { receiptKey } from './reply.ts';
import type { CardInput } from './run-cards.ts';

const questionLength = 200;

/**
 * Answers to side questions that are new since event `after`, each a message of its own in every thread of the task: whoever asked waits
 * for it, and it is no part of the work.
 */
export function asideCards({ workspace, view, contexts }: CardInput, after: number): OutboxPut[] {
  const fresh = (view.agent?.asides ?? []).filter(({ seq }) => seq > after);
  return fresh.flatMap(({ message, text }) =>
    contexts.map(({ task, thread }): OutboxPut => {
      const asked = view.agent?.messages.find((one) => one.message === message);
      const about = asked === undefined ? '' : ` to “${shorten(oneLine(asked.text), questionLength)}” (${oneLine(asked.by)})`;
      const { blocks, files } = readable(text, { name: `${task.number}-aside.md`, what: 'answer' });
      const head = { type: 'text' as const, spans: [bold(`#${task.number}`), plain(` answers beside its work${about}`)] };
      const shown = {
        fallback: `#${task.number} answers: ${shorten(oneLine(text), questionLength)}`,
        blocks: [head, ...blocks],
        ...(files.length === 0 ? {} : { files }),
      };
      return {
        workspace,
        key: `aside:${view.run}:${message}:${thread.thread}`,
        target: { type: 'thread', thread: thread.thread, anchor: false },
        payload: { type: 'message', view: shown },
        priority: priorities.reply,
      };
    }),
  );
}

/**
 * Receipts on the messages that the agent has read since event `after`, or never will: where a message bears that it was received, it
 * bears now that it was read, or nothing.
 */
export async function readReceipts(db: Tx['db'], { workspace, view }: CardInput, after: number): Promise<OutboxPut[]> {
  const fresh = (view.agent?.messages ?? []).filter(({ settled }) => settled !== undefined && settled > after);
  if (fresh.length === 0) return [];
  const states = new Map(fresh.map(({ message, state }) => [message, state]));
  const settled = (await messageOrigins(db, [view.run])).flatMap(({ message, origin }) => {
    const at = readOrigin(origin);
    const state = states.get(message);
    return at === undefined || state === undefined ? [] : [{ at, state }];
  });
  const received = await rowsByKey(
    db,
    workspace,
    settled.map(({ at }) => receiptKey(at, 'received', true)),
  );
  return settled.flatMap(({ at, state }) => {
    const row = received.get(receiptKey(at, 'received', true));
    return row?.payload.type === 'reaction' ? [markOf({ ...row, payload: row.payload, workspace }, at, state)] : [];
  });
}

type Received = { workspace: string; target: OutboxPut['target']; payload: Extract<OutboxPut['payload'], { type: 'reaction' }> };

function markOf({ workspace, target, payload }: Received, at: MessageOrigin, state: MessageView['state']): OutboxPut {
  const read = state === 'read';
  const mark = read ? 'read' : 'received';
  return {
    workspace,
    key: receiptKey(at, mark, read),
    target,
    payload: { ...payload, mark, on: read },
    // Nobody needs to be told that a mark could not be set.
    priority: priorities.progress,
  };
}
