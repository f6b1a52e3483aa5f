import type { NearestQuota } from '../budgets/nearest.ts';
import type { Notify } from '../contracts/notify.ts';
import type { Platform } from '../contracts/platform.ts';
import { encodePress, type TaskVerb } from '../contracts/press.ts';
import type { RunPurpose } from '../contracts/rebase.ts';
import type { Verbosity } from '../contracts/settings.ts';
import { type Button, bold, code, plain, type Span } from '../contracts/view.ts';
import type { QueuePlace } from '../store/queue-place.ts';
import type { ChangeStand } from '../store/task-changes.ts';
import { agentText } from './agent-words.ts';
import { oneLine, shorten } from './neutralise.ts';
import type { RunView } from './run-view.ts';

/** What a card tells about the task besides its run. Texts are as people wrote them: cards clean them. */
export interface TaskFacts {
  task: string;
  number: number;
  title: string;
  command: string;
  /** An agent works on it; else it runs a command. */
  agent: boolean;
  project: string;
  /** Hosts whose addresses are links; none when left out. */
  links?: readonly string[] | undefined;
  branch: string;
  /** Pinned by the first run; undefined until then. */
  base: { branch: string; commit: string } | undefined;
  /** Issue of the code host that it came from, `acme/web#12`. */
  issue?: string | undefined;
  /** Who asked for the run. `notify`: how they want to hear of its end. */
  /** `external`: words that mark somebody who is external to the platform's workspace. */
  requester: { user: string; name: string; external?: string | undefined; notify?: Notify | undefined };
  /** What all of its runs have cost, and may cost; null: no limit. US dollars. */
  spending?: { usd: number; budgetUsd: number | null } | undefined;
  /** What it has changed, and what of that is at the remote; undefined: nothing. */
  change?: ChangeStand | undefined;
}

/** One run of the task among its others. */
export interface RunFacts {
  run: string;
  attempt: number;
  /** The newest attempt of the task: buttons of older runs would act on that one, so they are gone. */
  newest: number;
  /** When that one was asked for. */
  newestSince?: Date | undefined;
  stopRequested: boolean;
  /** It is one of several attempts that are made side by side. */
  among?: { variant: number; of: number } | undefined;
  /** What the agent was asked to do in this run. */
  prompt?: string | undefined;
  /** What it is for when that is not what the task asks for. */
  rebase?: RunPurpose | undefined;
}

/** Where a card is shown. */
export interface ThreadFacts {
  thread: string;
  platform: Platform;
  verbosity: Verbosity;
  /** Account of a person on the platform of the thread, by user id. */
  accounts: ReadonlyMap<string, string>;
  /** Set for a mirror: since when it follows the task, and the keys of the messages it has. What was over before then is not shown. */
  mirror?: { since: Date; keys: ReadonlySet<string> } | undefined;
}

export interface CardContext {
  task: TaskFacts;
  run: RunFacts;
  thread: ThreadFacts;
  now: Date;
  /** Where a queued run stands. */
  place: QueueStand | undefined;
  /** Of an agent at work: the quota that it will use up first, when half of it is used. */
  quota?: NearestQuota | undefined;
  /** Address of docs/errors.md, when error codes can link to it. */
  docs: string | undefined;
}

export interface QueueStand {
  /** 1 is next; 0: it is taken any moment. */
  place: number;
  estimateMs: number | null;
  waitsFor: QueuePlace['waitsFor'];
  /** With `quota`: when it waits for a place. */
  until?: Date | undefined;
  /** With `labels`: those that no runner has, or has together. */
  missing?: readonly string[] | undefined;
}

const titleLength = 100;

/** `#142 npm test`, with the number of the run from the second on, or of one of several attempts. */
export function taskTitle({ task, run }: CardContext): Span[] {
  const { among, attempt } = run;
  const again = among !== undefined ? ` (attempt ${among.variant} of ${among.of})` : attempt === 1 ? '' : ` (run ${attempt})`;
  return [plain(`#${task.number} ${shorten(oneLine(task.title), titleLength)}${again}`)];
}

export function person(context: CardContext, who: { user: string; name: string }, notify = false): Span {
  const user = context.thread.accounts.get(who.user);
  return { type: 'person', name: oneLine(who.name), notify, ...(user === undefined ? {} : { user }) };
}

/**
 * `web · main@3f9c2e1 · sandbox docker · asked by Ada`, or with the agent in place of the sandbox. One that does not isolate is marked as
 * such on every card. A task from the code host names its issue. `ping`: mentions who asked.
 */
export function whereSpans(context: CardContext, view: RunView, ping = false): Span[] {
  const { task } = context;
  const base = view.git === undefined ? task.base : { branch: view.git.baseBranch, commit: view.git.baseCommit };
  const parts: Span[][] = [[plain(oneLine(task.project))]];
  if (base !== undefined) parts.push([code(`${oneLine(base.branch)}@${base.commit.slice(0, 7)}`)]);
  if (view.agent !== undefined) parts.push([plain(agentText(view.agent))]);
  if (view.sandbox !== undefined && (view.agent === undefined || !view.sandbox.isolated)) {
    parts.push([plain(`sandbox ${view.sandbox.kind}`), ...(view.sandbox.isolated ? [] : [plain(', '), bold('not isolated')])]);
  }
  const issue = task.issue === undefined ? [] : [plain(` in ${oneLine(task.issue)}`)];
  const { external } = task.requester;
  const mark = external === undefined ? [] : [plain(` (${oneLine(external)})`)];
  parts.push([plain('asked by '), person(context, task.requester, ping), ...mark, ...issue]);
  return joined(parts);
}

/** Parts with a middle dot between them. */
export function joined(parts: readonly (readonly Span[])[]): Span[] {
  return parts.flatMap((part, at) => [...(at === 0 ? [] : [plain(' · ')]), ...part]);
}

export function taskButton(context: CardContext, verb: TaskVerb, label: string, style: Button['style'] = 'default'): Button {
  return { token: encodePress({ kind: 'task', task: context.task.task, verb }), label, style };
}
