import { encodePress } from '../contracts/press.ts';
import { type RunResult, totalsOf } from '../contracts/run-event.ts';
import { type Block, type Button, plain, type Span, type View } from '../contracts/view.ts';
import { logButton } from './agent-card.ts';
import { newestSentences } from './agent-lines.ts';
import { lastSaid } from './agent-view.ts';
import { usageSpans } from './agent-words.ts';
import { type CardContext, joined, taskTitle, whereSpans } from './card-context.ts';
import { checkBlocks } from './check-words.ts';
import { riskBlocks, totalWords } from './diff-words.ts';
import { endState } from './live-card.ts';
import { cleanText, oneLine } from './neutralise.ts';
import { spansText } from './plain-text.ts';
import { proseSpans } from './prose-spans.ts';
import type { RunView } from './run-view.ts';

const saidLength = 400;

/** It is one of several attempts and not, or not yet, the one the task goes on from. */
export function isOneOfSeveral(view: RunView, { run }: CardContext): boolean {
  return run.among !== undefined && view.change.chosen?.run !== view.run;
}

/**
 * How one of several attempts ended, in short: what people decide about stands on the card that compares them. `whatHappened`: why it did
 * not end well.
 */
export function attemptCard(view: RunView, result: RunResult, context: CardContext, whatHappened: Span[]): View {
  const state = endState(result.outcome, result.durationMs);
  const said = view.agent === undefined ? '' : inShort(lastSaid(view.agent));
  const changed = result.commit === undefined ? 'nothing changed' : totalWords(totalsOf(result));
  const usage = view.agent === undefined ? [] : usageSpans(view.agent.usage, true);
  const blocks: Block[] = [
    { type: 'title', spans: taskTitle(context), state },
    ...(result.outcome === 'succeeded' ? [] : [{ type: 'text' as const, spans: whatHappened }]),
    ...(said === '' ? [] : [{ type: 'text' as const, spans: proseSpans(said) }]),
    ...riskBlocks(result.risks),
    ...checkBlocks(result.check),
    { type: 'context', spans: joined([whereSpans(context, view), [plain(changed)], ...usage]) },
    ...notChosen(view),
    { type: 'buttons', buttons: buttons(view, result, context) },
  ];
  return { fallback: `${spansText(taskTitle(context))}: ${state.text}.`, blocks };
}

function inShort(text: string): string {
  return newestSentences(cleanText(text.trim().slice(-4 * saidLength)), saidLength);
}

function notChosen({ change: { chosen } }: RunView): Block[] {
  if (chosen === undefined) return [];
  const who = chosen.by.type === 'user' ? oneLine(chosen.by.name) : 'Somebody';
  return [{ type: 'context', spans: [plain(`Not chosen: ${who} chose attempt ${chosen.variant}.`)] }];
}

function buttons(view: RunView, { commit }: RunResult, { run, task }: CardContext): Button[] {
  const { run: id } = view;
  const review = {
    token: encodePress({ kind: 'change', run: id, verb: 'review' }),
    label: 'Review diff',
    style: 'default',
  } as const;
  return [...(commit === undefined ? [] : [review]), logButton(task.number, run.attempt)];
}
