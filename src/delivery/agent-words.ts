import { dollars } from '../approvals/action-text.ts';
import type { Estimate, Likeness } from '../contracts/estimate.ts';
import { plain, type Span } from '../contracts/view.ts';
import type { AgentView, UsageSum } from './agent-view.ts';
import { oneLine, shorten } from './neutralise.ts';
import { count, duration } from './units.ts';

const modelLength = 60;

/** `claude-code (opus, plan)`: which agent works, with which model, in which mode. */
export function agentText(view: Pick<AgentView, 'agent' | 'model' | 'mode' | 'effort' | 'account'>): string {
  const { agent, model, mode, effort, account } = view;
  const named = model === null ? [] : [shorten(oneLine(model), modelLength)];
  const more = [...(effort === null ? [] : [`effort ${effort}`]), ...(account === undefined ? [] : [`account ${account}`])];
  return `${agent} (${[...named, mode, ...more].join(', ')})`;
}

/** `$0.18` and `41k tokens`; empty before anything was used. `whole`: with what came from the cache. */
export function usageSpans({ requests, tokens, cached, costUsd, unpriced }: UsageSum, whole = false): Span[][] {
  if (requests === 0) return [];
  const cost = `${unpriced ? 'at least ' : ''}${dollars(costUsd)}`;
  const more = whole && cached > 0 ? `, ${amount(cached)} more from the cache` : '';
  return [...(unpriced && costUsd === 0 ? [] : [[plain(cost)]]), [plain(`${amount(tokens)} tokens${more}`)]];
}

/** 940, 41k, 1.2M. */
export function amount(n: number): string {
  if (n < 1000) return String(n);
  if (n < 999_500) return `${short(n / 1000)}k`;
  return `${short(n / 1_000_000)}M`;
}

function short(n: number): string {
  return n < 9.95 ? String(Number(n.toFixed(1))) : String(Math.round(n));
}

/**
 * "Tasks like this usually take 4m, $0.18 and 41k tokens; nine of ten stay within 9m, $0.60 and 120k (as the last 12 of codex in this project,
 * with the same model)."
 */
export function estimateText({ tasks, of = 'tasks', like, costUsd, tokens, ms }: Estimate, agent: string): string {
  const parts = (what: 'usual' | 'high', unit: string) => {
    const money = costUsd === undefined ? [] : [dollars(costUsd[what])];
    return [duration(ms[what]), ...money, `${amount(tokens[what])}${unit}`];
  };
  const list = (all: readonly string[]) => `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
  const which = `as the last ${tasks} of ${agent} in this project${like === undefined ? '' : likeText[like]}`;
  return `${of === 'tasks' ? 'Tasks' : 'Further runs'} like this usually take ${list(parts('usual', ' tokens'))}; nine of ten stay within ${list(parts('high', ''))} (${which}).`;
}

const likeText: Record<Likeness, string> = {
  agent: ', with any model',
  model: ', with the same model',
  effort: ', with the same model and effort',
  account: ', with the same settings',
};

/** What of the thread the agent was given, so that nobody is surprised by what it knows. */
export function contextText({ context }: Pick<AgentView, 'context'>): string | undefined {
  if (context === undefined) return undefined;
  const { messages, files, coming = 0, missing = 0 } = context;
  const parts = [
    ...(messages === 0 ? [] : [`${count(messages, 'message')} of the thread${trustText(context)}`]),
    ...(files === 0 ? [] : [count(files, 'file')]),
  ];
  const sentences = [
    ...(parts.length === 0 ? [] : [`The agent was also given ${parts.join(' and ')}.`]),
    ...(coming === 0 ? [] : [`${count(coming, 'file')} ${coming === 1 ? 'is' : 'are'} being fetched.`]),
    ...(missing === 0 ? [] : [`${count(missing, 'file')} could not be given to it.`]),
  ];
  return sentences.length === 0 ? undefined : sentences.join(' ');
}

/** How many of the messages are of whom, where that is not the team. */
function trustText({ guests = 0, externals = 0, bots = 0 }: NonNullable<AgentView['context']>): string {
  const marks = [
    ...(guests === 0 ? [] : [count(guests, 'of a guest', 'of guests')]),
    ...(externals === 0 ? [] : [count(externals, 'from outside', 'from outside')]),
    ...(bots === 0 ? [] : [count(bots, 'of a bot', 'of bots')]),
  ];
  return marks.length === 0 ? '' : ` (${marks.join(', ')})`;
}
