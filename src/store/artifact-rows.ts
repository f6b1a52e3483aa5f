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
