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
  const whole = { ...context, run: { ...context.run, among: undefined } };
  const blocks: Block[] = [
    { type: 'title', spans: taskTitle(whole), state },
    ...attempts.map((attempt): Block => ({ type: 'text', spans: attemptSpans(attempt, chosen?.run === attempt.run) })),
    ...saidBelow(view.change, attempts, context.task.number),
    { type: 'context', spans: whereSpans(whole, ofTask(view), ping) },
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

/** `✔ 2 codex (gpt-5) · 6m 12s · $0.61 · 3 files +41 −7 · tests ✔ 214 passed · risk: CI, lockfiles` */
function attemptSpans(attempt: ComparedAttempt, isChosen: boolean): Span[] {
  const { variant, agent, model, outcome, durationMs, costUsd, totals, check, risks = [] } = attempt;
  const named = model === null ? agent : `${agent} (${shorten(oneLine(model), modelLength)})`;
  const tests = check === undefined ? [] : [`tests ${checkWords({ ...check, command: '', durationMs })}`];
  const parts = [
    named,
    ...(outcome === 'succeeded' ? [] : [outcomeState(outcome).text]),
    ...(durationMs === 0 ? [] : [duration(durationMs)]),
    ...(costUsd === 0 ? [] : [dollars(costUsd)]),
    totals === undefined ? 'nothing changed' : totalWords(totals),
    ...tests,
  ];
  return [
    plain(`${marks[outcome]} `),
    bold(String(variant)),
    plain(' '),
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
    return [text(`${who} chose attempt ${chosen.variant}; the task goes on from it.`)];
  }
  if (!attempts.some(hasChanged)) return [];
  const best = attempts.find((attempt) => hasChanged(attempt) && attempt.outcome === 'succeeded') ?? attempts.find(hasChanged);
  const how = `\`choose #${number} ${best?.variant ?? 1}\` does the same as a button.`;
  if (discardedBy === undefined) return [{ type: 'context', spans: marked(`Nothing goes on before one is chosen. ${how}`) }];
  const who = discardedBy.type === 'user' ? oneLine(discardedBy.name) : 'Somebody';
  return [text(`${who} discarded all of them. They are kept for a while: choosing one takes the task up again.`)];
}

/** Of the newest runs only: what acts on an attempt does not act on what has followed. */
function buttons({ chosen, discardedBy }: ChangeView, attempts: readonly ComparedAttempt[], context: CardContext): Block[] {
  if (context.run.newest > context.run.attempt) return [];
  const changed = attempts.filter(hasChanged);
  if (changed.length === 0) return [{ type: 'buttons', buttons: [taskButton(context, 'retry', 'Retry')] }];
  const button = (run: string, verb: ChangeVerb, label: string, style: Button['style'] = 'default'): Button => ({
    token: encodePress({ kind: 'change', run, verb }),
    label,
    style,
  });
  const [first] = attempts;
  const all = changed.flatMap(({ run, variant }) => [
    button(run, 'review', `Review ${variant}`),
    ...(chosen === undefined ? [button(run, 'choose', `Choose ${variant}`, 'primary')] : []),
  ]);
  const discard =
    first === undefined || chosen !== undefined || discardedBy !== undefined
      ? []
      : [button(first.run, 'discard', 'Discard all', 'danger')];
  return [{ type: 'buttons', buttons: [...all, ...discard] }];
}
