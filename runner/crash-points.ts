/**
 * The places between two steps of a run at which tests kill the process (promise 8). After each of them another life of the runner
 * must bring the run to the same end: the command has its effect once, every byte of output is stored once, one terminal event.
 */
export const crashPoints = [
  'claimed',
  'base_resolved',
  'base_pinned',
  'copy_made',
  'sandbox_created',
  'copied_in',
  'authorised',
  'executing_recorded',
  'started',
  'output_committed',
  'output_stored',
  'command_ended',
  'finishing_recorded',
  'result_imported',
  'artifacts_kept',
  'finished',
  'destroyed',
] as const;

/** More of them in the runs of agents. */
export const agentCrashPoints = ['gateway_open', 'agent_committed', 'session_kept'] as const;

/** More where the change of a run is checked. */
export const checkCrashPoints = ['check_made', 'check_started', 'check_ended'] as const;

/** Of a run that puts a change on the newest base, or undoes a merge there; `claimed`, `artifacts_kept` and `finished` are of it too. */
export const rebaseCrashPoints = ['rebase_fetched', 'rebase_made', 'rebase_recorded'] as const;

/** And on the way of a change to the remote; each is called with the run that made it. */
export const publishCrashPoints = [
  'publish_claimed',
  'push_begun',
  'branch_pushed',
  'push_recorded',
  'open_begun',
  'pull_opened',
  'pull_recorded',
] as const;

export type CrashPoint =
  | (typeof crashPoints)[number]
  | (typeof agentCrashPoints)[number]
  | (typeof checkCrashPoints)[number]
  | (typeof rebaseCrashPoints)[number]
  | (typeof publishCrashPoints)[number];

/** Called at each point; does nothing in production. */
export type AtPoint = (point: CrashPoint, run: string) => void | Promise<void>;
