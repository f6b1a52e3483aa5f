import { Prisma } from '../../prisma/client/client.ts';
import { type PlaceRole, placeRoleSchema } from '../contracts/roles.ts';
import type { Tx } from './database.ts';

/** What a membership or a team says an account is about one place: a project, or a folder as such. */
export interface GrantRow {
  /** The row of the account. */
  user: string;
  /** Id of the project or the folder. */
  place: string;
  from: 'project' | 'folder' | 'team';
  role: PlaceRole;
  folder: string | undefined;
  team: string | undefined;
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
  const rows = await db.$queryRaw<StoredGrant[]>(Prisma.sql`
    SELECT m."userId" AS "user", place."id" AS place, 'project' AS "from", m."role", NULL AS folder, NULL AS team
      FROM "Membership" m JOIN "Project" place ON place."id" = m."projectId" AND place."workspaceId" = ${workspace}
      WHERE m."workspaceId" = ${workspace} ${ofUsers(Prisma.sql`m."userId"`)} ${atPlaces}
    UNION ALL
    SELECT m."userId", place."id", 'folder', m."role", f."name", NULL
      FROM "Membership" m JOIN "Folder" f ON f."id" = m."folderId" AND f."workspaceId" = ${workspace} ${placesOfFolder}
      WHERE m."workspaceId" = ${workspace} ${ofUsers(Prisma.sql`m."userId"`)} ${atPlaces}
    UNION ALL
    SELECT tm."userId", place."id", 'team', l."role", f."name", t."name"
      FROM "TeamMember" tm JOIN "Team" t ON t."id" = tm."teamId" AND t."workspaceId" = ${workspace}
      JOIN "TeamLink" l ON l."teamId" = t."id" AND l."workspaceId" = ${workspace}
      JOIN "Folder" f ON f."id" = l."folderId" AND f."workspaceId" = ${workspace} ${placesOfFolder}
      WHERE tm."workspaceId" = ${workspace} ${ofUsers(Prisma.sql`tm."userId"`)} ${atPlaces}
    ORDER BY 1, 2, 6`);
  return rows.map(({ from, role, folder, team, ...row }) => ({
    ...row,
    from: from === 'project' || from === 'folder' ? from : 'team',
    // What is no role, of another version, gives nothing.
    role: placeRoleSchema.catch('none').parse(role),
    folder: folder ?? undefined,
    team: team ?? undefined,
  }));
}

interface StoredGrant {
  user: string;
  place: string;
  from: string;
  role: string;
  folder: string | null;
  team: string | null;
}
