import { mergeableOf } from '../changes/pull-news.ts';
import { troubleCodes } from '../contracts/agent-trouble.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { describeError, errorCatalogue } from '../contracts/errors.ts';
import { type RebaseHow, runsNothing } from '../contracts/rebase.ts';
import { type ArtifactRef, type RunResult, totalsOf } from '../contracts/run-event.ts';
import type { InteractionState, RunCause } from '../contracts/states.ts';
import { type Block, type Button, code, plain, type Span, type View, type ViewFile } from '../contracts/view.ts';
import { stepBlocks } from './agent-card.ts';
import { type AgentView, lastSaid } from './agent-view.ts';
import { usageSpans } from './agent-words.ts';
import { attemptCard, isOneOfSeveral } from './attempt-card.ts';
import { baseBlocks, waysToFit } from './base-cards.ts';
import { type CardContext, joined, person, taskButton, taskTitle, whereSpans } from './card-context.ts';
import { changeButtons } from './change-buttons.ts';
import { checkBlocks, hasFailed } from './check-words.ts';
import { readable, type Shown } from './decision-text.ts';
import { pathWords, riskBlocks } from './diff-words.ts';
import { errorCodeSpan, marked } from './error-view.ts';
import { endState } from './live-card.ts';
import { cleanText, oneLine, shorten } from './neutralise.ts';
import { lastLines } from './output-tail.ts';
import { plainText, spansText, tableText } from './plain-text.ts';
import { changeBlocks } from './publication-words.ts';
import { isQuiet } from './quiet-hours.ts';
import type { RunView } from './run-view.ts';
import { bytes, count, digits } from './units.ts';

/** Causes with an entry in the catalogue. The others say all there is to say in their message. */
const causeCodes: Partial<Record<RunCause, ErrorCode>> = {
  timed_out: 'DH-301',
  output_limit: 'DH-302',
  memory_limit: 'DH-303',
  disk_limit: 'DH-304',
  runner_lost: 'DH-305',
  result_invalid: 'DH-306',
  internal: 'DH-307',
  expired: 'DH-401',
  no_approver: 'DH-402',
  repository_invalid: 'DH-501',
  base_missing: 'DH-502',
  conflict: 'DH-512',
  sandbox_unavailable: 'DH-600',
  sandbox_lost: 'DH-601',
  image_missing: 'DH-602',
};

const linesShown = { succeeded: 12, failed: 20 } as const;
/** Most characters of output: one message must always be enough for the card. */
const lengthShown = 1500;
const fallbackLength = 150;
const filesShown = 8;
/** Larger files are not attached; a button gets them. */
const attachedBytes = 2_000_000;

/** Files made for people are what they wait for: up to this size they are attached. */
const largestFile = 20_000_000;

/** How a run ended, exactly one per run and thread. Throws when the run has not ended. */
export function endCard(view: RunView, context: CardContext): View {
  const { result } = view;
  if (result === undefined) throw new Error(`run ${view.run} has not ended`);
  if (isOneOfSeveral(view, context)) return attemptCard(view, result, context, whatHappened(result, context.docs));
  const succeeded = result.outcome === 'succeeded';
  const state = endState(result.outcome, result.durationMs);
  const answer = view.agent === undefined ? undefined : answerOf(view.agent, context);
  const tail = lastLines(view.tail, succeeded ? linesShown.succeeded : linesShown.failed, lengthShown);
  const log = result.artifacts.find(({ kind }) => kind === 'log');
  const patch = result.artifacts.find(({ kind }) => kind === 'patch');
  const picture = result.artifacts.find(({ kind }) => kind === 'picture');
  const made = result.artifacts.filter(({ kind }) => kind === 'file');
  const files = [
    ...(answer?.files ?? []),
    ...made.flatMap((artifact) => attach(artifact, largestFile)),
    ...attach(picture),
    ...attach(result.files.length > 0 ? patch : undefined),
    ...attach(!succeeded && tail.hidden > 0 && view.agent === undefined ? log : undefined),
    ...attach(result.check?.output === undefined ? undefined : result.check.log),
  ];
  const blocks: Block[] = [
    { type: 'title', spans: taskTitle(context), state },
    ...(succeeded && !runsNothing(context.run.rebase)
      ? []
      : [{ type: 'text' as const, spans: whatHappened(result, context.docs) }]),
    ...conflicting(result),
    ...(succeeded || view.agent === undefined
      ? []
      : stepBlocks(view.agent, result.outcome === 'cancelled' ? 'skipped' : 'failed')),
    ...(answer === undefined ? output(tail, log) : answer.blocks),
    ...tooLarge(made),
    ...changes(result),
    ...riskBlocks(result.risks),
    ...checkBlocks(result.check),
    ...warnings(view),
    ...changeBlocks(view, context),
    ...baseBlocks(view.base),
    { type: 'context', spans: joined([whereSpans(context, view, pingsAtEnd(view, context)), ...facts(view, result, context)]) },
    ...buttons(view, context, result, files),
  ];
  const said = shorten(oneLine(answer?.blocks.map(plainText).join('\n') ?? ''), fallbackLength);
  const why = succeeded ? said : oneLine(result.message);
  return {
    fallback: `${spansText(taskTitle(context))}: ${state.text}.${why === '' ? '' : ` ${why}`}`,
    blocks,
    ...(files.length === 0 ? {} : { files }),
  };
}

/** Only who wants to be mentioned at the end is, and not in quiet hours. */
export function pingsAtEnd({ endedAt }: RunView, { task, now }: CardContext): boolean {
  const { notify } = task.requester;
  return notify?.by === 'mention' && !isQuiet(notify.quiet, endedAt ?? now);
}

/** What happened, what to do, and the code when there is one. */
function whatHappened(result: RunResult, docs: string | undefined): Span[] {
  const message = oneLine(result.message);
  const known = /^(.*) (DH-\d{3})$/s.exec(message);
  const named = known?.[2];
  if (known?.[1] !== undefined && isCode(named)) return [...marked(known[1]), plain(' '), errorCodeSpan(named, docs)];
  const cause = result.cause === 'agent' ? agentCode(result) : result.cause && causeCodes[result.cause];
  if (cause === undefined) return marked(message);
  return [...marked(`${message} ${describeError(cause, {}).remedy}`), plain(' '), errorCodeSpan(cause, docs)];
}

/** By what the harness said it was; what is not known is an agent that gave up. */
function agentCode({ trouble }: RunResult): ErrorCode {
  return trouble === undefined ? 'DH-308' : troubleCodes[trouble];
}

function isCode(text: string | undefined): text is ErrorCode {
  return text !== undefined && text in errorCatalogue;
}

function output(tail: { lines: string[]; hidden: number }, log: ArtifactRef | undefined): Block[] {
  if (tail.lines.length === 0) return [];
  const shown: Block = { type: 'code', text: cleanText(tail.lines.join('\n')) };
  if (tail.hidden === 0) return [shown];
  const size = log === undefined ? '' : `, ${bytes(log.bytes)}`;
  const all = tail.hidden + tail.lines.length;
  return [
    {
      type: 'context',
      spans: [plain(`Last ${count(tail.lines.length, 'line')} of ${digits(all)}${size}; Log has all of them.`)],
    },
    shown,
  ];
}

/** What the agent said last, whole: on the card, or attached with its beginning. */
function answerOf(agent: AgentView, { task }: CardContext): Shown | undefined {
  const text = lastSaid(agent).trim();
  return text === '' ? undefined : readable(text, { name: `${task.number}-answer.md`, what: 'answer' });
}

/** Files that no platform takes, by name. */
function tooLarge(made: readonly ArtifactRef[]): Block[] {
  const large = made.filter((artifact) => artifact.bytes > largestFile);
  if (large.length === 0) return [];
  const names = large.map(({ name, bytes: size }) => `${shorten(oneLine(name), 80)} (${bytes(size)})`).join(', ');
  return [{ type: 'text', spans: [plain(`Too large to attach: ${names}.`)] }];
}

/** Files that conflict with the base branch; those beyond the first few are counted. */
function conflicting({ conflicts = [] }: RunResult): Block[] {
  if (conflicts.length === 0) return [];
  const more = conflicts.length - filesShown;
  const shown = conflicts.slice(0, filesShown).map((path) => pathWords(path));
  return [{ type: 'code', text: [...shown, ...(more > 0 ? [`and ${count(more, 'more file', 'more files')}`] : [])].join('\n') }];
}

/** Where the change is known to conflict with its base. One that could not be rebased just now is not offered that again. */
function waysToRebase({ result, change, base }: RunView, agent: boolean, { run: { rebase }, task }: CardContext): RebaseHow[] {
  const resolve: RebaseHow[] = agent ? ['resolve'] : [];
  if (result?.cause === 'conflict') return rebase === 'revert' ? [] : resolve;
  const pull = change.pulls.at(-1)?.pull ?? task.change?.told?.facts;
  return pull?.state === 'open' && mergeableOf(pull) === 'conflict' ? ['rebase', ...resolve] : waysToFit(base, agent);
}

/** Changed files with their lines, aligned; those beyond the first few are counted. */
function changes({ files, totals }: RunResult): Block[] {
  if (files.length === 0) return [];
  const rows = files
    .slice(0, filesShown)
    .map(({ path, added, removed }) => [
      pathWords(path),
      ...(added === null || removed === null
        ? ['binary', '']
        : [added === 0 ? '' : `+${digits(added)}`, removed === 0 ? '' : `−${digits(removed)}`]),
    ]);
  const more = (totals?.files ?? files.length) - rows.length;
  const table = tableText({
    type: 'table',
    columns: [
      { header: '', align: 'left' },
      { header: '', align: 'right' },
      { header: '', align: 'right' },
    ],
    rows,
  });
  return [{ type: 'code', text: more === 0 ? table : `${table}\nand ${count(more, 'more file', 'more files')}` }];
}

/** What went wrong beside the command once it had ended. A repeated collecting notes the same again. */
function warnings(view: RunView): Block[] {
  const texts = view.notes.filter(({ level }) => level === 'warning').map(({ text }) => shorten(oneLine(text), 300));
  return [...new Set(texts)].map((text) => ({ type: 'text', spans: [plain(text)] }));
}

function facts(view: RunView, result: RunResult, context: CardContext): Span[][] {
  const all: Span[][] = [];
  if (result.files.length > 0) {
    const { files, added, removed } = totalsOf(result);
    const lines = `${count(files, 'file')} +${digits(added)} −${digits(removed)}`;
    all.push([code(oneLine(view.git?.branch ?? context.task.branch)), plain(` ${lines}`)]);
  }
  if (result.exitCode !== undefined && result.exitCode !== 0) all.push([plain(`exit code ${result.exitCode}`)]);
  if (result.signal !== undefined) all.push([plain(`signal ${oneLine(result.signal)}`)]);
  // Of an agent that came to its end nobody asks for it.
  if (result.peakMemoryBytes !== undefined && !(view.agent !== undefined && result.outcome === 'succeeded'))
    all.push([plain(`peak memory ${bytes(result.peakMemoryBytes)}`)]);
  if (view.agent !== undefined) return [...all, ...usageSpans(view.agent.usage, true), ...decided(view, context)];
  const approved = view.interactions.filter(({ state }) => state === 'approved');
  if (approved.length > 0) all.push([plain(`approved: ${approved.length} (`), ...approvers(view, context), plain(')')]);
  return all;
}

/** How often people decided for the agent, and who they are. */
function decided(view: RunView, context: CardContext): Span[][] {
  const made = view.interactions.filter(({ state }) => byPeople.has(state));
  if (made.length === 0) return [];
  return [[plain(`${count(made.length, 'decision')} (`), ...deciders(view, context, byPeople), plain(')')]];
}

const byPeople: ReadonlySet<InteractionState> = new Set(['approved', 'denied', 'answered']);

function approvers(view: RunView, context: CardContext): Span[] {
  return deciders(view, context, new Set(['approved']));
}

function deciders(view: RunView, context: CardContext, states: ReadonlySet<InteractionState>): Span[] {
  const people = new Map<string, string>();
  for (const { state, decidedBy } of view.interactions) {
    if (states.has(state) && decidedBy?.type === 'user') people.set(decidedBy.user, decidedBy.name);
  }
  return [...people].flatMap(([user, name], at) => [...(at === 0 ? [] : [plain(', ')]), person(context, { user, name })]);
}

function attach(artifact: ArtifactRef | undefined, largest = attachedBytes): ViewFile[] {
  if (artifact === undefined || artifact.bytes === 0 || artifact.bytes > largest) return [];
  return [{ from: 'artifact', name: artifact.name, artifact: artifact.id }];
}

/** Buttons act on the task, so only the card of its newest run has them. */
function buttons(view: RunView, context: CardContext, result: RunResult, files: readonly ViewFile[]): Block[] {
  const { attempt, newest } = context.run;
  if (newest > attempt) return [{ type: 'context', spans: [plain(`Run ${attempt} of ${newest}; a later run follows below.`)] }];
  const patch = result.artifacts.find(({ kind }) => kind === 'patch');
  const attached = patch !== undefined && files.some(({ name }) => name === patch.name);
  const all: Button[] = [
    ...changeButtonsOf(view, context, result),
    taskButton(context, 'retry', 'Retry'),
    taskButton(context, 'log', 'Log'),
    ...(patch === undefined || attached ? [] : [taskButton(context, 'patch', 'Patch')]),
    taskButton(context, 'show', 'Show'),
  ];
  return [{ type: 'buttons', buttons: all }];
}

/** Of what the task has changed, also where this run of it has added nothing. */
function changeButtonsOf(view: RunView, context: CardContext, { commit }: RunResult): Button[] {
  const { task } = context;
  const { run } = context.run;
  const stand = task.change;
  const agent = task.agent || view.agent !== undefined;
  if (commit === undefined && stand === undefined) return [];
  return changeButtons({
    run: stand?.run ?? run,
    newest: true,
    where: 'end',
    stand,
    agent,
    rebase: waysToRebase(view, agent, context),
    discarded: view.change.discardedBy !== undefined,
    checkFailed: stand?.run === run && hasFailed(view.result?.check),
    // What befalls a pull request is told of the run whose change it shows.
    facts: view.change.pulls.at(-1)?.pull ?? stand?.told?.facts,
    merged: view.base?.state === 'merged',
  });
}
