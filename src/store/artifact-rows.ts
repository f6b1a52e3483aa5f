import type { Prisma } from '../../prisma/client/client.ts';

/**
 * Where the file of an artifact is, whichever workspace it belongs to. For sending what a row of that workspace names; what a person
 * asks for goes through `artifactById`.
 */
export async function artifactForSystem(
  db: Prisma.TransactionClient,
  id: string,
): Promise<{ name: string; path: string } | undefined> {
  return (await db.artifact.findUnique({ where: { id }, select: { name: true, path: true } })) ?? undefined;
}

/** A small one of those that were stored last; undefined: none is kept. */
export async function someArtifact(db: Prisma.TransactionClient): Promise<string | undefined> {
  const last = await db.artifact.findMany({
    where: { removedAt: null },
    select: { id: true, bytes: true },
    orderBy: { id: 'desc' },
    take: 20,
  });
  return last.sort((one, other) => Number(one.bytes - other.bytes))[0]?.id;
}
