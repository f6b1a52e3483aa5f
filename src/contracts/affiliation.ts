import { z } from 'zod';
import { bothOf, type Given, givenOf } from './permissions.ts';
import type { Platform } from './platform.ts';
import type { Role } from './roles.ts';

/**
 * How an account belongs to the workspace of its platform: a `member` like others; of another `organisation` with which a channel is
 * shared; a `guest` account of the workspace, invited for some channels; a `newcomer`, whom nobody there has let in yet. `unknown`: the
 * platform could not be asked.
 */
export const affiliationSchema = z.object({
  kind: z.enum(['member', 'organisation', 'guest', 'newcomer', 'unknown']),
  /** Name of the other organisation. */
  organisation: z.string().min(1).optional(),
});
export type Affiliation = z.infer<typeof affiliationSchema>;
export type AffiliationKind = Affiliation['kind'];

/** Platforms that tell it of every account that acts. Telegram tells it only of the discussion groups of channels; who may write to a repository is asked by itself. */
const telling: Record<Platform, boolean> = { slack: true, discord: true, telegram: false, console: false, github: false };

/**
 * Is the account not, or not surely, one of the workspace's own? `undefined`: the platform has not said anything of it, which counts as no
 * where a platform never does.
 */
export function isExternal(affiliation: Affiliation | undefined): boolean {
  return affiliation !== undefined && affiliation.kind !== 'member';
}

/** May it turn out to be external when it first acts? */
export function mayBeExternal(platform: Platform, affiliation: Affiliation | undefined): boolean {
  return affiliation === undefined ? telling[platform] : isExternal(affiliation);
}

/** What a channel gives: its members `defaultRole`, with what a custom role adds to it, external people as much of it as `externalRole`. */
export interface ChannelRoles extends Omit<Given, 'role'> {
  defaultRole: Role | undefined;
  externalRole?: 'guest' | undefined;
}

/** What a channel gives somebody who has no role of their own. */
export function givenOfChannel(
  { defaultRole: role, externalRole, ...custom }: ChannelRoles,
  affiliation: Affiliation | undefined,
): Given {
  const given = givenOf({ ...custom, role });
  return isExternal(affiliation) ? bothOf(given, { role: externalRole }) : given;
}

/** `external, Acme`, as it stands behind a name; undefined: nothing is to be said. */
export function externalWords(affiliation: Affiliation | undefined): string | undefined {
  switch (affiliation?.kind) {
    case 'organisation':
      return `external, ${affiliation.organisation ?? 'another organisation'}`;
    case 'guest':
      return 'external, guest account';
    case 'newcomer':
      return 'external, newcomer';
    case 'unknown':
    case 'member':
    case undefined:
      return undefined;
  }
}
