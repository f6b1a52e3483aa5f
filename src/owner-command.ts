import { newOwnerCode, ownerCodeLifeMs } from './access/claim-code.ts';
import type { Terminal } from './cli.ts';
import { loadConfig } from './config.ts';
import { AppError } from './contracts/errors.ts';
import { openedDatabase } from './opened-database.ts';
import { recordAudit } from './store/audit.ts';
import type { Tx } from './store/database.ts';
import { membersOf } from './store/people.ts';
import { workspaceNames } from './store/workspaces.ts';

export const ownerVerbs = ['list', 'code'] as const;
export type OwnerVerb = (typeof ownerVerbs)[number];

/**
 * `deckhand owner list` and `deckhand owner code [WORKSPACE]`: for whoever has the machine when no owner can be reached. The code makes
 * the account that sends it an owner besides those there are; both steps are in the audit. Returns the exit code.
 */
export async function runOwner(verb: OwnerVerb, named: string | undefined, terminal: Terminal): Promise<number> {
  // Nothing is decrypted here.
  const key = terminal.env.DECKHAND_SECRET_KEY || Buffer.alloc(32).toString('base64');
  const config = loadConfig({ ...terminal.env, DECKHAND_SECRET_KEY: key }, { opensLab: false });
  return await openedDatabase(config, (database) =>
    database.transaction(async (tx) => {
      const workspaces = await workspaceNames(tx.db);
      if (verb === 'list') {
        for (const [id, name] of workspaces) terminal.out(`${name} (${id}): ${await ownersText(tx, id)}\n`);
        return 0;
      }
      const workspace = chosen(workspaces, named);
      const code = await newOwnerCode(tx, workspace, new Date());
      const data = { from: 'command line', owners: (await ownersOf(tx, workspace)).map(({ user }) => user) };
      await recordAudit(tx, { workspace, action: 'owner.code', subject: workspace, data });
      terminal.out(
        `Send this to Deckhand in a direct message, within ${ownerCodeLifeMs / 60_000} minutes, from the account that is to be an owner:\n\n  claim ${code}\n\nIt works once. Owners now: ${await ownersText(tx, workspace)}. The new owner takes their role with \`member remove @name\`.\n`,
      );
      return 0;
    }),
  );
}

async function ownersOf(tx: Tx, workspace: string) {
  return (await membersOf(tx, workspace)).filter(({ role }) => role === 'owner');
}

async function ownersText(tx: Tx, workspace: string): Promise<string> {
  const owners = await ownersOf(tx, workspace);
  return owners.length === 0 ? 'none' : owners.map(({ name }) => name).join(', ');
}

/** Throws DH-137. */
function chosen(workspaces: ReadonlyMap<string, string>, named: string | undefined): string {
  const ids = [...workspaces.keys()];
  const [only, ...others] = named === undefined ? ids : ids.filter((id) => id === named);
  if (only !== undefined && others.length === 0) return only;
  const detail = ids.length === 0 ? 'there is no workspace yet' : `name one of the workspaces: ${ids.join(', ')}`;
  throw new AppError('DH-137', { what: named ?? 'The owner', detail });
}
