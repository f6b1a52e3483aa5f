import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { bold, plain, type Span, type View } from '../contracts/view.ts';
import type { CardContext } from './card-context.ts';
import { spansText } from './plain-text.ts';
import type { PublicationView, PullView } from './publication-view.ts';
import { publicationSpans, pullName } from './publication-words.ts';
import type { CardInput } from './run-cards.ts';

/**
 * What has become of a change since event `after`, one short message each in every thread of the task: the branch is there, a pull request is
 * open, or why not. The card of the end shows all of it; these are for those who do not look there.
 */
export function publicationCards(input: CardInput, after: number): OutboxPut[] {
  const { view } = input;
  const over = view.change.publications.filter(({ state, what, seq }) => {
    return seq > after && (state === 'failed' || (state === 'done' && what === 'push'));
  });
  // One that follows its branch from an earlier run was told of there.
  const isOpener = view.change.publications.some(({ what, state }) => what !== 'push' && state === 'done');
  const opened = isOpener ? view.change.pulls.filter(({ first }) => first > after) : [];
  return input.contexts.flatMap((context) => [
    ...over.map((one) => put(input, context, `out:${one.id}:${one.seq}`, told(context, publicationSpans(one, context)))),
    ...opened.map((pull) =>
      put(input, context, `opened:${view.run}:${pull.first}`, told(context, openedSpans(pull, view.change))),
    ),
  ]);
}

function openedSpans({ repository, pull }: PullView, { publications }: { publications: readonly PublicationView[] }): Span[] {
  const by = publications.find(({ what, state }) => what !== 'push' && state === 'done')?.by;
  const what = pull.draft ? 'draft of a pull request' : 'pull request';
  const approved = by?.type === 'user' ? ` · approved by ${by.name}` : '';
  return [plain(`✔ A ${what} is open: `), pullName({ repository, pull }), plain(approved)];
}

function told({ task }: CardContext, spans: readonly Span[]): View {
  const all = [bold(`#${task.number}`), plain(' '), ...spans];
  return { fallback: spansText(all), blocks: [{ type: 'text', spans: all }] };
}

function put({ workspace }: CardInput, { thread }: CardContext, name: string, view: View): OutboxPut {
  return {
    workspace,
    key: `${name}:${thread.thread}`,
    target: { type: 'thread', thread: thread.thread, anchor: false },
    payload: { type: 'message', view },
    priority: priorities.reply,
  };
}
