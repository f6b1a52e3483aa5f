import { z } from 'zod';
import type { RunSpec } from './run-control.ts';

/**
 * How the change of a task stands to the newest commit of its base branch. `fits`: it can be put there; `conflict`: it cannot, because both have
 * changed the same; `merged`: all of it is there already.
 */
export const baseStateSchema = z.enum(['fits', 'conflict', 'merged']);
export type BaseState = z.infer<typeof baseStateSchema>;

export const baseStandSchema = z.object({
  /** The newest commit of the change that was looked at. */
  head: z.string(),
  onto: z.object({ branch: z.string(), commit: z.string() }),
  state: baseStateSchema,
  /** Of a conflict: paths, sorted; the first of many. */
  files: z.array(z.string()).optional(),
});
export type BaseStand = z.infer<typeof baseStandSchema>;

/** A change that nobody brings to its base but people, and what was found about it last. */
export interface OpenChange {
  task: string;
  base: { branch: string; commit: string };
  head: string;
  stand: BaseStand | undefined;
}

/** The engine as the part of a runner sees it that looks whether changes still fit their base; beside RunControl. */
export interface BaseControl {
  /**
   * Changes in the mirrors of this host that are at rest and not merged, and that no code host tells of because they have no pull request; by
   * project.
   */
  openChanges(host: string): Promise<{ project: RunSpec['project']; changes: OpenChange[] }[]>;
  /** Stores what was found. False when the change has become another meanwhile, or something happens with it. People are told what is new. */
  found(task: string, stand: BaseStand): Promise<boolean>;
}
