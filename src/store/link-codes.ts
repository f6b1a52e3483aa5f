import { z } from 'zod';
import type { LinkCode, Prisma } from '../../prisma/client/client.ts';
import { conversationSchema, type IdentityRef, identityRefSchema, platformSchema } from '../contracts/platform.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** How far both sides of a link have come. `open`: the code waits. */
export type LinkState = 'open' | 'offered' | 'agreed' | 'joined' | 'refused' | 'replaced';

/** One side of a link: an account, and where it acted. */
export const linkSideSchema = z.object({
  identity: identityRefSchema,
  conversation: conversationSchema,
});
export type LinkSide = z.infer<typeof linkSideSchema>;

export interface LinkRecord {
  id: string;
  workspace: string;
  state: LinkState;
  /** Who asked for the code. */
  asker: LinkSide;
  /** Who sent the code back; undefined while it is open. */
  other: LinkSide | undefined;
  expiresAt: Date;
}

const states: readonly LinkState[] = ['open', 'offered', 'agreed', 'joined', 'refused', 'replaced'];
const live: LinkState[] = ['open', 'offered', 'agreed'];
/** Codes that are over are forgotten after this. */
const keptMs = 24 * 60 * 60 * 1000;

/** Keeps a new code; the account's earlier ones are void with it. Codes that have long been over are forgotten. */
export async function createLink(
  tx: Tx,
  input: { workspace: string; hash: string; asker: LinkSide; at: Date; expiresAt: Date },
): Promise<string> {
  const { workspace, hash, asker, at, expiresAt } = input;
  await tx.db.linkCode.updateMany({
    where: { workspaceId: workspace, ...accountOf(asker.identity), state: { in: live } },
    data: { state: 'replaced', endedAt: at },
  });
  await tx.db.linkCode.deleteMany({
    where: { workspaceId: workspace, expiresAt: { lt: new Date(at.getTime() - keptMs) } },
  });
  const id = newId('lnk');
  const conversation: Prisma.InputJsonObject = { ...asker.conversation };
  await tx.db.linkCode.create({
    data: { id, workspaceId: workspace, hash, ...accountOf(asker.identity), conversation, createdAt: at, expiresAt },
  });
  return id;
}

/** How many codes the account has asked for since then. */
export async function linksSince(tx: Tx, workspace: string, account: IdentityRef, since: Date): Promise<number> {
  return tx.db.linkCode.count({ where: { workspaceId: workspace, ...accountOf(account), createdAt: { gt: since } } });
}

/** The link that this code belongs to, in this workspace (promise 12). */
export async function linkByHash(tx: Tx, workspace: string, hash: string): Promise<LinkRecord | undefined> {
  const row = await tx.db.linkCode.findUnique({ where: { workspaceId_hash: { workspaceId: workspace, hash } } });
  return row === null ? undefined : toLink(row);
}

export async function linkById(tx: Tx, workspace: string, id: string): Promise<LinkRecord | undefined> {
  const row = await tx.db.linkCode.findFirst({ where: { id, workspaceId: workspace } });
  return row === null ? undefined : toLink(row);
}

/** Takes a link one step on; false when it does not stand at `from` any more. */
export async function advanceLink(
  tx: Tx,
  id: string,
  from: readonly LinkState[],
  to: LinkState,
  set: { at: Date; expiresAt?: Date | undefined; other?: LinkSide | undefined },
): Promise<boolean> {
  const { at, expiresAt, other } = set;
  const { count } = await tx.db.linkCode.updateMany({
    where: { id, state: { in: [...from] } },
    data: {
      state: to,
      ...(live.includes(to) ? {} : { endedAt: at }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(other === undefined
        ? {}
        : {
            otherPlatform: other.identity.platform,
            otherTenant: other.identity.tenant,
            otherAccount: other.identity.user,
            otherConversation: { ...other.conversation },
          }),
    },
  });
  return count === 1;
}

function accountOf({ platform, tenant, user }: IdentityRef) {
  return { platform, tenant, account: user };
}

function toLink(row: LinkCode): LinkRecord {
  const state = states.find((known) => known === row.state);
  if (state === undefined) throw new Error(`link ${row.id} is in no known state`);
  const { otherPlatform, otherTenant, otherAccount, otherConversation } = row;
  return {
    id: row.id,
    workspace: row.workspaceId,
    state,
    asker: side(row.platform, row.tenant, row.account, row.conversation),
    other:
      otherPlatform === null || otherTenant === null || otherAccount === null
        ? undefined
        : side(otherPlatform, otherTenant, otherAccount, otherConversation),
    expiresAt: row.expiresAt,
  };
}

function side(platform: string, tenant: string, user: string, conversation: unknown): LinkSide {
  return {
    identity: { platform: platformSchema.parse(platform), tenant, user },
    conversation: conversationSchema.parse(conversation),
  };
}
