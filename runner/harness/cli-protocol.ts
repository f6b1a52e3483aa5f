import type { z } from 'zod';
import type { Ask, Mail, ProcessInput } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { OutputLine, Turn, TurnEnd } from './port.ts';

/**
 * The protocol of a CLI as a pure reducer: what it says and what people send changes a state, which is stored with everything that
 * follows from it. Whoever continues a run after a crash goes on from the stored state; each line and each mail counts once.
 */
export interface CliProtocol<S> {
  /** Reads a stored state back. */
  readonly state: z.ZodType<S>;
  /** Before the process has said anything: the first inputs, at least one. `earlier`: the state of a turn that was parked. */
  begin(turn: Turn, earlier: S | null): Step<S>;
  line(state: S, line: OutputLine, turn: Turn): Step<S>;
  mail(state: S, mail: Mail, turn: Turn): Step<S>;
  /** The wait for a decision takes long: what makes the process save its session and end, so that it can go on at the same ask. */
  park(state: S, turn: Turn): Step<S>;
  /** The process has ended, and all it said was read. `stopped`: a person wanted it to. */
  over(state: S, stopped: boolean): TurnEnd;
}

export interface Step<S> {
  state: S;
  events?: readonly RunEventData[];
  asks?: readonly Ask[];
  /** Names of asks that the agent does not wait for any more. */
  withdrawn?: readonly string[];
  inputs?: readonly ProcessInput[];
}
