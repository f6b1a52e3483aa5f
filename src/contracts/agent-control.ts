import type { AgentSettings, Ask, NumberedInput, NumberedMail, ProcessInput, Usage } from './agent.ts';
import type { GivenFile } from './given-file.ts';
import type { OutputCursor, RunEventData } from './run-event.ts';

/** A turn of an agent task, as the engine knows it. */
export interface AgentSpec {
  settings: AgentSettings;
  /** The text of the task, or of the follow-up. */
  prompt: string;
  /** What was said in the thread before, quoted, made when the run was. */
  context: string | null;
  /** Files that people gave: artifacts to be put into the sandbox. */
  files: readonly GivenFile[];
  /** The session of an earlier run of the task (or of the task it was forked from): its name, and the artifact with its files. */
  session: { id: string; artifact: string | null } | null;
  /**
   * The turn was let go of while it waited, and goes on now in a fresh sandbox: the session continues, the prompt has been given.
   * `state` is what was stored last; output and inputs begin anew. Decisions made meanwhile are mail after `mail`; an ask that comes
   * again by its old name, or for the same call by another, is answered as it was decided.
   */
  resumed?: boolean | undefined;
  /** As `step` stored them last; null, 0 and 0 at the beginning of a turn. */
  state: unknown;
  mail: number;
  inputs: number;
  /** US dollars of the whole task; null: no limit. */
  budgetUsd: number | null;
  spentUsd: number;
  /** Hosts that its sandbox may fetch from, as the gateway takes them; absent: none. */
  hosts?: readonly string[] | undefined;
}

/** One step of a harness. */
export interface AgentStep {
  /** Random, the same when the step is repeated because its answer was lost: it is stored once. */
  id?: string | undefined;
  /** JSON; replaces the last. */
  state: unknown;
  events: RunEventData[];
  asks: Ask[];
  withdrawn: string[];
  inputs: ProcessInput[];
  cursor?: OutputCursor | undefined;
  mail?: number | undefined;
}

/** `trouble`: what the turn that ends because of it is to name. `seconds`: until asking again may help. */
export type SpendVerdict =
  | { verdict: 'go' }
  | { verdict: 'wait' }
  | { verdict: 'deny'; because: string; trouble?: 'budget' | 'unpriced' | 'quota' | undefined; seconds?: number | undefined };

/** A request to a model that is about to be made. */
export interface SpendRequest {
  /** Any text that is unique among the requests of the run; the same in `used` or `unused`. */
  request: string;
  model: string;
  /** US dollars that it costs at most, as far as that can be known before; null: the model has no known price. */
  mostUsd: number | null;
}

/**
 * The engine as the harness of an agent's run sees it, beside RunControl. Every method is one transaction, and idempotent under
 * repetition by the same runner.
 */
export interface AgentControl {
  /**
   * Stores a step of the harness of an agent's run, in one transaction. Every ask is judged at once by the policy, the mode and the rules
   * of the task (promise 7: no policy means ask, no approver means deny): what the policy knows is answered by mail in the same
   * transaction; the rest becomes an interaction, and the run is `awaiting` (still this runner's) until all of them are decided.
   * An ask that is known already (same name) is not opened again. Refused (false) when this runner no longer holds the run.
   */
  step(run: string, runner: string, step: AgentStep): Promise<boolean>;
  /** Mail after `after`, in order. */
  mail(run: string, after: number): Promise<NumberedMail[]>;
  /** Inputs after `after`, in order. */
  inputs(run: string, after: number): Promise<NumberedInput[]>;
  /** Calls back when there may be new mail or inputs; perhaps without need, and a lost wake-up is made up for within seconds. */
  onMail(run: string, listener: () => void, until: AbortSignal): void;
  /**
   * May the run ask a model now? With a budget, what the request costs at most is set aside until `used` or `unused`, for an hour at
   * most, and as long as this runner holds the run. `wait`, to be asked again: requests that are under way may take what is left; or the
   * budget or a quota is used up, or the model has no known price, and people are asked (interaction `spend`, once). `deny`: the answer was no, or a
   * quota of requests is used up. With `go` it is counted against those quotas, before it is sent: what became of a request whose runner is
   * lost nobody knows, and it stays counted.
   */
  maySpend(run: string, runner: string, asked: SpendRequest): Promise<SpendVerdict>;
  /**
   * The request was not answered: what was set aside for it is free again. `reached`: it may have come to the model server; else it does
   * not count against quotas of requests.
   */
  unused(run: string, runner: string, request: string, reached: boolean): Promise<void>;
  /** Counts a request to a model: `usage` event, cost of run and task. Once for each `request`; settles what was set aside for it. */
  used(run: string, runner: string, usage: Usage, request?: string): Promise<boolean>;
  /**
   * Lets go of a run that waits for a decision: it holds no place and no sandbox, the decision puts it back into the queue, and the next
   * claim continues the session (`session`, `head`: what has been saved). When everything was decided meanwhile it is queued at once.
   * False when this runner does not hold it.
   */
  release(
    run: string,
    runner: string,
    saved: { session: { id: string; artifact: string | null } | null; head: string | null },
  ): Promise<boolean>;
  /** Since when the run waits for decisions; null: it does not. */
  awaiting(run: string): Promise<{ since: Date } | null>;
  /** Keeps the session for follow-ups of the task. With the end of the run or before. */
  keepSession(run: string, runner: string, session: { id: string; artifact: string | null }): Promise<void>;
}
