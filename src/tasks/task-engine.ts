import type { PlaceLimit } from '../contracts/access-bundle.ts';
import type { Affiliation } from '../contracts/affiliation.ts';
import type { AgentControl } from '../contracts/agent-control.ts';
import type { AppError } from '../contracts/errors.ts';
import type { Given } from '../contracts/permissions.ts';
import type { IdentityRef, Platform } from '../contracts/platform.ts';
import type { PublishWhat } from '../contracts/publication.ts';
import type { PublishControl } from '../contracts/publish-control.ts';
import type { PullErrandKind } from '../contracts/pull-news.ts';
import type { RebaseHow } from '../contracts/rebase.ts';
import type { Role } from '../contracts/roles.ts';
import type { RunControl } from '../contracts/run-control.ts';
import type { TaskColumn } from '../contracts/states.ts';
import type { Tx } from '../store/database.ts';
import type { Linked } from '../store/linked-people.ts';
import type { PublishOrigin } from '../store/publications.ts';
import type { AgentTasks, RetryChoice } from './agent-tasks.ts';

/** A person acting now, with what they are here and now. */
export interface Person extends Given {
  workspace: string;
  user: string;
  name: string;
  /** The role that counts for what the act is about; undefined: none. A custom one adds `extra` to it. */
  role: Role | undefined;
  /** Set where the access bundle of the channel of the act keeps something of it back. */
  limit?: PlaceLimit | undefined;
  /** The project that the role is about; undefined: none in particular. */
  about?: string | undefined;
  /** The account that acts. */
  identity: IdentityRef;
  /** Id of the channel of the act; undefined: it is in none. */
  at?: string | undefined;
  /** Set when the person has, or had, linked accounts. */
  linked?: Linked | undefined;
  /** How the account belongs to its platform's workspace; undefined: the platform has never said. */
  affiliation?: Affiliation | undefined;
}

export interface CreatedTask {
  task: string;
  number: number;
  run: string;
}

export interface RebaseInput {
  /** The run that has made the change. */
  run: string;
  how: RebaseHow;
  by: Person;
  /** Key of the inbound event: the same key makes the same run (promise 2). */
  originKey: string;
}

export interface RevertInput {
  /** The run whose change was merged. */
  run: string;
  by: Person;
  /** Key of the inbound event: the same key makes the same run (promise 2). */
  originKey: string;
}

export interface RevertOutcome {
  /** `known`: it is being undone, or was, already. */
  outcome: 'begun' | 'known';
  number: number;
  /** `acme/web#12` */
  pull: string;
}

export interface CommandTaskInput {
  workspace: string;
  project: string;
  requester: Person;
  command: string;
  /** Labels that a runner must have, contracts/labels.ts; undefined: those of the project. */
  runsOn?: readonly string[] | undefined;
  /** Our channel row. */
  channel: string;
  /** Platform thread id in which the task lives; null: its live card opens the thread. */
  thread: string | null;
  /** Key of the inbound event: the same key makes the same task (promise 2). */
  originKey: string;
}

/**
 * - a command or a call of a tool: `approve`, `approve_task` (also in future for this task), `deny`
 * - a plan: `implement`, `implement_ask` (ask before every step), `revise` (with what to change), `deny`
 * - questions: `answer` (with answers), `deny` (no answer)
 * - money: `approve` (raises the budget), `deny`
 * - a change to bring out: `approve`, `deny`
 */
export type DecideVerb = 'approve' | 'approve_task' | 'deny' | 'implement' | 'implement_ask' | 'revise' | 'answer';

export interface DecideInput {
  /** What the buttons carry. */
  secret: string;
  decision: DecideVerb;
  reason?: string | undefined;
  /** Labels chosen, or own words, by the id of the question. */
  answers?: Readonly<Record<string, readonly string[]>> | undefined;
  by: Person;
  on: Platform;
  /** Where the thread of the task is, for a pull request that tells where it comes from. */
  origin?: PublishOrigin | undefined;
}

export type DecideResult =
  | { result: 'decided'; state: 'approved' | 'denied' | 'answered'; taskNumber: number }
  /** It counts as one of several "yes" that are needed; so many are missing. `owners`: which owners of files must say yes too, in words. */
  | { result: 'one_of_several'; taskNumber: number; missing: number; owners?: string }
  /** The person may, but not where they are. `where` says where it counts, `unseen` why nobody sees it there; empty: it is shown there. */
  | { result: 'elsewhere'; where: string; unseen: string }
  /** Somebody was first, or time was. `what` says who and when, for people. */
  | { result: 'already'; what: string }
  | { result: 'not_allowed'; error: AppError }
  | { result: 'unknown' };

export interface PublishInput {
  /** The run whose change it is. */
  run: string;
  what: PublishWhat;
  by: Person;
  on: Platform;
  origin?: PublishOrigin | undefined;
}

/**
 * - `approved`: the person may decide, and has: a runner brings it out
 * - `asked`: those who may decide are asked
 * - `known`: it is under way, or out, already; `what` says so for people
 */
export type PublishOutcome =
  | { outcome: 'approved'; number: number }
  | { outcome: 'asked'; number: number; whoCan: string }
  | { outcome: 'known'; number: number; what: string };

/** Something to be done with the pull request of a task. */
export interface ErrandInput {
  /** The run whose change the button names. */
  run: string;
  kind: PullErrandKind;
  by: Person;
  /** Key of the press: the same key is one errand (promise 2). */
  originKey: string;
}

export interface ErrandOutcome {
  /** `known`: this press was taken before. `waits`: the same was asked for by another. */
  outcome: 'added' | 'known' | 'waits';
  number: number;
  /** `acme/web#12` */
  pull: string;
}

/** `known`: it was chosen before. */
export interface ChooseOutcome {
  number: number;
  /** Number of the attempt. */
  variant: number;
  outcome: 'chosen' | 'known';
}

/** An interaction as a person may see it. */
export interface InteractionDetails {
  id: string;
  taskNumber: number;
  /** The command, or one line about what else is asked. */
  command: string;
  text: string;
}

/**
 * What may become of tasks. Each method writes state, run events, threads and what the queue must do in the caller's transaction;
 * views follow from the events (delivery/). Methods throw `AppError` for what a person can be told. Roles for starting, stopping,
 * retrying and moving are checked by the caller (the command's permission); the right to decide is checked here, at this moment.
 */
export interface TaskEngine extends AgentTasks {
  createCommandTask(tx: Tx, input: CommandTaskInput): Promise<CreatedTask>;
  /** Stops the task's current run, or all attempts that go on side by side: not started yet: cancelled at once; else the runner is told. Repeating is harmless. */
  stop(tx: Tx, task: string, by: Person): Promise<{ number: number; outcome: 'cancelled' | 'stopping' | 'already_stopping' }>;
  /** A further run of the same task. Refused while one is not terminal. `change`: another agent, model, mode … for an agent's task. */
  retry(tx: Tx, task: string, by: Person, change?: RetryChoice): Promise<CreatedTask>;
  /** Moves a card on the board: backlog, queued (starts it), review, done, cancelled (stops it). */
  move(tx: Tx, task: string, column: TaskColumn, by: Person): Promise<{ number: number; from: TaskColumn; to: TaskColumn }>;
  /** Decides a pending interaction, named by the secret its buttons carry. Two at once: one wins (promise 7). */
  decide(tx: Tx, input: DecideInput): Promise<DecideResult>;
  /** Brings out the change of a run, or asks those who may decide it. Throws what src/tasks/publish.ts says. */
  publish(tx: Tx, input: PublishInput): Promise<PublishOutcome>;
  /** Has something done with the pull request of a task. Throws what src/tasks/ask-errand.ts says. */
  pullErrand(tx: Tx, input: ErrandInput): Promise<ErrandOutcome>;
  /** Begins a run that brings the change of a run to the newest base. Throws what src/tasks/rebase.ts says. */
  rebase(tx: Tx, input: RebaseInput): Promise<CreatedTask>;
  /** Begins a run that undoes the merged pull request of a run. Throws what src/tasks/revert.ts says. */
  revert(tx: Tx, input: RevertInput): Promise<RevertOutcome>;
  /** The change of a run is not wanted: its task is cancelled; commits are kept for a while. Refused while it is being brought out. */
  discard(tx: Tx, run: string, by: Person): Promise<{ number: number }>;
  /** Of several attempts the task goes on from this run. Throws what src/tasks/choose.ts says. */
  choose(tx: Tx, run: string, by: Person): Promise<ChooseOutcome>;
  /** The whole action of an interaction, or undefined when there is none in this workspace. */
  details(tx: Tx, workspace: string, secret: string): Promise<InteractionDetails | undefined>;
  revokeRule(tx: Tx, rule: string, by: Person): Promise<boolean>;
}

/** The parts the engine is made of; `createEngine` in src/tasks/engine.ts returns them over one database. */
export interface Engine {
  tasks: TaskEngine;
  runs: RunControl;
  agents: AgentControl;
  publishing: PublishControl;
  /** Expires and reminds interactions, notes quiet runs, ends runs of dead runners, publishes due runs again. Run on a timer; safe in parallel. */
  sweep(): Promise<void>;
}
