import { AppError } from '../contracts/errors.ts';
import { isTerminal } from '../contracts/states.ts';
import { bold, plain, type View, type ViewFile } from '../contracts/view.ts';
import { errorSpans } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { cleanText } from '../delivery/neutralise.ts';
import { addOutput, emptyTail, lastLines } from '../delivery/output-tail.ts';
import { answerFiles } from '../delivery/reply.ts';
import { bytes } from '../delivery/units.ts';
import { putOutboxRows } from '../store/outbox.ts';
import { type ArtifactRow, artifactsOf, outputTail } from '../store/run-queries.ts';
import { changeRunOf, type RunRow, runsOf, type TaskRow } from '../store/task-queries.ts';
import { placesOfTask } from '../store/threads.ts';
import { answered } from './answer.ts';
import { count, optional, taskNumber } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { notKept } from './not-kept.ts';
import { taskFor } from './subject.ts';
import { runWords } from './task-lines.ts';

const need = { command: 'logs', permission: 'task.see', action: 'read logs' } as const;
/** Lines shown in the message; all of it comes as a file. */
const shownLines = 20;
/** Most characters of output of a run that still goes; what ended is a file of its own, whole. */
const liveChars = 1_000_000;

export const logs = defineCommand({
  name: 'logs',
  group: 'look',
  summary: 'Shows the last lines a task wrote, with all of it as a file',
  details: [
    'Files go where everybody can see them: into the conversation where you ask with a message, else into the threads of the task.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {
    run: optional({ hint: '1', about: 'an earlier run of the task', schema: count(9999) }),
  },
  examples: [
    ['logs #142', 'the end of the log and the file'],
    ['logs #142 run=1', 'the log of its first run'],
  ],
  async run(ctx, args) {
    const { task } = await taskFor(ctx, args.task, need);
    const run = await runOf(ctx, task, args.run);
    const { text, whole } = await outputTail(ctx.tx, run.id, liveChars);
    const kept = (await artifactsOf(ctx.tx, run.id)).find(({ kind }) => kind === 'log');
    const lost = kept?.keptMs === undefined ? undefined : notKept('log', task.number, kept.keptMs);
    if (lost !== undefined && text === '') throw lost;
    const file = lost === undefined ? logFile(task, run, kept, text) : undefined;
    const placed = await placeFile(ctx, task, file === undefined ? [] : [file]);
    return {
      audience: placed.audience,
      view: logView(ctx, task, run, { text, whole, lost, inFile: file?.from === 'artifact' }, placed),
      task: task.id,
    };
  },
});

/** The patch of what a task has changed so far, as a file. Pressed on a card. */
export async function patchReply(ctx: CommandContext, task: TaskRow): Promise<Reply> {
  const changed = changeRunOf(await runsOf(ctx.tx, task.id), task) ?? task.run;
  const patch = changed === undefined ? undefined : (await artifactsOf(ctx.tx, changed.id)).find(({ kind }) => kind === 'patch');
  if (patch === undefined) {
    throw new AppError('DH-300', { what: `#${task.number} has changed no files.`, instead: '`show` tells what it did.' });
  }
  if (patch.keptMs !== undefined) throw notKept('patch', task.number, patch.keptMs);
  const placed = await placeFile(ctx, task, [{ from: 'artifact', name: patch.name, artifact: patch.id }]);
  const spans = [bold(`#${task.number} patch`), plain(` · ${bytes(patch.bytes)}${placed.note}`)];
  return { audience: placed.audience, view: withFallback([{ type: 'text', spans }], placed.files), task: task.id };
}

async function runOf(ctx: CommandContext, task: TaskRow, attempt: number | undefined): Promise<RunRow> {
  const runs = await runsOf(ctx.tx, task.id);
  const run = attempt === undefined ? runs.at(-1) : runs.find((one) => one.attempt === attempt);
  if (run !== undefined) return run;
  throw new AppError('DH-300', {
    what: attempt === undefined ? `#${task.number} has not run yet.` : `#${task.number} has no run ${attempt}.`,
    instead: runs.length === 0 ? '`retry` starts it.' : `Its runs are 1 to ${runs.length}.`,
  });
}

/** The kept log of a run that ended, else what it has written so far. */
function logFile(task: TaskRow, run: RunRow, kept: ArtifactRow | undefined, text: string): ViewFile | undefined {
  if (kept !== undefined) return { from: 'artifact', name: kept.name, artifact: kept.id };
  return text === '' ? undefined : { from: 'text', name: `${task.number}-run${run.attempt}.log`, text };
}

interface Placed {
  audience: Reply['audience'];
  /** Files that go with the answer itself. */
  files: ViewFile[];
  /** Said behind the heading when the files went elsewhere. */
  note: string;
}

/** Files cannot go with an answer that one person sees: then they go into the thread of the task. */
async function placeFile(ctx: CommandContext, task: TaskRow, files: ViewFile[]): Promise<Placed> {
  const { act } = ctx;
  if (act.by === 'message' || act.event.conversation.kind === 'direct') return { audience: 'asked', files, note: '' };
  if (ctx.threadTask?.id === task.id) return { audience: 'all', files, note: '' };
  if (files.length === 0) return { audience: 'asked', files, note: '' };
  const put = answerFiles(
    answered(act.event, ctx.person, act.conversation),
    files,
    `#${task.number}, asked for by ${ctx.person.name}`,
  );
  const places = await placesOfTask(ctx.tx, task.id);
  await putOutboxRows(
    ctx.tx,
    places.map(({ id, origin }) => ({
      ...put,
      key: origin ? put.key : `${put.key}:${id}`,
      target: { type: 'thread', thread: id, anchor: false },
    })),
  );
  return { audience: 'asked', files: [], note: ' · the file is in the thread of the task' };
}

function logView(
  ctx: CommandContext,
  task: TaskRow,
  run: RunRow,
  output: { text: string; whole: boolean; lost: AppError | undefined; inFile: boolean },
  placed: Placed,
): View {
  const { lines, hidden } = lastLines(addOutput(emptyTail, 'stdout', output.text), shownLines);
  const heading = `#${task.number} run ${run.attempt} · ${runWords(run, ctx.deps.now())}`;
  const more = hidden > 0 || !output.whole ? ` · the last ${lines.length === 1 ? 'line' : `${lines.length} lines`}` : '';
  const soFar = isTerminal(run.state) ? '' : ' so far';
  // Long after its end a log may hold no output any more, while the file has all of it.
  const nothing = output.inFile ? 'What it has written is in the file.' : `It has written nothing${soFar}.`;
  const cut = !output.whole && !isTerminal(run.state) ? ` The file holds the last ${bytes(liveChars)} of the output.` : '';
  return withFallback(
    [
      { type: 'text', spans: [bold(heading), plain(`${more}${placed.note}`)] },
      ...(lines.length === 0
        ? [{ type: 'text' as const, spans: [plain(nothing)] }]
        : [{ type: 'code' as const, text: cleanText(lines.join('\n')) }]),
      ...(cut === '' ? [] : [{ type: 'context' as const, spans: [plain(cut.trim())] }]),
      ...(output.lost === undefined ? [] : [{ type: 'context' as const, spans: errorSpans(output.lost, ctx.deps.errorDocs) }]),
    ],
    placed.files.length === 0 ? undefined : placed.files,
  );
}
