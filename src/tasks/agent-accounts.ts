import { type AgentKind, agentKindSchema } from '../contracts/agent.ts';
import type { AccountInUse, AgentAccount, AgentAccounts } from '../contracts/agent-account.ts';
import type { Clock } from '../runtime/clock.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import { accountOfRun, keyContext, noteAccountUsed, resealAgentAccountKey, sealedKeyOf } from '../store/agent-accounts.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database, Tx } from '../store/database.ts';
import { accountRefusal, isBearer, removedRefusal } from './agent-account-rules.ts';

export interface AgentAccountsDeps {
  database: Database;
  secretBox: SecretBox;
  clock: Clock;
}

/** The accounts of harnesses for the runner that is given them: the only way by which a key leaves the database. */
export function createAgentAccounts({ database, secretBox, clock }: AgentAccountsDeps): AgentAccounts {
  async function inUse(tx: Tx, account: AgentAccount): Promise<AccountInUse> {
    const sealed = await sealedKeyOf(tx, account.id);
    const key = sealed === undefined ? '' : secretBox.open(sealed, keyContext(account.id));
    if (sealed !== undefined && secretBox.isStale(sealed)) {
      await resealAgentAccountKey(tx, account.id, sealed, secretBox.seal(key, keyContext(account.id)));
    }
    const { id, name, protocol, baseUrl, credential, models, image, binary } = account;
    return { id, name, protocol, baseUrl, key, bearer: isBearer(credential), models, image, binary };
  }

  return {
    take: (run) =>
      database.transaction(async (tx) => {
        const given = await accountOfRun(tx, run);
        if (given === undefined) return undefined;
        const { account, workspace } = given;
        if (account === undefined) return { refusal: removedRefusal(given.name) };
        const agent: AgentKind = agentKindSchema.parse(given.agent);
        const refusal = accountRefusal(agent, account);
        if (refusal !== undefined) return { refusal };
        await noteAccountUsed(tx, account.id, clock.now());
        await recordAudit(tx, {
          workspace,
          action: 'account.use',
          subject: account.id,
          data: { run, agent, name: account.name },
        });
        return { account: await inUse(tx, account) };
      }),
    async refusal(id) {
      const row = await database.db.agentAccount.findUnique({ where: { id }, select: { name: true, archivedAt: true } });
      return row === null || row.archivedAt !== null ? removedRefusal(row?.name ?? id) : undefined;
    },
  };
}
