import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';

/** What a name in CODEOWNERS was said to stand for. */
export interface CodeOwner {
  owner: string;
  /** User ids. */
  people: string[];
  /** Team ids. */
  teams: string[];
}

/** Ids of the members of these teams, by the id of the team. Teams of other workspaces have none (promise 12). */
export async function membersOfTeams(db: Tx['db'], workspace: string, teams: readonly string[]): Promise<Map<string, string[]>> {
  if (teams.length === 0) return new Map();
  const rows = await db.teamMember.findMany({
    where: { workspaceId: workspace, teamId: { in: [...new Set(teams)] }, team: { workspaceId: workspace } },
    select: { teamId: true, userId: true },
    orderBy: { userId: 'asc' },
  });
  const members = new Map<string, string[]>();
  for (const { teamId, userId } of rows) members.set(teamId, [...(members.get(teamId) ?? []), userId]);
  return members;
}

/** Names by team id. Ids of other workspaces are left out. */
export async function namesOfTeams(db: Tx['db'], workspace: string, teams: readonly string[]): Promise<Map<string, string>> {
  if (teams.length === 0) return new Map();
  const rows = await db.team.findMany({ where: { workspaceId: workspace, id: { in: [...new Set(teams)] } } });
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/**
 * User ids of those for whom names of CODEOWNERS stand, by the name: whom somebody has said (`setCodeOwner`), else, for `@login`, the only
 * account of the code host that is called so. A name that nobody is known by is left out.
 */
export async function peopleOfOwners(db: Tx['db'], workspace: string, owners: readonly string[]): Promise<Map<string, string[]>> {
  const asked = [...new Set(owners)];
  if (asked.length === 0) return new Map();
  const said = await db.codeOwner.findMany({ where: { workspaceId: workspace, owner: { in: asked } } });
  const teams = await membersOfTeams(
    db,
    workspace,
    said.flatMap((row) => row.teams),
  );
  const found = new Map(
    said.map((row) => [row.owner, [...new Set([...row.people, ...row.teams.flatMap((team) => teams.get(team) ?? [])])]]),
  );
  const logins = asked.filter((owner) => !found.has(owner) && /^@[^/]+$/.test(owner)).map((owner) => owner.slice(1));
  const accounts =
    logins.length === 0
      ? []
      : await db.$queryRaw<{ login: string; user: string }[]>(Prisma.sql`
          SELECT lower("name") AS login, "userId" AS "user" FROM "Identity"
          WHERE "workspaceId" = ${workspace} AND "platform" = 'github' AND lower("name") = ANY(${logins}::text[])`);
  for (const login of logins) {
    const same = accounts.filter((account) => account.login === login);
    // A login that two accounts were seen under was given to somebody else: whose it is now is not known.
    if (same.length === 1 && same[0] !== undefined) found.set(`@${login}`, [same[0].user]);
  }
  return new Map([...found].filter(([, people]) => people.length > 0));
}

/** What was said about names of CODEOWNERS, by the name. */
export async function codeOwnersOf(tx: Tx, workspace: string): Promise<CodeOwner[]> {
  const rows = await tx.db.codeOwner.findMany({ where: { workspaceId: workspace }, orderBy: { owner: 'asc' }, take: 500 });
  return rows.map(({ owner, people, teams }) => ({ owner, people, teams }));
}

export async function codeOwnerNamed(tx: Tx, workspace: string, owner: string): Promise<CodeOwner | undefined> {
  const row = await tx.db.codeOwner.findUnique({ where: { workspaceId_owner: { workspaceId: workspace, owner } } });
  return row === null ? undefined : { owner, people: row.people, teams: row.teams };
}

/** Says who a name stands for, in place of what was said before. */
export async function setCodeOwner(tx: Tx, input: CodeOwner & { workspace: string; by: string; at: Date }): Promise<void> {
  const { workspace, owner, people, teams, by, at } = input;
  const said = { people, teams, byId: by, at };
  const where = { workspaceId_owner: { workspaceId: workspace, owner } };
  await tx.db.codeOwner.upsert({ where, create: { workspaceId: workspace, owner, ...said }, update: said });
}

/** False: nothing was said about it. */
export async function removeCodeOwner(tx: Tx, workspace: string, owner: string): Promise<boolean> {
  return (await tx.db.codeOwner.deleteMany({ where: { workspaceId: workspace, owner } })).count === 1;
}
