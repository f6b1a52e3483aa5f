import { type AgentKind, agentKindSchema } from '../contracts/agent.ts';
import type { AccountInUse, AccountRefusal, AgentAccount, AgentAccounts } from '../contracts/agent-account.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import {
  accountOfRun,
  accountUnderWay,
  isUseAudited,
  keyContext,
  noteAccountUsed,
  resealAgentAccountKey,
  sealedKeyOf,
} from '../store/agent-accounts.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database, Tx } from '../store/database.ts';
import { accountRefusal, isBearer, isForProject, removedRefusal } from './agent-account-rules.ts';

export interface AgentAccountsDeps {
  database: Database;
  secretBox: SecretBox;
  clock: Clock;
  logger: Pick<Logger, 'error'>;
}

/** The accounts of harnesses for the runner that is given them: the only way by which a key leaves the database. */
export function createAgentAccounts({ database, secretBox, clock, logger }: AgentAccountsDeps): AgentAccounts {
  /** Undefined: the key cannot be opened, because that of this installation was replaced. */
  async function keyOf(tx: Tx, { id, name }: AgentAccount): Promise<string | undefined> {
    const sealed = await sealedKeyOf(tx, id);
    if (sealed === undefined) return '';
    try {
      const key = secretBox.open(sealed, keyContext(id));
      if (secretBox.isStale(sealed)) await resealAgentAccountKey(tx, id, sealed, secretBox.seal(key, keyContext(id)));
      return key;
    } catch (error) {
      logger.error({ err: error, account: name }, 'the key of an account cannot be opened');
      return undefined;
    }
  }

  function inUse(account: AgentAccount, key: string): AccountInUse {
    const { id, name, protocol, baseUrl, credential, models, image, binary } = account;
    return { id, name, protocol, baseUrl, key, bearer: isBearer(credential), models, image, binary };
  }

  return {
    take: (run) =>
      database.transaction(async (tx) => {
        const given = await accountOfRun(tx, run);
        if (given === undefined) return undefined;
        const { account, workspace, project } = given;
        if (account === undefined || !isForProject(account, project)) return { refusal: removedRefusal(given.name) };
        const agent: AgentKind = agentKindSchema.parse(given.agent);
        const refusal = accountRefusal(agent, account);
        if (refusal !== undefined) return { refusal };
        const key = await keyOf(tx, account);
        if (key === undefined) return { refusal: unreadable(account.name) };
        await noteAccountUsed(tx, account.id, clock.now());
        // A run is taken again when its runner has started anew.
        if (await isUseAudited(tx, workspace, account.id, run)) return { account: inUse(account, key) };
        await recordAudit(tx, {
          workspace,
          action: 'account.use',
          subject: account.id,
          data: { run, agent, name: account.name },
        });
        return { account: inUse(account, key) };
      }),
    async refusal(id, run) {
      const found = await accountUnderWay(database.db, id, run);
      return found?.usable === true ? undefined : removedRefusal(found?.name ?? id);
    },
  };
}

function unreadable(name: string): AccountRefusal {
  return {
    what: `The key of the account \`${name}\` cannot be opened: the secret key of this installation has changed.`,
    instead: `\`account key ${name}\` asks for it again. Then retry.`,
  };
}
