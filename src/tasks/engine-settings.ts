/** Times of the engine in milliseconds. Tests shorten them; nobody else needs to. */
export interface EngineSettings {
  /** A runner's host that was not seen for this long is given up: its runs are interrupted. */
  lostAfterMs: number;
  /** A run without any event for this long gets a note saying so, once per quiet period. */
  quietAfterMs: number;
  /** A run that has its place and no runner yet is published again. */
  republishQueuedMs: number;
  /** A run that has its place and was asked for so long ago is taken by a runner without its job. */
  overlookedMs: number;
  /** A run that is held is published again, in case its job is gone while its runner lives. */
  republishHeldMs: number;
  /** How often a runner's watch looks by itself, besides wake-ups. */
  watchMs: number;
  /** Runners that left are forgotten after this. */
  forgetRunnerMs: number;
  /** What is to be brought out from a host whose runner was not heard of for this long is given up: nobody waits forever. */
  strandedMs: number;
}

export const defaultEngineSettings: EngineSettings = {
  lostAfterMs: 5 * 60_000,
  quietAfterMs: 10 * 60_000,
  republishQueuedMs: 5_000,
  overlookedMs: 20_000,
  republishHeldMs: 60_000,
  watchMs: 2_000,
  forgetRunnerMs: 7 * 24 * 60 * 60_000,
  strandedMs: 60 * 60_000,
};
