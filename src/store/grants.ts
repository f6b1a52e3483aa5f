import { Prisma } from '../../prisma/client/client.ts';
import { readPermissions } from '../contracts/custom-roles.ts';
import { type Given, rightsOf } from '../contracts/permissions.ts';
import { type PlaceRole, placeRoleSchema } from '../contracts/roles.ts';
import { besideCustom } from './custom-roles.ts';
import type { Tx } from './database.ts';

/** What a membership or a team says an account is about one place: a project, or a folder as such. */
export interface GrantRow extends Omit<Given, 'role'> {
  /** The row of the account. */
  user: string;
  /** Id of the project or the folder. */
  place: string;
  from: 'project' | 'folder' | 'team';
  role: PlaceRole;
  folder: string | undefined;
  team: string | undefined;
  /** Id of the custom role that it gives. */
  custom: string | undefined;
}

/**
 * All that is said in this workspace, of these accounts or of everybody, about these places or about all, in one statement. What is said of
 * a folder is there for the folder and for each of its projects. No row ever joins what is of two workspaces (promise 12).
 */
export async function grantRows(
  db: Tx['db'],
  workspace: string,
  about: { users?: readonly string[] | undefined; places?: readonly string[] | undefined },
): Promise<GrantRow[]> {
  const ofUsers = (column: Prisma.Sql) =>
    about.users === undefined ? Prisma.empty : Prisma.sql`AND ${column} = ANY(${[...about.users]}::text[])`;
  const atPlaces = about.places === undefined ? Prisma.empty : Prisma.sql`AND place."id" = ANY(${[...about.places]}::text[])`;
  /** A folder as such, and its projects. */
  const placesOfFolder = Prisma.sql`
    JOIN LATERAL (SELECT f."id" UNION ALL SELECT p."id" FROM "Project" p WHERE p."folderId" = f."id" AND p."workspaceId" = ${workspace}) place
      ON true`;
  /** A role that another process has written since beside a custom one counts before it. */
  const custom = (row: Prisma.Sql) => Prisma.sql`
    LEFT JOIN "CustomRole" c ON c."id" = ${row}."customRoleId" AND c."workspaceId" = ${workspace} AND ${row}."role" = ${besideCustom}`;
  const rows = await db.$queryRaw<StoredGrant[]>(Prisma.sql`
    SELECT m."userId" AS "user", place."id" AS place, 'project' AS "from", m."role", NULL AS folder, NULL AS team, c."id" AS custom, c."name" AS named, c."permissions"
      FROM "Membership" m JOIN "Project" place ON place."id" = m."projectId" AND place."workspaceId" = ${workspace} ${custom(Prisma.sql`m`)}
      WHERE m."workspaceId" = ${workspace} ${ofUsers(Prisma.sql`m."userId"`)} ${atPlaces}
    UNION ALL
    SELECT m."userId", place."id", 'folder', m."role", f."name", NULL, c."id", c."name", c."permissions"
      FROM "Membership" m JOIN "Folder" f ON f."id" = m."folderId" AND f."workspaceId" = ${workspace} ${placesOfFolder} ${custom(Prisma.sql`m`)}
      WHERE m."workspaceId" = ${workspace} ${ofUsers(Prisma.sql`m."userId"`)} ${atPlaces}
    UNION ALL
    SELECT tm."userId", place."id", 'team', l."role", f."name", t."name", c."id", c."name", c."permissions"
      FROM "TeamMember" tm JOIN "Team" t ON t."id" = tm."teamId" AND t."workspaceId" = ${workspace}
      JOIN "TeamLink" l ON l."teamId" = t."id" AND l."workspaceId" = ${workspace}
      JOIN "Folder" f ON f."id" = l."folderId" AND f."workspaceId" = ${workspace} ${placesOfFolder} ${custom(Prisma.sql`l`)}
      WHERE tm."workspaceId" = ${workspace} ${ofUsers(Prisma.sql`tm."userId"`)} ${atPlaces}
    ORDER BY 1, 2, 6`);
  return rows.map(({ from, role, folder, team, custom, named, permissions, ...row }) => ({
    ...row,
    from: from === 'project' || from === 'folder' ? from : 'team',
    // What is no role, of another version, gives nothing.
    ...(named === null || permissions === null
      ? { role: placeRoleSchema.catch('none').parse(role) }
      : customGrant(named, permissions)),
    folder: folder ?? undefined,
    team: team ?? undefined,
    custom: custom ?? undefined,
  }));
}

function customGrant(name: string, permissions: readonly string[]): Omit<Given, 'role'> & { role: PlaceRole } {
  const { role, extra } = rightsOf(readPermissions(permissions));
  return { role: placeRoleSchema.catch('none').parse(role), ...(extra === undefined ? {} : { extra }), named: [name] };
}

interface StoredGrant {
  user: string;
  place: string;
  from: string;
  role: string;
  folder: string | null;
  team: string | null;
  custom: string | null;
  named: string | null;
  permissions: string[] | null;
}
