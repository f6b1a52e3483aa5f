import { z } from 'zod';

/** What a runner keeps on its disk beside the files of runs: a mirror of a project, a working copy in the making, a sandbox. */
export const holdingKindSchema = z.enum(['mirror', 'copy', 'sandbox']);
export type HoldingKind = z.infer<typeof holdingKindSchema>;

export interface Holding {
  kind: HoldingKind;
  /** Of a mirror the project, else the run. */
  subject: string;
  /** Null: it cannot be known from outside. */
  bytes: number | null;
}

/** `files`: all that a run has left. `commits`: all that a task has in the mirror of its project. */
export type Removal = { kind: 'files'; run: string } | { kind: 'commits'; task: string };

/**
 * Why something is deleted. `age`: it was kept long enough. `order`: somebody wants what is finished in a workspace gone. `room`: the disk quota
 * is exceeded by so many bytes.
 */
export type RemovalRule = { why: 'age' } | { why: 'order'; workspace: string } | { why: 'room'; bytes: number };

/** What was deleted. `files`: of so many runs; `commits`: of so many tasks. */
export const freedSchema = z.object({
  files: z.number().int().nonnegative(),
  commits: z.number().int().nonnegative(),
  bytes: z.number().nonnegative(),
});
export type Freed = z.infer<typeof freedSchema>;
export const nothingFreed: Freed = { files: 0, commits: 0, bytes: 0 };

/** What is on a disk: all in bytes. `quota` null: no bound. */
export interface DiskState {
  free: number;
  quota: number | null;
}

/** What Deckhand keeps on a host, and the largest parts of it in words that say whose they are. */
export interface Kept {
  bytes: number;
  largest: readonly { what: string; bytes: number }[];
}

/**
 * What is kept and what may be deleted, as the housekeeper of a runner sees it; beside RunControl. Deleting is always: ask what may go, then
 * `release` each (which notes it as removed in the database), then delete it. A crash in between leaves something that is noted as removed and
 * still there; it is named again by the next question.
 */
export interface HousekeepingControl {
  /** Stores what was found on the host. `all`: what is not named is there no more. */
  measured(host: string, found: { holdings: readonly Holding[]; all: boolean; disk: DiskState }): Promise<Kept>;
  /** Of the runs with files and the tasks with commits on this host those that may go, the most dispensable first. `at`: when the files changed last. */
  removable(
    here: { runs: readonly { run: string; at: Date }[]; tasks: readonly string[] },
    rule: RemovalRule,
  ): Promise<Removal[]>;
  /** Notes that it is removed, unless it has come to be needed. True: it is to be deleted now. Repeatable. */
  release(removal: Removal, rule: RemovalRule): Promise<boolean>;
  /** Forgets what is long over: events of platforms, answers to one person, the bulk of logs, who did what. Returns how many rows. Repeatable. */
  forget(): Promise<number>;
  /** An order that this host has not carried out yet. */
  order(host: string): Promise<{ id: string; workspace: string } | undefined>;
  /** This host has carried it out. Repeatable. */
  carriedOut(order: string, host: string, freed: Freed): Promise<void>;
  /** Calls back when there may be an order. A call that is lost is made up for by looking now and then. */
  onOrder(listener: () => void, until: AbortSignal): void;
}
