import { z } from 'zod';
import { decidesAtLeast, may, type Permission, permissionSchema, permissions, type Rights } from './permissions.ts';
import { roleSchema, strongestRole } from './roles.ts';

/** Most people that a policy can ask to say yes. */
export const maxApprovals = 5;

/** The id of no person: it stands in lists where nobody is left, because an empty one stands for everybody. */
export const nobody = 'nobody';

/**
 * People and teams by their ids: whoever is one of them, or in one of them. Among the teams stand custom roles by theirs (`isRoleId`), for
 * whoever has one of them about the project: to a process that knows no such roles they are teams without members, so that nobody may.
 */
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
  /**
   * When set, whoever has all of these permissions may decide, whatever they may decide elsewhere. `role` is the weakest that has them: a
   * process that does not know this asks for that. What is no permission, of another version, nobody has.
   */
  permissions: z.array(z.string()).optional(),
  /** When not empty, only these people (user ids) may decide, whatever their role above `role`. */
  people: z.array(z.string()),
  /** The same for the members of teams and for who has custom roles, as that is at the moment of the press; `people` and `teams` are one list. */
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

/** Does the id stand for a custom role in a list of teams? */
export function isRoleId(id: string): boolean {
  return id.startsWith('rol_');
}

/** Whoever has all of these permissions, as approvers: with the weakest built-in role that has them. */
export function holdersOf(needed: readonly Permission[]): Pick<Approvers, 'role' | 'permissions'> {
  return { role: strongestRole(needed.map((one) => permissions[one].role)) ?? 'owner', permissions: [...needed] };
}

/** Do somebody's rights let them decide, before anything is asked about who they are? */
export function mayByRights({ role, permissions }: Pick<Approvers, 'role' | 'permissions'>, rights: Rights): boolean {
  if (permissions === undefined) return decidesAtLeast(rights, role);
  return permissions.every((one) => {
    const known = permissionSchema.safeParse(one).data;
    return known !== undefined && may(rights, known);
  });
}

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
