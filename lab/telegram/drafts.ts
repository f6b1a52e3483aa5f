import type { Draft } from './model.ts';
import type { State } from './state.ts';

/** Drafts being streamed to people. One per private chat (and topic): a draft with another id takes the place of the one before. */
export interface Drafts {
  put(draft: Draft): void;
  of(chat: number): Draft[];
  /** A message from the bot ends the draft of its chat and topic. */
  end(chat: number, threadId: number | undefined): void;
  clear(): void;
  close(): void;
}

const keyOf = (draft: Pick<Draft, 'chat' | 'message_thread_id'>) => `${draft.chat}/${draft.message_thread_id ?? ''}`;

export function createDrafts(state: State, stayMs: number): Drafts {
  const shown = new Map<string, { draft: Draft; timer: NodeJS.Timeout }>();

  function remove(key: string): void {
    const entry = shown.get(key);
    if (!entry) return;
    clearTimeout(entry.timer);
    shown.delete(key);
    state.emit({ type: 'draft_removed', draft: entry.draft });
  }

  function close(): void {
    for (const { timer } of shown.values()) clearTimeout(timer);
    shown.clear();
  }

  return {
    put(draft) {
      const key = keyOf(draft);
      clearTimeout(shown.get(key)?.timer);
      const timer = setTimeout(() => remove(key), stayMs);
      timer.unref();
      shown.set(key, { draft, timer });
      state.emit({ type: 'draft', draft });
    },
    of: (chat) => [...shown.values()].map(({ draft }) => draft).filter((draft) => draft.chat === chat),
    end: (chat, threadId) => remove(keyOf({ chat, message_thread_id: threadId })),
    clear: close,
    close,
  };
}
