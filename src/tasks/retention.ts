import type { Removal, RemovalRule } from '../contracts/housekeeping.ts';

/** What is known about a task that has left something on a disk. */
export interface LeftTask {
  task: string;
  workspace: string;
  /**
   * A run of it, or of a task that was forked from it, is alive; a change of it is being brought out; somebody is asked about it; or a pull
   * request of it is open.
   */
  needed: boolean;
  /** `none`: it has changed nothing. `open`: it is not known to be merged, and nobody has discarded it. `settled`: one of both. */
  change: 'none' | 'open' | 'settled';
  /** Its commits are noted as removed already. */
  removed: boolean;
  /** When something last happened in it, or in a fork of it. */
  lastAt: Date;
}

/** What a run has left. */
export interface LeftFiles {
  run: string;
  /** Undefined: nobody knows the run. */
  task: LeftTask | undefined;
  bytes: number;
  /** When the files changed last. */
  at: Date;
  /** They are noted as removed already. */
  removed: boolean;
}

/** How long things are kept after something last happened in their task. Milliseconds. */
export interface Keeping {
  filesMs: number;
  changesMs: number;
}

/** What ended just now is somebody's work of today: neither an order nor a full disk takes it. */
export const freshMs = 24 * 60 * 60_000;

/** Whether the files of a run may be deleted. */
export function filesMayGo(files: LeftFiles, rule: RemovalRule, keeping: Keeping, now: Date): boolean {
  if (files.removed) return true;
  const { task } = files;
  if (task === undefined) return rule.why === 'age' && isOlder(files.at, keeping.filesMs, now);
  if (task.needed || !concerns(rule, task)) return false;
  if (rule.why !== 'age') return task.change !== 'open' && isOlder(task.lastAt, freshMs, now);
  // Whoever is still to decide about a change wants to see it.
  const keptMs = task.change === 'open' ? Math.max(keeping.filesMs, keeping.changesMs) : keeping.filesMs;
  return isOlder(task.lastAt, keptMs, now);
}

/** Whether the commits of a task may be deleted. */
export function commitsMayGo(task: LeftTask, rule: RemovalRule, keeping: Keeping, now: Date): boolean {
  // Nothing that needs them begins any more.
  if (task.removed) return true;
  if (task.needed || !concerns(rule, task)) return false;
  if (rule.why === 'age') return isOlder(task.lastAt, keeping.changesMs, now);
  return task.change !== 'open' && isOlder(task.lastAt, freshMs, now);
}

/**
 * What goes, the oldest first, files before commits. Where only room is wanted: no more than makes so much; commits when files do not, because what
 * they take is known only after they are gone.
 */
export function removals(
  left: { files: readonly LeftFiles[]; commits: readonly LeftTask[] },
  rule: RemovalRule,
  keeping: Keeping,
  now: Date,
): Removal[] {
  const age = ({ task, at }: LeftFiles) => (task?.lastAt ?? at).getTime();
  const files = left.files
    .filter((one) => filesMayGo(one, rule, keeping, now))
    .toSorted((one, other) => Number(other.removed) - Number(one.removed) || age(one) - age(other));
  const commits = left.commits
    .filter((one) => commitsMayGo(one, rule, keeping, now))
    .toSorted((one, other) => one.lastAt.getTime() - other.lastAt.getTime())
    .map(({ task }): Removal => ({ kind: 'commits', task }));
  const named = ({ run }: LeftFiles): Removal => ({ kind: 'files', run });
  if (rule.why !== 'room') return [...files.map(named), ...commits];
  const chosen: LeftFiles[] = [];
  let freed = 0;
  for (const one of files) {
    if (freed >= rule.bytes && !one.removed) break;
    chosen.push(one);
    // What is noted as removed does not count as kept any more.
    if (!one.removed) freed += one.bytes;
  }
  return [...chosen.map(named), ...(freed < rule.bytes ? commits : [])];
}

function concerns(rule: RemovalRule, task: LeftTask): boolean {
  return rule.why !== 'order' || rule.workspace === task.workspace;
}

function isOlder(at: Date, ms: number, now: Date): boolean {
  return now.getTime() - at.getTime() > ms;
}
