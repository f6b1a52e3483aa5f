import type { AgentMode, AgentSettings } from '../contracts/agent.ts';
import type { FileToGive } from '../contracts/given-file.ts';
import type { Platform } from '../contracts/platform.ts';
import type { AttachedOutcome } from '../store/attached-files.ts';
import type { Tx } from '../store/database.ts';
import type { CreatedTask, Person } from './task-engine.ts';

/** What a turn of an agent is made of besides its prompt. */
export interface TurnExtras {
  /** What was said in the thread before, quoted; and how many messages of it, of which how many are of whom. */
  context?: SaidContext | undefined;
  /** Files attached to the request, and to what was said before it: the gateway fetches them, and the run waits for them. */
  files?: readonly FileToGive[] | undefined;
}

export interface SaidContext {
  text: string;
  messages: number;
  guests?: number | undefined;
  externals?: number | undefined;
  bots?: number | undefined;
  /** Ids of the messages at their platform. */
  ids?: readonly string[] | undefined;
}

/** What people choose; what is missing comes from the project, or stays as it is. `model: null`: the agent's default. */
export type SettingsChoice = { [K in keyof AgentSettings]?: AgentSettings[K] | undefined };

/** What a retry changes. `alone`: without what was said before the request, in a new session. */
export type RetryChoice = SettingsChoice & { alone?: boolean | undefined };

export interface AgentTaskInput extends TurnExtras {
  workspace: string;
  project: string;
  requester: Person;
  prompt: string;
  /** How the task is to be called; undefined: like the first line of the prompt. */
  title?: string | undefined;
  settings?: SettingsChoice | undefined;
  /** Attempts to be made side by side, 2 to 5, each with what it has of its own beside `settings`. Undefined: one run, as usual. */
  attempts?: readonly SettingsChoice[] | undefined;
  /** US dollars; null: no limit; undefined: that of the project. */
  budgetUsd?: number | null | undefined;
  /** Labels that a runner must have, contracts/labels.ts; undefined: those of the project. */
  runsOn?: readonly string[] | undefined;
  /** Our channel row. */
  channel: string;
  /** Platform thread id in which the task lives; null: its live card opens the thread. */
  thread: string | null;
  /** Key of the inbound event: the same key makes the same task (promise 2). */
  originKey: string;
}

export interface FollowUpInput extends TurnExtras {
  task: string;
  text: string;
  by: Person;
  /** Key of the inbound event: the same key makes the same run (promise 2). */
  originKey: string;
  settings?: SettingsChoice | undefined;
  /** The agent is to bring its change to the newest base: its working copy has that as `origin/<branch>`. */
  resolve?: boolean | undefined;
}

export interface SteerInput {
  task: string;
  text: string;
  /** `next`: read at the next step; `now`: interrupts; `btw`: a side question that changes nothing. */
  when: 'next' | 'now' | 'btw';
  by: Person;
  /** Names the platform's message, the same when it is edited or deleted: one message is one mail of a run. */
  origin: string;
  /** Files of the message; then its text may be empty. The agent is told of them when they are in its sandbox. */
  files?: readonly FileToGive[] | undefined;
}

export type SteerResult =
  /** `message` names it in the log of the run: `message`, `message_settled` and `aside` events. `known`: it was sent before. */
  | { outcome: 'sent' | 'known'; run: string; message: string; taskNumber: number }
  /** No turn is under way: a follow-up begins one. */
  | { outcome: 'at_rest'; taskNumber: number };

/** Null: the agent's own choice, from its next start on. */
export interface SettingsChange {
  mode?: AgentMode | undefined;
  model?: string | null | undefined;
  effort?: AgentSettings['effort'] | undefined;
}

export interface ForkInput extends TurnExtras {
  task: string;
  /** What the fork is to do. */
  text: string;
  by: Person;
  channel: string;
  thread: string | null;
  originKey: string;
}

/**
 * What may become of tasks of agents, in the caller's transaction. Whoever speaks to an agent needs the role developer, and maintainer
 * while its mode is `bypass`: nobody makes it do what they could not have it do. Methods throw `AppError` for what a person can be told:
 * DH-202 not allowed, DH-204 no such task, DH-205 no such project, DH-300 not possible now, DH-201 the text does not fit.
 */
export interface AgentTasks {
  createAgentTask(tx: Tx, input: AgentTaskInput): Promise<CreatedTask>;
  /** A further run of a task at rest that continues the agent's session. Refused (DH-300) while one is alive: `steer` speaks to that. */
  followUp(tx: Tx, input: FollowUpInput): Promise<CreatedTask>;
  /** Says something to the agent at work: mail and a `message` event. */
  steer(tx: Tx, input: SteerInput): Promise<SteerResult>;
  /** The message was edited (`text`) or deleted (null). `too_late`: the agent has read it, or its run is over. */
  changeMessage(
    tx: Tx,
    input: { workspace: string; origin: string; text: string | null; by: Person },
  ): Promise<{ outcome: 'changed' | 'dropped' | 'too_late' | 'unknown' }>;
  /** For the run that is alive and those to come. `bypass` is for maintainers, in an isolated sandbox. */
  changeSettings(tx: Tx, task: string, change: SettingsChange, by: Person): Promise<{ number: number; settings: AgentSettings }>;
  /** A new task that begins where this one is: its files, its session. The source must have no run that is alive. */
  fork(tx: Tx, input: ForkInput): Promise<CreatedTask>;
  /**
   * US dollars, null: no limit. More than before is for those who may approve (the policy's approvers); less for developers. A request
   * for more money that waits is settled when the new budget is enough.
   */
  setBudget(tx: Tx, task: string, budgetUsd: number | null, by: Person, on: Platform): Promise<{ number: number }>;
  /**
   * A file that somebody attached is fetched, or will not be. With the last one of its request the run may begin, with the last one of a
   * message the agent is told. What comes too late for a run is given to the next one of the task. Idempotent.
   */
  settleFile(tx: Tx, file: string, outcome: AttachedOutcome): Promise<void>;
  /** More files of a request that was made already: parts of one message can arrive apart. */
  attachMore(tx: Tx, task: string, files: readonly FileToGive[], origin: string): Promise<void>;
  /**
   * The agent is to work without what was said before the request, and without the files of that. `too_late`: it has begun and may have
   * read it; a retry with `alone` begins again without. `nothing`: it was given nothing.
   */
  dropContext(tx: Tx, task: string, by: Person): Promise<{ number: number; outcome: 'dropped' | 'too_late' | 'nothing' }>;
}
