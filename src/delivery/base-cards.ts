import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { encodePress } from '../contracts/press.ts';
import type { RebaseHow } from '../contracts/rebase.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { type Block, type Button, bold, plain, type Span, type View } from '../contracts/view.ts';
import type { CardContext } from './card-context.ts';
import { rebaseLabels } from './change-buttons.ts';
import { pathWords } from './diff-words.ts';
import { oneLine, shorten } from './neutralise.ts';
import { spansText } from './plain-text.ts';
import type { CardInput } from './run-cards.ts';
import { count } from './units.ts';

/** How a change stands to its base, as the last event about it says; `seq`: the number of that event. */
export interface BaseView extends Omit<Extract<RunEventData, { type: 'base' }>, 'type'> {
  seq: number;
}

const filesShown = 5;
const nameLength = 80;

/** A line of the card of the end; nothing where the change fits. */
export function baseBlocks(base: BaseView | undefined): Block[] {
  return base === undefined || base.state === 'fits' ? [] : [{ type: 'text', spans: sentence(base, 'The change') }];
}

/** Ways to bring a change to its base that are worth offering. */
export function waysToFit(base: BaseView | undefined, agent: boolean): RebaseHow[] {
  return base?.state === 'conflict' ? ['rebase', ...(agent ? (['resolve'] as const) : [])] : [];
}

/** That a change does not fit any more, or is merged: one short message in every thread of the task. */
export function baseCards({ workspace, view, contexts }: CardInput, after: number): OutboxPut[] {
  const { base } = view;
  if (base === undefined || base.seq <= after || base.state === 'fits') return [];
  return contexts.map((context) => ({
    workspace,
    key: `base:${view.run}:${base.seq}:${context.thread.thread}`,
    target: { type: 'thread', thread: context.thread.thread, anchor: false },
    payload: { type: 'message', view: newsView(context, base, view.agent !== undefined || context.task.agent) },
    priority: priorities.reply,
  }));
}

function newsView({ run, task }: CardContext, base: BaseView, agent: boolean): View {
  const spans: Span[] = [bold(`#${task.number}`), plain(' '), ...sentence(base, 'its change')];
  // Buttons act on the newest change of the task, which later runs that have changed nothing leave as it is.
  const changed = run.newest > run.attempt && task.change?.run !== run.run ? undefined : task.change?.run;
  const ways = changed === undefined ? [] : waysToFit(base, agent);
  const buttons = ways.map((how): Button => {
    return {
      token: encodePress({ kind: 'change', run: changed ?? run.run, verb: how }),
      label: rebaseLabels[how],
      style: 'default',
    };
  });
  const blocks: Block[] = [{ type: 'text', spans }, ...(buttons.length === 0 ? [] : [{ type: 'buttons' as const, buttons }])];
  return { fallback: spansText(spans), blocks };
}

/** Names of branches and files come from outside. */
function sentence({ branch, commit, state, files = [] }: BaseView, what: string): Span[] {
  const place = `${shorten(oneLine(branch), nameLength)}@${commit.slice(0, 7)}`;
  if (state !== 'conflict')
    return [plain(`✔ ${what === 'its change' ? 'All of its change' : 'All of the change'} is in ${place}.`)];
  const shown = files.slice(0, filesShown).map((path) => pathWords(path));
  const more = files.length - shown.length;
  const where = [...shown, ...(more > 0 ? [count(more, 'more file', 'more files')] : [])].join(', ');
  return [plain(`✖ ${what} conflicts with ${place}, the newest base${where === '' ? '' : `: ${where}`}.`)];
}
