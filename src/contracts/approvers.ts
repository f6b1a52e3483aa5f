import { z } from 'zod';
import { roleSchema } from './roles.ts';

/** Most people that a policy can ask to say yes. */
export const maxApprovals = 5;

/** The id of no person: it stands in lists where nobody is left, because an empty one stands for everybody. */
export const nobody = 'nobody';

/** People and teams by their ids: whoever is one of them, or in one of them. */
const namedSchema = z.object({ people: z.array(z.string()), teams: z.array(z.string()) });

/** Files of a change that the same line of CODEOWNERS, or lines with the same owners, are about. */
export const ownedSchema = z.object({
  /** As they stand there, in small letters: `@login`, `@organisation/team`, addresses of mail. */
  owners: z.array(z.string()),
  /** The first of the files, and how many there are. */
  paths: z.array(z.string()),
  files: z.number().int().nonnegative(),
});
export type Owned = z.infer<typeof ownedSchema>;

/** Who may decide, and what else must hold for a "yes". */
export const approversSchema = z.object({
  /** Weakest role that may decide. */
  role: roleSchema,
  /** When not empty, only these people (user ids) may decide, whatever their role above `role`. */
  people: z.array(z.string()),
  /** The same for the members of teams, as they are at the moment of the press; `people` and `teams` are one list. */
  teams: z.array(z.string()).optional(),
  /** Further lists of the same kind, from demands: whoever decides must be in every one. */
  among: z.array(namedSchema).optional(),
  /** The requester may not decide on the own request. */
  notRequester: z.boolean(),
  /** How many different people must say yes; absent: one. One "no" is enough for a no. */
  count: z.number().int().min(1).max(maxApprovals).optional(),
  /** When set, only what is pressed in one of these channels (ids) counts. */
  channels: z.array(z.string()).optional(),
  /** An owner of each of these, as the base commit of the change names them, must be among those who say yes. */
  owned: z.array(ownedSchema).optional(),
});
export type Approvers = z.infer<typeof approversSchema>;

/**
 * `none`: there is no such file. `unclear`: it cannot be taken for what it is; `detail` says why. `owned` has only files with owners, those of
 * the same owners together; `skipped`: how many lines have a form that GitHub skips.
 */
export const ownershipSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('none') }),
  z.object({ state: z.literal('unclear'), file: z.string(), detail: z.string() }),
  z.object({ state: z.literal('read'), file: z.string(), owned: z.array(ownedSchema), skipped: z.number().int().nonnegative() }),
]);
export type Ownership = z.infer<typeof ownershipSchema>;
