import type { AgentName } from './conversation.ts';

/** What a script wants done, in words of no agent; the vocabulary of the agent turns it into a call of a tool that is offered. */
export type Action =
  | { do: 'run'; command: string; why: string; seconds?: number }
  | { do: 'read'; path: string }
  | { do: 'edit'; path: string; old: string; new: string }
  | { do: 'write'; path: string; content: string }
  | { do: 'todo'; items: readonly Todo[] }
  | { do: 'ask'; header: string; question: string; options: readonly { label: string; description: string }[] }
  | { do: 'enter-plan' }
  | { do: 'plan'; text: string }
  | { do: 'delegate'; title: string; prompt: string }
  | { do: 'wait-agent'; agent: string }
  | { do: 'wait'; tool: string; input: Readonly<Record<string, unknown>> };

export interface Todo {
  text: string;
  state: 'pending' | 'in_progress' | 'completed';
}

/** What came of an action. */
export interface Outcome {
  text: string;
  failed: boolean;
  /** Somebody did not allow it. */
  denied: boolean;
  /** Why not, in their words. */
  reason: string;
}

/** One answer of the model, as a script writes it. */
export interface Turn {
  think?: string | undefined;
  say: string;
  actions?: readonly Action[] | undefined;
  /** Without actions: the agent's turn ends here, and what the person says next goes on with this script. */
  waits?: boolean | undefined;
}

/** What was there when the model was asked again. */
export interface Seen {
  outcomes: readonly Outcome[];
  /** What people said meanwhile. */
  said: readonly string[];
}

/** Yields one answer after the other and returns what to say at the end. Played again from its beginning for every request. */
export type Script = Generator<Turn, string, Seen>;

export interface Scene {
  /** What the person asked for. */
  prompt: string;
  agent: AgentName;
  /** The agent may only look around at this moment. */
  planning(): boolean;
  /** A tool for this is offered. */
  can(kind: Exclude<Action['do'], 'wait'>): boolean;
  /** What people said while it worked and has not been acknowledged. */
  heard: string[];
  /** All of what people said while it worked. */
  news: string[];
  /** To be done when the work is: what people chose before it. */
  later: (() => Script)[];
  /** Nothing more is to be done: what people did not agree to. */
  halted: boolean;
}

/** A scenario: chosen by words of the prompt, played with whatever agent asks. */
export interface Scenario {
  name: string;
  /** For people: a prompt that chooses it. */
  example: string;
  matches(prompt: string): boolean;
  /** A text where nothing is to be done. */
  play(scene: Scene): Script | string;
}
