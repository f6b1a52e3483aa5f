import type { Prisma } from '../../prisma/client/client.ts';
import { type PullFacts, pullFactsSchema } from '../contracts/code-host.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { storableJson } from './storable.ts';

/** A pull request with all that is known of it. */
export interface PullRecord {
  id: string;
  workspace: string;
  project: string;
  task: string;
  run: string;
  /** `acme/web` */
  repository: string;
  number: number;
  facts: PullFacts;
  /** Looks in a row that have failed. */
  failures: number;
  updatedAt: Date;
}

export async function pullById(db: Tx['db'], id: string): Promise<PullRecord | undefined> {
  const row = await db.pullRequest.findUnique({ where: { id } });
  return row === null ? undefined : toRecord(row);
}

/** The newest pull request of a task. */
export async function pullOfTask(db: Tx['db'], task: string): Promise<PullRecord | undefined> {
  const row = await db.pullRequest.findFirst({ where: { taskId: task }, orderBy: { id: 'desc' } });
  return row === null ? undefined : toRecord(row);
}

/** Stores what the code host says of a pull request, that the change of this run is what it shows now, and that it is to be looked at again. */
export async function putPull(
  tx: Tx,
  input: { workspace: string; project: string; task: string; run: string; repository: string; facts: PullFacts; at: Date },
): Promise<PullRecord> {
  const { workspace, project, task, run, repository, at } = input;
  const facts = JSON.parse(storableJson(input.facts)) as Prisma.InputJsonObject;
  const { number, state, head } = input.facts;
  const now = { facts, state, head: head.commit, updatedAt: at };
  const row = await tx.db.pullRequest.upsert({
    where: { workspaceId_repository_number: { workspaceId: workspace, repository, number } },
    create: {
      id: newId('pul'),
      workspaceId: workspace,
      projectId: project,
      taskId: task,
      runId: run,
      repository,
      number,
      createdAt: at,
      lookAt: at,
      ...now,
    },
    update: { ...now, runId: run, lookAt: at },
  });
  return toRecord(row);
}

/** Pull requests of a task, oldest first. */
export async function pullsOf(tx: Pick<Tx, 'db'>, task: string): Promise<PullRecord[]> {
  const rows = await tx.db.pullRequest.findMany({ where: { taskId: task }, orderBy: { id: 'asc' } });
  return rows.map(toRecord);
}

function toRecord(row: Prisma.PullRequestGetPayload<object>): PullRecord {
  return {
    id: row.id,
    workspace: row.workspaceId,
    project: row.projectId,
    task: row.taskId,
    run: row.runId,
    repository: row.repository,
    number: row.number,
    facts: pullFactsSchema.parse(row.facts),
    failures: row.failures,
    updatedAt: row.updatedAt,
  };
}
