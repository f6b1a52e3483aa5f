import type { Database } from './database.ts';

/** Addresses of the repositories of projects that are not removed, and since when each is one. */
export async function repositoriesOfProjects({ db }: Pick<Database, 'db'>): Promise<{ address: string; since: Date }[]> {
  const rows = await db.project.findMany({
    where: { sourceKind: 'git', archivedAt: null },
    orderBy: { id: 'asc' },
    select: { source: true, createdAt: true },
  });
  return rows.map(({ source, createdAt }) => ({ address: source, since: createdAt }));
}
