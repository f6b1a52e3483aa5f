import type { Artifact, Prisma } from '../../prisma/client/client.ts';
import type { ArtifactRef } from '../contracts/run-event.ts';
import { newId } from '../runtime/ids.ts';

/** A file a run left. The bytes are below the artifacts directory of the data directory, at `path`. */
export interface StoredArtifact {
  id: string;
  workspace: string;
  run: string;
  name: string;
  kind: string;
  bytes: number;
  /** Below the artifacts directory. */
  path: string;
}

/** Records a file, once per run and name: a repetition keeps the id and tells the new size and place. */
export async function recordArtifact(
  db: Prisma.TransactionClient,
  artifact: Omit<StoredArtifact, 'id'> & { kind: ArtifactRef['kind'] },
): Promise<StoredArtifact> {
  const content = { kind: artifact.kind, bytes: BigInt(artifact.bytes), path: artifact.path, removedAt: null };
  const row = await db.artifact.upsert({
    where: { runId_name: { runId: artifact.run, name: artifact.name } },
    create: { id: newId('art'), workspaceId: artifact.workspace, runId: artifact.run, name: artifact.name, ...content },
    update: content,
  });
  return toStored(row);
}

/** The file with this id in this workspace; one of another workspace does not exist (promise 12). */
export async function artifactById(
  db: Prisma.TransactionClient,
  workspace: string,
  id: string,
): Promise<StoredArtifact | undefined> {
  const row = await db.artifact.findFirst({ where: { id, workspaceId: workspace } });
  return row === null ? undefined : toStored(row);
}

function toStored(row: Artifact): StoredArtifact {
  return {
    id: row.id,
    workspace: row.workspaceId,
    run: row.runId,
    name: row.name,
    kind: row.kind,
    bytes: Number(row.bytes),
    path: row.path,
  };
}
