import type { Mail } from '../src/contracts/agent.ts';
import type { RunEvent, RunEventData } from '../src/contracts/run-event.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { answerAside } from './aside.ts';
import { defaultModel } from './harness/claude-loop.ts';
import type { ModelAccess } from './harness/port.ts';

type Message = Extract<Mail, { type: 'message' }>;

/** Answers side questions beside the turn, one after another. */
export interface Asides {
  /** Answers the question, unless its answer is in the log. */
  ask(question: Message): void;
  /** Gives up what is under way; it is answered when the run goes on. */
  end(): Promise<void>;
}

export interface AsidesDeps {
  run: string;
  prompt: string;
  models: ModelAccess;
  /** All events of the run so far. */
  events(): Promise<RunEvent[]>;
  /** Stores events beside what the harness stores. */
  store(events: RunEventData[]): Promise<void>;
  signal: AbortSignal;
  logger: Logger;
}

export function createAsides(deps: AsidesDeps): Asides {
  const over = new AbortController();
  const signal = AbortSignal.any([deps.signal, over.signal]);
  let last: Promise<void> = Promise.resolve();

  async function answer({ message, by, text: question }: Message): Promise<void> {
    const events = await deps.events();
    if (events.some(({ data }) => data.type === 'aside' && data.message === message)) return;
    let text: string;
    try {
      const model = modelOf(events);
      text = await answerAside({ question, by, prompt: deps.prompt, events, models: deps.models, model }, signal);
    } catch (error) {
      signal.throwIfAborted();
      deps.logger.warn({ run: deps.run, err: error }, 'a side question could not be answered');
      text = 'The model could not answer this now. Ask again, or without `btw` to tell the agent itself.';
    }
    await deps.store([
      { type: 'aside', message, text },
      { type: 'message_settled', message, how: 'read' },
    ]);
  }

  return {
    ask(question) {
      last = last
        .then(() => answer(question))
        .catch((error: unknown) => {
          if (!signal.aborted) deps.logger.warn({ run: deps.run, err: error }, 'a side question was given up');
        });
    },
    async end() {
      over.abort();
      await last;
    },
  };
}

/** The one the agent works with; marks that programs add to its name are left out. */
function modelOf(events: readonly RunEvent[]): string {
  const known = events.findLast(({ data }) => data.type === 'agent' && data.model !== null)?.data;
  return known?.type === 'agent' && known.model !== null ? known.model.replace(/\[.*\]$/, '') : defaultModel;
}
