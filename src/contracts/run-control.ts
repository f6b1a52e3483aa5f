import type { AgentOffer } from './agent.ts';
import type { AgentSpec } from './agent-control.ts';
import type { ProjectAccess } from './code-host.ts';
import type { CommandAction, Policy } from './policy.ts';
import type { RunPurpose } from './rebase.ts';
import type { OutputCursor, RunEventData, RunResult } from './run-event.ts';

/** What a runner needs to execute a run. */
export interface RunSpec {
  run: string;
  workspace: string;
  task: string;
  /** The number people see, `#142`. */
  taskNumber: number;
  attempt: number;
  /** Number of one of several attempts that are made side by side: what it leaves is kept apart from the others'. */
  variant?: number | undefined;
  command: string;
  title: string;
  /** What a further run of an agent was asked, in a line: what the commit it leaves is called. Absent: as the task. */
  subject?: string | undefined;
  project: {
    id: string;
    name: string;
    source: { kind: 'git'; url: string } | { kind: 'path'; path: string };
    /** Configured base branch; null: the repository's default branch. */
    baseBranch: string | null;
  };
  /** Own branch of the task, `deckhand/<n>-<slug>`. */
  branch: string;
  /** Pinned by the first run of the task; null until then. */
  base: { branch: string; commit: string } | null;
  /** Head of the task's branch left by an earlier run; the working copy starts there. */
  head: string | null;
  policy: Policy;
  timeoutMs: number;
  /** Who asked for the run: a co-author of what it leaves. */
  requester?: { user: string; name: string } | undefined;
  /** A person asked to stop the run before it was claimed: a command that has not started must not start. */
  stopRequested?: boolean | undefined;
  /** What an agent is to do; absent: the run is a plain command. */
  agent?: AgentSpec | undefined;
  /**
   * `rebase`: nothing is run; the change of the task is put on the newest commit of its base branch. `resolve`: the agent is to do that, and
   * its working copy has that commit as `origin/<branch>`. `revert`: nothing is run; what `reverts` names is undone on the newest commit of the
   * branch it was merged into. `branch` is one of its own then.
   */
  rebase?: RunPurpose | undefined;
  reverts?: RevertedPull | undefined;
  /** The step of a trace that asked for it; absent: none is recorded. */
  traceparent?: string | undefined;
  /** Set when another life of a runner on this host had started the command already: attach and continue from there. */
  resume: {
    phase: 'preparing' | 'executing' | 'finishing';
    sandboxRef: string | null;
    cursor: OutputCursor;
    startedAt: Date | null;
  } | null;
}

/** A merged pull request that is to be undone. */
export interface RevertedPull {
  /** `acme/web` */
  repository: string;
  number: number;
  /** Of the change that undoes it. */
  title: string;
  /** Branch it was merged into, and the commit there that it was merged as. */
  base: string;
  merged: string;
  /** Newest commit of its branch. */
  head: string;
}

/** The part of an action that the machine decides, not the task. */
export type SandboxOffer = Pick<CommandAction, 'cwd' | 'sandbox' | 'image' | 'network'>;

/** `does_not_fit`: the run needs labels that the runner does not have. */
export type ClaimRefusal = 'not_queued' | 'held_elsewhere' | 'project_busy' | 'does_not_fit' | 'unknown';

/**
 * The engine as a runner sees it. The composition gives it to the runner, so that `runner/` never imports `src/tasks`.
 * Every method is one transaction, guarded by the expected state, and idempotent under repetition by the same runner.
 */
export interface RunControl {
  /**
   * Registers this runner (host = its data dir, lives as long as it beats) and returns the runs of this host left unfinished. One
   * runner per host: registering replaces the former one, whose runs may be claimed from then on. `offer`: what commands will be
   * run in now; approvals asked for before the start are about exactly this. `labels`: what the runner is, besides the kind of its
   * sandbox, which is one by itself. `store`: identity of the disk with its mirrors, which several hosts may share; left out: its own.
   * Register again when it changes.
   */
  register(runner: {
    id: string;
    host: string;
    capacity: number;
    sandboxes: string[];
    offer?: SandboxOffer | undefined;
    labels?: readonly string[] | undefined;
    store?: string | undefined;
  }): Promise<string[]>;
  /** Says which agents can work on this runner; again whenever that changes. Until it is said, it is not known. Idempotent. */
  offerAgents(runner: string, agents: readonly AgentOffer[]): Promise<void>;
  /** At least every 10 s while the runner lives. */
  beat(runner: string): Promise<void>;
  /** It takes nothing new from now on, and goes on with what it has: what waits for it goes to others that fit. Idempotent. */
  drain(runner: string): Promise<void>;
  /** It is gone: what waits for it goes to others that fit. */
  unregister(runner: string): Promise<void>;
  /**
   * Runs that have their place on the host of this runner and were asked for a while ago, though no runner has them: their jobs may be
   * lost, or the queue away. It claims them without a job as soon as it has room.
   */
  overlooked(runner: string): Promise<string[]>;
  /** Takes the run: `queued` -> `preparing`, or takes it over from a dead runner of the same host. */
  claim(run: string, runner: string): Promise<{ ok: true; spec: RunSpec } | { ok: false; reason: ClaimRefusal }>;
  /**
   * Appends events and stores the output cursor with them, in one commit. Refused (false) when this runner no longer holds the run.
   * For `stage`, `output`, `note`; the other events are written by the methods that cause them.
   */
  append(run: string, runner: string, events: RunEventData[], cursor?: OutputCursor): Promise<boolean>;
  /** Pins the base of the task; the first pin wins and is returned. Appends the `git` event of the run, once. */
  pinBase(run: string, runner: string, base: { branch: string; commit: string }): Promise<{ branch: string; commit: string }>;
  /**
   * The last check before the command starts (promise 7): the policy pinned with the task, the rules of the task and the decision
   * bound to the hash of exactly this action are looked at again, the decider's rights too, and an approval is used up.
   * `ask`: an approval must be opened first (the engine has opened it and parked the run in `awaiting`; the runner lets go).
   * `deny`: the engine has ended the run, or this runner no longer holds it; the runner lets go.
   * The action is what `register` offered plus command, project and time limit of the spec; any other is asked for anew.
   */
  authorise(
    run: string,
    runner: string,
    action: CommandAction,
  ): Promise<{ verdict: 'run' } | { verdict: 'ask' } | { verdict: 'deny'; because: string }>;
  /**
   * `preparing` -> `executing`: the sandbox exists and its command is about to start. Recorded BEFORE the start. Refused (false)
   * when the run is not this runner's or `authorise` has not said `run` for this kind of sandbox. Appends the `sandbox` event. The run
   * of an agent is not authorised as a whole: each of its calls is (AgentControl); it becomes `planning` in mode `plan`.
   */
  executing(
    run: string,
    runner: string,
    sandbox: { kind: 'docker' | 'local'; ref: string; isolated: boolean; image?: string | undefined },
  ): Promise<boolean>;
  /** `executing` (`planning`, `awaiting`) -> `finishing`: the command, or the agent's turn, has ended. */
  finishing(run: string, runner: string): Promise<boolean>;
  /** Ends the run, exactly once: terminal event, run state, task column and head, next runs dispatched. False when it had ended. */
  finish(run: string, runner: string, result: RunResult): Promise<boolean>;
  /** Aborts when a person asked to stop the run or when the run is no longer this runner's. `signal.reason` is 'stop' or 'lost'. */
  watch(run: string, runner: string, until: AbortSignal): AbortSignal;
  /** What `project.sync` found. `detail` and `remedy` are sentences for people: what is wrong, what to do. */
  projectSynced(
    project: string,
    found:
      | { ok: true; defaultBranch: string; head: string; access?: ProjectAccess | undefined }
      | { ok: false; code: string; detail: string; remedy?: string | undefined },
  ): Promise<void>;
  /** The source to sync, or null when the project is gone. `access`: what may be done there is to be found out too. */
  projectSource(project: string): Promise<(RunSpec['project'] & { access: boolean }) | null>;
  /** Ids of runs that are not terminal, for the reaper of sandboxes and working copies of this host; undefined: of all hosts. */
  liveRuns(host: string | undefined): Promise<string[]>;
}
