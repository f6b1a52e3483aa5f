import type { CustomRole } from '../contracts/custom-roles.ts';
import { type TeamRole, teamRoleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import { countingRole, customRolesById, roleColumns } from './custom-roles.ts';
import type { Tx } from './database.ts';
import { idsOf } from './linked-people.ts';
import type { Member } from './people.ts';

/** People who are named together. */
export interface Team {
  id: string;
  workspace: string;
  name: string;
}

/** What the members of a team are in a folder. */
export interface TeamLink {
  team: string;
  folder: string;
  role: TeamRole | CustomRole;
}

/** Makes a team. Undefined when the workspace has one of this name (case does not matter). */
export async function createTeam(tx: Tx, workspace: string, name: string): Promise<Team | undefined> {
  const id = newId('tea');
  const { count } = await tx.db.team.createMany({
    data: [{ id, workspaceId: workspace, name, key: name.toLowerCase() }],
    skipDuplicates: true,
  });
  return count === 1 ? { id, workspace, name } : undefined;
}

/** Teams of the workspace, by name. */
export async function teamsOf(tx: Tx, workspace: string): Promise<Team[]> {
  const rows = await tx.db.team.findMany({ where: { workspaceId: workspace }, orderBy: { key: 'asc' } });
  return rows.map(({ id, name }) => ({ id, workspace, name }));
}

/** Removes a team: its members lose what it gave them. */
export async function removeTeam(tx: Tx, { id, workspace }: Team): Promise<void> {
  await tx.db.team.deleteMany({ where: { id, workspaceId: workspace } });
}

/** Rows of accounts that are in these teams, by the id of the team. They are those that joined: `idsOf` a person has them. */
export async function teamMembers(tx: Tx, workspace: string, teams: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await tx.db.teamMember.findMany({
    where: { workspaceId: workspace, teamId: { in: [...teams] } },
    orderBy: { createdAt: 'asc' },
  });
  const byTeam = Map.groupBy(rows, ({ teamId }) => teamId);
  return new Map([...byTeam].map(([team, members]) => [team, members.map(({ userId }) => userId)]));
}

/** Links of the workspace; `of` narrows to a team or a folder. */
export async function teamLinks(
  tx: Tx,
  workspace: string,
  of: { team?: string | undefined; folder?: string | undefined } = {},
): Promise<TeamLink[]> {
  const rows = await tx.db.teamLink.findMany({
    where: {
      workspaceId: workspace,
      ...(of.team === undefined ? {} : { teamId: of.team }),
      ...(of.folder === undefined ? {} : { folderId: of.folder }),
    },
    orderBy: { createdAt: 'asc' },
  });
  const ids = rows.map(({ customRoleId }) => customRoleId);
  const known = await customRolesById(tx, workspace, ids);
  return rows.flatMap((row) => {
    const role = countingRole(row, known) ?? teamRoleSchema.safeParse(row.role).data;
    return role === undefined ? [] : [{ team: row.teamId, folder: row.folderId, role }];
  });
}

/** Takes a person into a team; false when they are in it already, under any of their accounts. */
export async function joinTeam(tx: Tx, { id, workspace }: Team, member: Member): Promise<boolean> {
  const where = { teamId: id, workspaceId: workspace, userId: { in: idsOf(member) } };
  if ((await tx.db.teamMember.count({ where })) > 0) return false;
  await tx.db.teamMember.create({ data: { teamId: id, workspaceId: workspace, userId: member.user } });
  return true;
}

/** Takes a person out of a team, whichever of their accounts is in it; false when none is. */
export async function leaveTeam(tx: Tx, { id, workspace }: Team, member: Member): Promise<boolean> {
  const where = { teamId: id, workspaceId: workspace, userId: { in: idsOf(member) } };
  return (await tx.db.teamMember.deleteMany({ where })).count > 0;
}

/** Links a team to a folder, or changes what its members are there; undefined ends the link. Returns what it was before. */
export async function linkTeam(
  tx: Tx,
  { id, workspace }: Team,
  folder: string,
  role: TeamRole | CustomRole | undefined,
): Promise<TeamRole | CustomRole | undefined> {
  const [before] = await teamLinks(tx, workspace, { team: id, folder });
  const teamId_folderId = { teamId: id, folderId: folder };
  if (role === undefined) await tx.db.teamLink.deleteMany({ where: { ...teamId_folderId, workspaceId: workspace } });
  else {
    const create = { ...teamId_folderId, workspaceId: workspace, ...roleColumns(role) };
    await tx.db.teamLink.upsert({ where: { teamId_folderId }, create, update: roleColumns(role) });
  }
  return before?.role;
}
