import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { NumberedInput, NumberedMail } from '../src/contracts/agent.ts';
import type { AgentControl } from '../src/contracts/agent-control.ts';
import type { RunEvent, RunEventData } from '../src/contracts/run-event.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';
import { traceDone } from '../src/runtime/trace.ts';
import { createAsides } from './asides.ts';
import { withFiles } from './give-files.ts';
import type { Commit, HarnessSession, ModelAccess, Turn } from './harness/port.ts';
import { outputLines } from './output-lines.ts';
import { patiently } from './patience.ts';
import { type Journey, LetGo } from './run-journey.ts';

/** A lost wake-up costs no more than this. */
const pollMs = 5_000;

/** The run as its harness sees it. `control` is asked again and again while the database is away. */
export function createAgentSession(
  journey: Journey,
  control: AgentControl,
  input: {
    turn: Turn;
    state: unknown;
    begun: boolean;
    mail: number;
    models: ModelAccess;
    park: AbortSignal;
    /** The main process runs. */
    started: Promise<void>;
    onStored(events: readonly RunEventData[]): Promise<void>;
    /** Directory of the run's gateway. */
    gateway: string;
  },
): HarnessSession & { end(): Promise<void> } {
  const { deps, spec, place, left, stop } = journey;
  const { run } = spec;
  const redact = createRedactor(deps.secrets);
  const ask = <T>(work: () => Promise<T>, signal: AbortSignal) =>
    patiently(work, {
      passes: () => true,
      onWait: (error) => deps.logger.warn({ run, err: error }, 'a call to the database failed, it is made again'),
      signal,
    });
  /** What is stored by the harness and what beside it take turns, so that neither replaces the state of the other. */
  let turns: Promise<void> = Promise.resolve();
  let state = input.state;
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = turns.then(work);
    turns = done.catch(() => undefined);
    return done;
  };
  /** What the agent does at the moment, and since when. */
  const tools = new Map<string, Date>();
  function traceTools(events: readonly RunEventData[]): void {
    for (const event of events) {
      if (event.type === 'tool') tools.set(event.id, new Date());
      const since = event.type === 'tool_ended' ? tools.get(event.id) : undefined;
      if (event.type !== 'tool_ended' || since === undefined) continue;
      tools.delete(event.id);
      traceDone('agent tool', { run, ok: event.ok }, since);
    }
  }

  async function store(step: Commit): Promise<void> {
    const whole = { id: randomUUID(), ...stepOf(step, redact) };
    const stored = await ask(() => control.step(run, deps.runner, whole), left);
    if (!stored) throw new LetGo(`${run} is not held any more`);
    state = step.state;
    if (step.cursor !== undefined) cursor = step.cursor;
    if (step.mail !== undefined) mailAt = step.mail;
    traceTools(whole.events);
    await journey.at('agent_committed');
    await input.onStored(whole.events);
  }
  const asides = createAsides({
    run,
    prompt: input.turn.prompt,
    models: input.models,
    events: () => allEvents(run),
    store: (events) => inTurn(() => store({ state, events })),
    signal: left,
    logger: deps.logger,
  });

  async function allEvents(of: string): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    for (let after = 0; ; ) {
      const page = await journey.calls.readEvents(of, after, 200);
      if (page.length === 0) return events;
      events.push(...page);
      after = page.at(-1)?.seq ?? after;
    }
  }

  let cursor = spec.resume?.cursor ?? { stdout: 0, stderr: 0 };
  let mailAt = input.mail;

  return {
    turn: input.turn,
    state: input.state,
    begun: input.begun,
    park: input.park,
    models: input.models,
    stop,
    left,
    async exec(helper, signal) {
      await input.started;
      return await journey.withSandbox(
        () => place.sandbox.exec(run, helper, signal),
        signal === undefined ? left : AbortSignal.any([left, signal]),
      );
    },
    async *lines(until) {
      const signal = AbortSignal.any([left, until]);
      await input.started;
      try {
        yield* outputLines({ ...journey.output, from: cursor, signal });
      } catch (error) {
        left.throwIfAborted();
        if (!until.aborted) throw error;
      }
    },
    async *mail(until) {
      const signal = AbortSignal.any([left, until]);
      const come = (after: number) => ask(() => control.mail(run, after), signal);
      try {
        const rows = numbered<NumberedMail>(mailAt, come, (listener) => control.onMail(run, listener, signal), signal);
        for await (const row of rows) {
          // Answered beside the turn; the harness never hears of it.
          if (row.mail.type === 'message' && row.mail.when === 'btw') asides.ask(row.mail);
          else yield await withFiles(journey, input.gateway, row);
        }
      } catch (error) {
        left.throwIfAborted();
        if (!until.aborted) throw error;
      }
    },
    async conversation(of) {
      return (await allEvents(of)).flatMap(({ data }) => (data.type === 'conversation' ? [data.entry] : []));
    },
    given: (artifact) => deps.artifacts.read(artifact),
    commit: (step) => inTurn(() => store(step)),
    end: () => asides.end(),
  };
}

/** Inputs for the main process, for the gateway of the run. */
export function inputsOf(
  control: AgentControl,
  run: string,
): (after: number, signal: AbortSignal) => AsyncIterable<NumberedInput> {
  return (after, signal) =>
    numbered(
      after,
      (from) => patiently(() => control.inputs(run, from), { passes: () => true, signal }),
      (listener) => control.onMail(run, listener, signal),
      signal,
    );
}

/** Reads numbered rows as they come, without gaps and without end; wake-ups may be lost. Rejects with the reason of the signal. */
async function* numbered<T extends { seq: number }>(
  after: number,
  read: (after: number) => Promise<T[]>,
  listen: (listener: () => void) => void,
  signal: AbortSignal,
): AsyncGenerator<T> {
  let woken = Promise.withResolvers<void>();
  listen(() => woken.resolve());
  for (let last = after; ; ) {
    const wake = woken;
    const rows = await read(last);
    for (const row of rows) {
      last = row.seq;
      yield row;
    }
    if (rows.length > 0) continue;
    const waited = new AbortController();
    await Promise.race([wake.promise, delay(pollMs, undefined, { signal: AbortSignal.any([signal, waited.signal]) })]).catch(() =>
      signal.throwIfAborted(),
    );
    waited.abort();
    if (woken === wake) woken = Promise.withResolvers<void>();
  }
}

/** Everything that is logged is redacted; what goes back to the agent (state, inputs, asks) must stay to the letter. */
function stepOf(step: Commit, redact: (text: string) => string) {
  return {
    state: step.state,
    events: (step.events ?? []).map((event) => redacted(event, redact) as RunEventData),
    asks: [...(step.asks ?? [])],
    withdrawn: [...(step.withdrawn ?? [])],
    inputs: [...(step.inputs ?? [])],
    ...(step.cursor === undefined ? {} : { cursor: step.cursor }),
    ...(step.mail === undefined ? {} : { mail: step.mail }),
  };
}

function redacted(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redacted(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, redacted(field, redact)]));
}
