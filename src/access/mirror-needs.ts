import type { Permission } from '../contracts/permissions.ts';

/** Who may make a task visible at another place. */
export interface MirrorNeeds {
  /** What it takes, about the project of the task. */
  permission: Permission;
  /** People there may not be meant to see the project: whoever shows it must say that they mean it. */
  share: boolean;
}

/**
 * What it takes to show a task of `project` at a place. In a direct conversation nobody else gains sight. Members of a channel of the
 * same project are meant to see its tasks. Whoever is in another channel is not: showing it there opens the project to them, like binding
 * the channel does, so it takes the same permission. A role that a channel gives its members reaches no further than the channel's project, so
 * in another channel only a role of one's own counts (src/access/effective-role.ts).
 */
export function mirrorNeeds(place: { kind: 'channel' | 'direct'; project: string | undefined }, project: string): MirrorNeeds {
  if (place.kind === 'direct') return { permission: 'task.see', share: false };
  if (place.project === project) return { permission: 'task.manage', share: false };
  return { permission: 'channel.manage', share: true };
}
