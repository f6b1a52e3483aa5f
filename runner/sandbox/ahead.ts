/**
 * The program of an agent that a provider may start before it is known for which run, so that it has done what takes it time when the
 * run comes. It waits for its first input, and knows nothing of a run until it is told.
 */
export interface Ahead {
  /** Tells it from others that the same image could start, `claude-code`. */
  name: string;
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  /** Absolute paths; written before it starts. */
  files: readonly { path: string; text: string }[];
}

/** Brings docker/bridge.mjs the lines for a program that was started ahead. */
export const tellVariable = 'DECKHAND_AHEAD_TELL';
