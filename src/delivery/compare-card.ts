import { dollars } from '../approvals/action-text.ts';
import { type ChangeVerb, encodePress } from '../contracts/press.ts';
import type { ComparedAttempt } from '../contracts/run-event.ts';
import { type Block, type Button, bold, plain, type Span, type Tone, type View } from '../contracts/view.ts';
import { type CardContext, joined, taskButton, taskTitle, whereSpans } from './card-context.ts';
import { checkWords } from './check-words.ts';
import { riskName, totalWords } from './diff-words.ts';
import { marked } from './error-view.ts';
import { outcomeState } from './live-card.ts';
import { oneLine, shorten } from './neutralise.ts';
import { spansText } from './plain-text.ts';
import type { ChangeView } from './publication-view.ts';
import type { RunView } from './run-view.ts';
import { duration } from './units.ts';

const modelLength = 40;

/** The attempts at a task side by side once all have ended: people choose one of those that have changed something. */
export function compareCard(view: RunView, attempts: readonly ComparedAttempt[], context: CardContext, ping = false): View {
  const { chosen } = view.change;
  const state = stateOf(view.change, attempts);
  const same = madeByAll(attempts);
  const whole = { ...context, run: { ...context.run, among: undefined } };
  const blocks: Block[] = [
    { type: 'title', spans: taskTitle(whole), state },
    ...attempts.flatMap((attempt): Block[] => [
      { type: 'text', spans: attemptSpans(attempt, same === undefined, chosen?.run === attempt.run) },
      ...ownButtons(attempt, view.change, whole),
    ]),
    ...saidBelow(view.change, attempts, context.task.number),
    {
      type: 'context',
      spans: joined([whereSpans(whole, ofTask(view), ping), ...(same === undefined ? [] : [[plain(`all by ${same}`)]])]),
    },
    ...buttons(view.change, attempts, whole),
  ];
  return { fallback: `${spansText(taskTitle(whole))}: ${state.text}.`, blocks };
}

/** Without what is an attempt's own. */
function ofTask(view: RunView): RunView {
  return { ...view, agent: undefined, sandbox: view.sandbox?.isolated === false ? view.sandbox : undefined };
}

function stateOf({ chosen, discardedBy }: ChangeView, attempts: readonly ComparedAttempt[]): { text: string; tone: Tone } {
  if (chosen !== undefined) return { text: `attempt ${chosen.variant} chosen`, tone: 'good' };
  if (!attempts.some(hasChanged)) return { text: `${attempts.length} attempts have changed nothing`, tone: 'muted' };
  if (discardedBy !== undefined) return { text: `${attempts.length} attempts discarded`, tone: 'muted' };
  return { text: `${attempts.length} attempts to choose from`, tone: 'waiting' };
}

function hasChanged({ totals }: ComparedAttempt): boolean {
  return totals !== undefined;
}

const marks = { succeeded: '✔', failed: '✖', timed_out: '✖', interrupted: '✖', cancelled: '○' } as const;

function madeBy({ agent, model }: ComparedAttempt): string {
  return model === null ? agent : `${agent} (${shorten(oneLine(model), modelLength)})`;
}

/** The agent, where all were made by the same. */
function madeByAll(attempts: readonly ComparedAttempt[]): string | undefined {
  const names = [...new Set(attempts.map(madeBy))];
  return attempts.length > 1 && names.length === 1 ? names[0] : undefined;
}

/** `✔ 2 codex (gpt-5) · 6m 12s · $0.61 · 3 files +41 −7 · tests ✔ 214 passed · risk: CI, lockfiles`; named: with the agent. */
function attemptSpans(attempt: ComparedAttempt, named: boolean, isChosen: boolean): Span[] {
  const { variant, outcome, durationMs, costUsd, totals, check, risks = [] } = attempt;
  const tests = check === undefined ? [] : [`tests ${checkWords({ ...check, command: '', durationMs })}`];
  const parts = [
    ...(named ? [madeBy(attempt)] : []),
    ...(outcome === 'succeeded' ? [] : [outcomeState(outcome).text]),
    ...(durationMs === 0 ? [] : [duration(durationMs)]),
    ...(costUsd === 0 ? [] : [dollars(costUsd)]),
    totals === undefined ? 'nothing changed' : totalWords(totals),
    ...tests,
  ];
  return [
    plain(`${marks[outcome]} `),
    bold(String(variant)),
    plain(named ? ' ' : ' · '),
    ...joined([
      ...parts.map((part) => [plain(part)]),
      ...(risks.length === 0 ? [] : [[bold('risk: '), plain(risks.map(riskName).join(', '))]]),
      ...(isChosen ? [[bold('chosen')]] : []),
    ]),
  ];
}

function saidBelow({ chosen, discardedBy }: ChangeView, attempts: readonly ComparedAttempt[], number: number): Block[] {
  const text = (words: string): Block => ({ type: 'text', spans: [plain(words)] });
  if (chosen !== undefined) {
    const who = chosen.by.type === 'user' ? oneLine(chosen.by.name) : 'Somebody';
    return [text(`${who} chose attempt ${chosen.variant}; the task goes on from it. Its own card has what can be done with it.`)];
  }
  if (!attempts.some(hasChanged)) return [];
  const best = attempts.find((attempt) => hasChanged(attempt) && attempt.outcome === 'succeeded') ?? attempts.find(hasChanged);
  const how = `\`choose #${number} ${best?.variant ?? 1}\` does the same as a button.`;
  if (discardedBy === undefined) return [{ type: 'context', spans: marked(`Nothing goes on before one is chosen. ${how}`) }];
  const who = discardedBy.type === 'user' ? oneLine(discardedBy.name) : 'Somebody';
  return [text(`${who} discarded all of them. They are kept for a while: choosing one takes the task up again.`)];
}

/** Right below what they are about. Of the newest runs only: what acts on an attempt does not act on what has followed. */
function ownButtons(attempt: ComparedAttempt, { chosen }: ChangeView, { run: { newest, attempt: own } }: CardContext): Block[] {
  if (newest > own || !hasChanged(attempt)) return [];
  const { run, variant } = attempt;
  const review = buttonOf(run, 'review', `Review ${variant}`);
  const choose = chosen === undefined ? [buttonOf(run, 'choose', `Choose ${variant}`, 'primary')] : [];
  return [{ type: 'buttons', buttons: [review, ...choose] }];
}

/** What is about all of them. */
function buttons({ chosen, discardedBy }: ChangeView, attempts: readonly ComparedAttempt[], context: CardContext): Block[] {
  const [first] = attempts;
  if (first === undefined || context.run.newest > context.run.attempt) return [];
  if (!attempts.some(hasChanged)) return [{ type: 'buttons', buttons: [taskButton(context, 'retry', 'Retry')] }];
  if (chosen !== undefined || discardedBy !== undefined) return [];
  return [{ type: 'buttons', buttons: [buttonOf(first.run, 'discard', 'Discard all', 'danger')] }];
}

function buttonOf(run: string, verb: ChangeVerb, label: string, style: Button['style'] = 'default'): Button {
  return { token: encodePress({ kind: 'change', run, verb }), label, style };
}
