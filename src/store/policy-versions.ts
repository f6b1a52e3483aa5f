import { type Policy, policySchema } from '../contracts/policy.ts';
import type { Tx } from './database.ts';

/** A policy as it was at one time. */
export interface PolicyVersion {
  version: number;
  policy: Policy;
  /** User id; undefined: it came with the project. */
  by: string | undefined;
  at: Date;
}

export async function storePolicyVersion(
  tx: Tx,
  input: { workspace: string; project: string; version: number; policy: Policy; by: string | undefined; at: Date },
): Promise<void> {
  const { workspace, project, version, policy, by, at } = input;
  await tx.db.policyVersion.create({
    data: { workspaceId: workspace, projectId: project, version, policy, byId: by ?? null, at },
  });
}

/** Versions of the policy of a project below `before`, the newest first; a project of another workspace has none (promise 12). */
export async function policyVersions(
  tx: Tx,
  { workspace, project, before, most }: { workspace: string; project: string; before?: number | undefined; most: number },
): Promise<PolicyVersion[]> {
  const rows = await tx.db.policyVersion.findMany({
    where: { workspaceId: workspace, projectId: project, ...(before === undefined ? {} : { version: { lt: before } }) },
    orderBy: { version: 'desc' },
    take: most,
  });
  return rows.map(toVersion);
}

/** The policy under this number; undefined: there was none, or it is not kept. */
export async function policyAt(
  tx: Tx,
  { workspace, project, version }: { workspace: string; project: string; version: number },
): Promise<PolicyVersion | undefined> {
  const row = await tx.db.policyVersion.findFirst({ where: { workspaceId: workspace, projectId: project, version } });
  return row === null ? undefined : toVersion(row);
}

function toVersion(row: { version: number; policy: unknown; byId: string | null; at: Date }): PolicyVersion {
  return { version: row.version, policy: policySchema.parse(row.policy), by: row.byId ?? undefined, at: row.at };
}
