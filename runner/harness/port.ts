import type { AgentKind, AgentMode, AgentSettings, Ask, Effort, NumberedMail, ProcessInput } from '../../src/contracts/agent.ts';
import type { AgentTrouble } from '../../src/contracts/agent-trouble.ts';
import type { GivenFile } from '../../src/contracts/given-file.ts';
import type { OutputCursor, OutputStream, RunEventData } from '../../src/contracts/run-event.ts';
import type { Ahead } from '../sandbox/ahead.ts';
import type { AgentPrograms, ExecResult, Helper } from '../sandbox/port.ts';

/** `shell` is what `sh` runs; people choose among the others. */
export type HarnessKind = 'shell' | AgentKind;

/**
 * What does the thinking in a run. Every harness passes tests/contracts/harness-contract.ts; docs/add-an-agent.md says how to add one.
 *
 * A turn goes from a prompt to the agent's end of turn. A harness decides nothing: what the agent wants to do becomes an ask, and the
 * answer comes as mail. Whatever it does is committed step by step, and a harness that is started again with the last committed state
 * goes on from there: nothing is done twice, nothing is lost (promise 8). That of a plain command is the least of them: its turn is
 * the command, approved as a whole, and all it does is to have the output recorded.
 */
export interface Harness<S extends HarnessSession | CommandSession = HarnessSession> {
  readonly kind: HarnessKind;
  readonly capabilities: HarnessCapabilities;
  /** The program that must be where it runs, and what people call it. Undefined: it needs none. */
  readonly program?: { readonly name: keyof AgentPrograms; readonly product: string } | undefined;
  /** The main process of the sandbox, and files it needs. Pure: the same turn gives the same launch. */
  launch(turn: S['turn']): Launch;
  /**
   * What of it can run before a turn is known that has these settings: it waits for its first input, and does nothing until then. A turn
   * whose `launch` has the same `argv` may find it started; the lines `tell` then make up for the rest. Undefined: nothing.
   */
  ahead?(place: AheadPlace): Omit<Ahead, 'name'>;
  /** Drives the turn to its end, from the beginning or from where it was left. A run that is let go of rejects with the reason. */
  drive(session: S): Promise<TurnEnd>;
}

/** What a harness can do, as data; what it cannot is not offered to people. */
export interface HarnessCapabilities {
  /** Asks before whatever it does. What does not is approved as a whole, before it starts. */
  asks: boolean;
  modes: readonly AgentMode[];
  efforts: readonly Effort[];
  /** Mode, model or effort can change while it runs. */
  changes: { mode: boolean; model: boolean; effort: boolean };
  /** Asks people questions with choices. */
  questions: boolean;
  /** Reads messages at its next step, can be interrupted. Side questions are answered beside every agent, without it. */
  steering: { next: boolean; now: boolean };
  /** Continues a session in a fresh sandbox. */
  resume: boolean;
  /** Wire protocols of the model servers it can work with. */
  models: readonly ('anthropic' | 'openai')[];
  /** Model that it takes when none is named; absent: its own choice, which is not known before. */
  usualModel?: string | undefined;
}

/** What is known of every turn in a container. */
export interface AheadPlace extends Pick<Turn, 'settings' | 'cwd' | 'home'> {
  /** Of the gateway. */
  url: string;
}

/** A plain command. */
export interface CommandTurn {
  /** As a shell reads it. */
  command: string;
}

/** What an agent is to do, and where. Stored with the run, the same at every start of the harness. */
export interface Turn {
  run: string;
  taskNumber: number;
  settings: AgentSettings;
  /** What to do: the text of the task, or of the follow-up. */
  prompt: string;
  /** What was said in the thread before, quoted; data, never instructions. Undefined: nothing. */
  context: string | undefined;
  /** Files that people gave, as they lie in the working copy below `.deckhand/in`; data, never instructions. */
  files?: readonly GivenFile[] | undefined;
  /** Contents of CLAUDE.md and AGENTS.md of the repository: to be given as quoted context. */
  guidance: readonly { path: string; text: string }[];
  /** Absolute path the agent works in: `/workspace` in a container. */
  cwd: string;
  /** Absolute path of the agent's home; `session` files of an earlier run are in it already. */
  home: string;
  /** Session to continue, as the last run of the task left it; undefined: a new one. */
  session: string | undefined;
  /** The turn was parked and goes on: its prompt has been given, the session waits at an ask that is decided by now or soon. */
  resumed: boolean;
  gateway: GatewayAccess;
  /** The most this turn may cost, for harnesses that can keep to it themselves. */
  budgetUsd: number | undefined;
}

/** How the sandbox reaches its gateway. */
export interface GatewayAccess {
  /** `http://127.0.0.1:9100`; `/anthropic` and `/openai/v1` below it are base URLs of the two protocols. */
  url: string;
  /** Good for this run only. */
  token: string;
  /** Variables for programs that fetch: proxies for the allowed hosts. */
  proxyEnv: Readonly<Record<string, string>>;
}

export interface Launch {
  /**
   * The command of the CLI; undefined: none, the loop runs outside and uses the sandbox for its tools. Like `env` and `tell`, that of a new
   * session does not depend on what the repository tells agents, and is known before the working copy is.
   */
  argv: readonly [string, ...string[]] | undefined;
  env: Readonly<Record<string, string>>;
  /** First lines for a program that was started ahead: what of `env` and `commandVariables` it does not have. Undefined: none may be. */
  tell?: readonly string[] | undefined;
  /** Written anew at every start, replacing what is there. Paths relative to `turn.home`. */
  files: readonly { path: string; text: string }[];
  /** What of the home a later run needs to continue the session: paths relative to the home, directories whole. */
  keeps: readonly string[];
}

/** What the harness of a plain command may touch of its run. */
export interface CommandSession {
  readonly turn: CommandTurn;
  /**
   * Stores the output of the main process as `output` events as it comes, with its cursor, from the committed one to the end of both
   * streams: byte by byte, not by lines, so that bars and binary data pass too. Repeatable.
   */
  record(): Promise<void>;
}

/** Everything the harness of an agent may touch of its run. */
export interface HarnessSession {
  readonly turn: Turn;
  /** As committed last; null at the beginning of the turn. JSON. */
  readonly state: unknown;
  /** Whether the first step of this process has been committed. A turn that was parked begins again with its old state. */
  readonly begun: boolean;
  /** Runs a helper in the sandbox beside its main process. */
  exec(helper: Helper, signal?: AbortSignal): Promise<ExecResult>;
  /**
   * Complete lines of the main process's output from the committed cursor on, to its end or until `until` aborts. `end` is the cursor
   * after the line. An unfinished last line comes when the process has ended. Lines over 16 MiB are cut to that and marked.
   */
  lines(until: AbortSignal): AsyncIterable<OutputLine>;
  /** Mail after the committed one, as it comes; ends only with `until`. */
  mail(until: AbortSignal): AsyncIterable<NumberedMail>;
  /** Entries of `conversation` events of a run of this task, in order; of the session that is continued, or of this run. */
  conversation(run: string): Promise<string[]>;
  /** Bytes of a file that people gave, by its artifact; undefined: they are gone. */
  given?(artifact: string): Promise<Uint8Array | undefined>;
  /** Stores a step in one transaction. Throws LetGo when the run is not this runner's any more. */
  commit(step: Commit): Promise<void>;
  /** Talks to a model server with the real key, counted like requests of the sandbox. For loops that run outside. */
  readonly models: ModelAccess;
  /** The wait for a decision takes long: save what is needed to go on at the same ask, and end the turn as `parked`. */
  readonly park: AbortSignal;
  /** A person wants the run stopped: end the turn soon. The sandbox is stopped meanwhile. */
  readonly stop: AbortSignal;
  /** The run is to be let go of as it stands. */
  readonly left: AbortSignal;
}

export interface ModelAccess {
  /** Base URL and token as an SDK takes them; requests go through the gateway of the run, outside the sandbox. */
  anthropic: { baseUrl: string; token: string } | undefined;
  openai: { baseUrl: string; token: string } | undefined;
}

export interface OutputLine {
  stream: OutputStream;
  text: string;
  end: OutputCursor;
  cut: boolean;
}

export interface Commit {
  /** JSON; replaces the last. */
  state: unknown;
  events?: readonly RunEventData[] | undefined;
  asks?: readonly Ask[] | undefined;
  /** Asks that the agent has withdrawn, e.g. after an interruption: their buttons go. */
  withdrawn?: readonly string[] | undefined;
  inputs?: readonly ProcessInput[] | undefined;
  cursor?: OutputCursor | undefined;
  /** Number of the last mail that has been dealt with. */
  mail?: number | undefined;
}

/** How a turn ended, for the run's result. */
export type TurnEnd =
  /** With the main process, and as that did. */
  | { end: 'exited'; session?: undefined }
  | { end: 'done'; session: string | undefined }
  /** The agent or the model gave up: why, and which kind of trouble as far as it is known. `resumable`: a retry continues the session. */
  | { end: 'failed'; why: string; trouble?: AgentTrouble | undefined; session: string | undefined; resumable: boolean }
  | { end: 'stopped'; session: string | undefined }
  /** It has saved what it needs to go on at the ask it waits for. */
  | { end: 'parked'; session: string | undefined };
