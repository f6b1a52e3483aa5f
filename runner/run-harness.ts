import type { AgentSpec } from '../src/contracts/agent-control.ts';
import type { ArtifactRef, RunEventData } from '../src/contracts/run-event.ts';
import type { HarnessCapabilities, TurnEnd } from './harness/port.ts';
import { harnesses } from './harness/registry.ts';
import { recordOutput } from './output.ts';
import type { OutputLog } from './output-log.ts';
import { createAgentRun } from './run-agent.ts';
import type { Journey } from './run-journey.ts';
import type { ExpectedSandbox, SandboxSpec } from './sandbox/port.ts';

/** What a sandbox runs. */
export type Program = Pick<SandboxSpec, 'argv' | 'env' | 'gateway' | 'image' | 'ownImage' | 'ahead' | 'tell'>;

/** A harness on its way through the runner, with what it needs around it. */
export interface HarnessRun {
  readonly capabilities: HarnessCapabilities;
  /** Said when it has started. */
  readonly stage: Pick<Extract<RunEventData, { type: 'stage' }>, 'stage' | 'detail'>;
  /** How the sandbox is made, known before anything is prepared. */
  readonly expects: Omit<ExpectedSandbox, 'limits'>;
  /**
   * What the sandbox runs, from the commit that the task begins at. Waits until that is here (`copied`) where it depends on what is in the
   * commit.
   */
  program(base: string, copied: Promise<void>, signal: AbortSignal): Promise<Program>;
  /** Puts into the working copy what the program finds there. After `program`. */
  fill(signal: AbortSignal): Promise<void>;
  /** Makes ready what the sandbox reaches of this process. Before it starts, and again in another life of the runner. */
  open(): Promise<void>;
  /**
   * From the start of the sandbox's process to the end of the turn. Repeatable: continues from what is stored. What needs no process it does
   * before that has started; rejects when it does not start.
   */
  drive(log: OutputLog, started: Promise<void>): Promise<TurnEnd>;
  /** Keeps what continues the session. Repeatable. Nothing to keep is no error. */
  keepSession(turn: TurnEnd): Promise<AgentSpec['session']>;
  /** Keeps the files it has for people. Repeatable. */
  keepFiles(): Promise<ArtifactRef[]>;
  /** Lets go of what `open` has made. `over`: the run is, nothing stays. */
  close(over: boolean): Promise<void>;
}

export function harnessRunOf(journey: Journey): HarnessRun {
  const { spec, deps } = journey;
  if (spec.agent === undefined) return commandRun(journey);
  if (deps.agents === undefined) throw new Error(`${spec.run} is an agent's, and this runner takes none`);
  return createAgentRun(journey, deps.agents, spec.agent);
}

/** A plain command needs nothing but its sandbox. */
function commandRun(journey: Journey): HarnessRun {
  const { command } = journey.spec;
  const { capabilities, launch, drive } = harnesses.shell;
  return {
    capabilities,
    expects: {},
    stage: { stage: 'command', detail: 'running the command' },
    program: async () => launch({ command }),
    fill: async () => undefined,
    open: async () => undefined,
    async drive(log, started) {
      await started;
      return await drive({ turn: { command }, record: () => recordOutput(journey, log) });
    },
    keepSession: async () => null,
    keepFiles: async () => [],
    close: async () => undefined,
  };
}
