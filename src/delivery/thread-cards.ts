import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { type Block, plain, type View } from '../contracts/view.ts';
import type { Tx } from '../store/database.ts';
import { holdRuns, messagesOfThread } from '../store/threads.ts';
import { factsWithin, readCardFacts } from './card-facts.ts';
import { marked } from './error-view.ts';
import { moment } from './moments.ts';
import { oneLine } from './neutralise.ts';
import { readOn } from './read-run.ts';
import { runCards } from './run-cards.ts';
import { emptyRunView } from './run-view.ts';

/**
 * What a thread that begins to follow a task shows first: the card of its newest run, or of all attempts that were begun side by side, and
 * what waits for a decision, without what was before. Call it in the transaction that makes the thread, under the lock of the task: nothing is logged meanwhile, so that whatever
 * comes next is put for this thread too.
 */
export async function firstCards(
  tx: Tx,
  at: { task: string; thread: string; now: Date; docs: string | undefined },
): Promise<OutboxPut[]> {
  const runs = await holdRuns(tx, at.task);
  const facts = await readCardFacts(factsWithin(tx), runs, at);
  const cards: OutboxPut[] = [];
  for (const run of runs) {
    const input = await facts.input(await readOn(tx.db, emptyRunView(run)));
    if (input === undefined) continue;
    const contexts = input.contexts.filter(({ thread }) => thread.thread === at.thread);
    cards.push(...runCards({ ...input, contexts }, false));
  }
  return cards;
}

/** Marks of a card that will not change any more. */
const ended = { text: 'no longer followed here', tone: 'muted' } as const;

/**
 * What the messages of a thread say when it stops following its task, newer versions of those that change: buttons are gone, and what
 * would have gone on says that it does not. The caller holds the runs of the task.
 */
export async function lastCards(
  tx: Tx,
  at: { workspace: string; thread: string; number: number; by: string; now: Date; runs: readonly string[] },
): Promise<OutboxPut[]> {
  const messages = await messagesOfThread(tx, at.thread);
  const ends = at.runs.map((run) => `end:${run}:${at.thread}`);
  const hasEnded = (end: string) => messages.some(({ key }) => key === end);
  const live = ends.filter((end) => !hasEnded(end)).map((end) => end.replace(/^end:/, 'live:'));
  const speaks = live[0] ?? ends.at(-1);
  return messages.flatMap(({ key, payload }): OutboxPut[] => {
    const asks = payload.view.blocks.some(({ type }) => type === 'buttons' || type === 'select');
    if (!asks && key !== speaks) return [];
    // A request that waits would go on; so would the card of a run.
    const goesOn = live.includes(key) || (asks && /^(decision|remind|escalate):/.test(key));
    const note = key === speaks ? noteOf(at) : undefined;
    return [
      {
        workspace: at.workspace,
        key,
        target: { type: 'thread', thread: at.thread, anchor: false },
        payload: { type: 'message', view: atRest(payload.view, goesOn, note) },
        priority: priorities.reply,
      },
    ];
  });
}

function noteOf({ number, by, now }: { number: number; by: string; now: Date }): Block {
  return {
    type: 'text',
    spans: [
      plain(`${oneLine(by)} ended following #${number} here, `),
      moment(now),
      ...marked(`. \`mirror #${number} here\` begins again.`),
    ],
  };
}

function atRest(view: View, goesOn: boolean, note: Block | undefined): View {
  const kept = view.blocks.filter(({ type }) => type !== 'buttons' && type !== 'select');
  const blocks = kept.map((block): Block => (goesOn && block.type === 'title' ? { ...block, state: ended } : block));
  const title = blocks.some(({ type }) => type === 'title');
  const untitled: Block[] = goesOn && !title ? [{ type: 'context', spans: [plain('No longer followed here.')] }] : [];
  return { ...view, blocks: [...blocks, ...untitled, ...(note === undefined ? [] : [note])] };
}
