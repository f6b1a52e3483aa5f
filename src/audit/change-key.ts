import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.ts';
import { keyIdOf, type SecretBox } from '../runtime/secret-box.ts';
import { chainedLinesWith, chainHeads, holdChain, ownLine } from '../store/audit-chain.ts';
import { chainActions, keyChangedText } from '../store/audit-line.ts';
import type { Database } from '../store/database.ts';
import { createChainEnd } from './chain-end.ts';
import { judgeSigned, signedActions } from './signed-lines.ts';

export interface ChangeKey {
  database: Pick<Database, 'db' | 'transaction'>;
  secretBox: Pick<SecretBox, 'sign' | 'check' | 'keyIds'>;
  logger: Pick<Logger, 'error'>;
  now(): Date;
  /** Told after each chain: it is signed anew, and that is stored. */
  passed(): void;
}

/** Whoever adds to a chain holds it for milliseconds. */
const againMs = 50;

/**
 * Signs the ends of all chains with the newest key, where an older one has. In the same transaction the chain says so, and that all that is signed in
 * it was looked at: so it can be verified when the older keys are gone. Repeatable; ends that somebody else has signed meanwhile are left
 * alone, but for the line. Returns how many chains were signed anew.
 */
export async function changeKey(input: ChangeKey): Promise<number> {
  let signed = 0;
  for (const { workspace } of await chainHeads(input.database.db)) {
    let done: boolean | 'held' = 'held';
    while (done === 'held') {
      done = await changeOne(input, workspace);
      if (done === 'held') await delay(againMs);
    }
    if (done) signed += 1;
    input.passed();
  }
  return signed;
}

async function changeOne({ database, secretBox, logger, now }: ChangeKey, workspace: string): Promise<boolean | 'held'> {
  const [to] = secretBox.keyIds();
  const chain = createChainEnd({ secretBox, logger });
  return await database.transaction(async (tx) => {
    let head = await holdChain(tx, workspace);
    if (head === undefined) return 'held';
    const lines = await chainedLinesWith(tx.db, workspace, signedActions);
    const said = lines.findLastIndex(({ action, data }) => action === chainActions.keyChanged && signerOf(data) === to);
    const signers = [...lines.slice(said + 1).map(({ data }) => signerOf(data)), keyIdOf(head.signature ?? '.none')];
    const from = [...new Set(signers)].filter((key) => key !== to);
    if (from.length === 0) return false;
    const found = chain.before({ tx, head, now: now() });
    if (found.length > 0) {
      const end = await chain.add({ tx, head, now: now() }, found, new Set(found.map(({ id }) => id)));
      head = { ...head, ...end, beyond: undefined };
    }
    const { problems } = judgeSigned(lines, secretBox.check);
    const problem = problems.at(-1);
    const what = {
      from: from.join(', '),
      to,
      seq: head.seq,
      hash: head.hash,
      ...(problem === undefined ? {} : { problem: `line ${problem.seq}: ${problem.what}` }),
    };
    const data = { ...what, signature: secretBox.sign(keyChangedText(workspace, what)) };
    const line = ownLine(workspace, now(), { action: chainActions.keyChanged, subject: workspace, data });
    await chain.add({ tx, head, now: now() }, [line], new Set([line.id]));
    return true;
  });
}

function signerOf(data: unknown): string {
  const signature = typeof data === 'object' && data !== null && 'signature' in data ? data.signature : undefined;
  return typeof signature === 'string' ? keyIdOf(signature) : 'none';
}
