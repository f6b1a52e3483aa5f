import type { OutputCursor, OutputStream, RunEventData } from '../src/contracts/run-event.ts';
import type { OutputLog } from './output-log.ts';
import { type PatientOutputOptions, patientOutput } from './patient-output.ts';
import { createStreamRedactor, longestLine, type OutputPiece, type StreamRedactor } from './redact.ts';
import { type Journey, LetGo } from './run-journey.ts';
import type { OutputChunk } from './sandbox/port.ts';

export type OutputEvent = Extract<RunEventData, { type: 'output' }>;

export interface StreamOutputOptions extends PatientOutputOptions {
  /** What is stored already. */
  from: OutputCursor;
  /** Values that never show. */
  secrets: readonly string[];
  /**
   * Commits events and cursor together. While it works nothing more than `mostQueued` bytes are taken from the sandbox. A failure ends
   * the streaming with that error; whoever can wait retries inside.
   */
  store(events: OutputEvent[], cursor: OutputCursor): Promise<void>;
}

/** Raw bytes of one event at most; also what is worth a commit of its own. */
const eventBytes = longestLine;
const tickMs = 200;
/** A stream that was silent for so long shows its unfinished line at the next tick. */
const silentMs = 80;
const mostQueued = 8 * eventBytes;
/** More events of alternating streams than this in one commit are joined to one per stream. */
const mostAlternations = 16;
/** Read again before the stored position, so that a secret across it is recognised. */
const contextBytes = 16 * 1024;

/** Stores the output of a run's started command from the stored position to its end: in the log of the run, then in the file. */
export async function recordOutput(journey: Journey, log: OutputLog): Promise<void> {
  const { deps, spec, calls } = journey;
  await streamOutput({
    ...journey.output,
    from: spec.resume?.cursor ?? { stdout: 0, stderr: 0 },
    secrets: deps.secrets,
    signal: journey.left,
    async store(events, cursor) {
      if (!(await calls.append(spec.run, deps.runner, events, cursor))) throw new LetGo(`${spec.run} is not held any more`);
      await journey.at('output_committed');
      await log.append(events.map(({ text }) => text).join(''));
      await journey.at('output_stored');
    },
  });
}

/**
 * Brings the output of a started command into the log of its run: decoded, redacted, batched, from the stored position to the end
 * of both streams. Bytes count as taken only when they are stored, so whoever continues later continues exactly there. Resolves
 * with the position of the end. An aborted signal rejects with its reason.
 */
export async function streamOutput(options: StreamOutputOptions): Promise<OutputCursor> {
  const { from } = options;
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const next = { stdout: Math.max(0, from.stdout - contextBytes), stderr: Math.max(0, from.stderr - contextBytes) };
  const redactors: Record<OutputStream, StreamRedactor> = {
    stdout: createStreamRedactor({ secrets: options.secrets, at: next.stdout, shownTo: from.stdout }),
    stderr: createStreamRedactor({ secrets: options.secrets, at: next.stderr, shownTo: from.stderr }),
  };
  const lastPush = { stdout: 0, stderr: 0 };
  const stored = { ...from };
  let queue: OutputEvent[] = [];
  let queued = 0;
  let due = false;
  let storing: Promise<void> | undefined;

  function add(stream: OutputStream, pieces: OutputPiece[]): void {
    for (const piece of pieces) {
      queue.push({ type: 'output', stream, ...piece });
      queued += piece.to - piece.from;
    }
  }

  function storeSoon(): void {
    storing ??= storeAll()
      .catch((error: unknown) => broken.abort(error))
      .finally(() => {
        storing = undefined;
      });
  }

  async function storeAll(): Promise<void> {
    while (queue.length > 0 && (due || queued >= eventBytes) && !signal.aborted) {
      const events = eventsOf(queue);
      due = false;
      queue = [];
      queued = 0;
      const cursor = { ...stored };
      for (const { stream, to } of events) cursor[stream] = Math.max(cursor[stream], to);
      await options.store(events, cursor);
      Object.assign(stored, cursor);
    }
  }

  async function take({ stream, offset, bytes }: OutputChunk): Promise<void> {
    if (offset !== next[stream])
      throw new Error(`output of ${options.run}: ${stream} continues at ${offset}, not at ${next[stream]}`);
    next[stream] += bytes.length;
    lastPush[stream] = performance.now();
    add(stream, redactors[stream].push(bytes));
    if (queued >= eventBytes) storeSoon();
    while (queued >= mostQueued && storing !== undefined) await storing;
    signal.throwIfAborted();
  }

  const tick = setInterval(() => {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (redactors[stream].held() > 0 && performance.now() - lastPush[stream] >= silentMs)
        add(stream, redactors[stream].flush());
    }
    due = queue.length > 0;
    if (due) storeSoon();
  }, tickMs);
  try {
    for await (const chunk of patientOutput({ ...options, signal }, () => ({ ...next }))) await take(chunk);
    add('stdout', redactors.stdout.end());
    add('stderr', redactors.stderr.end());
    while (queue.length > 0 || storing !== undefined) {
      due = true;
      storeSoon();
      await storing;
      signal.throwIfAborted();
    }
    // The last commit may have failed between the end of the output and this line.
    signal.throwIfAborted();
    return stored;
  } finally {
    clearInterval(tick);
    // A commit under way is not left behind: what comes next may be the end of the run.
    await storing;
  }
}

/** Joins what follows on from one another. Pure. */
export function eventsOf(pieces: readonly OutputEvent[]): OutputEvent[] {
  const events = joined(pieces);
  if (events.length <= mostAlternations) return events;
  return joined([...pieces.filter(({ stream }) => stream === 'stdout'), ...pieces.filter(({ stream }) => stream === 'stderr')]);
}

function joined(pieces: readonly OutputEvent[]): OutputEvent[] {
  const events: { event: OutputEvent; texts: string[] }[] = [];
  for (const piece of pieces) {
    const last = events.at(-1);
    if (last !== undefined && last.event.stream === piece.stream && piece.to - last.event.from <= eventBytes) {
      last.event.to = piece.to;
      last.texts.push(piece.text);
    } else {
      events.push({ event: { ...piece }, texts: [piece.text] });
    }
  }
  return events.map(({ event, texts }) => ({ ...event, text: texts.join('') }));
}
