import { z } from 'zod';
import type { SecretBox } from '../runtime/secret-box.ts';
import { chainActions, type HashedLine, keyChangedText, removedText } from '../store/audit-line.ts';
import type { ChainProblem } from './check-chain.ts';

const removedSchema = z.object({ last: z.number(), hash: z.string(), signature: z.string(), problem: z.string().optional() });
const keyChangedSchema = z.object({
  from: z.string(),
  to: z.string(),
  seq: z.number(),
  hash: z.string(),
  signature: z.string(),
  problem: z.string().optional(),
});

/** Lines of a chain that are signed one by one: anybody who can write the database could add a line that says so. */
export const signedActions: readonly string[] = [chainActions.removed, chainActions.keyChanged];

/** What the signed lines of a chain say, as far as Deckhand has signed them. */
export interface SignedSay {
  /** The last lines that were removed from the beginning. */
  removed: { last: number; hash: string } | undefined;
  problems: ChainProblem[];
}

/**
 * Judges the signed lines of a chain, given in their order. A signature by a key that is not there any more counts when a later line that can be
 * checked says that all before it was looked at, when its key was still there. Without `check` all of them count. Pure.
 */
export function judgeSigned(lines: readonly HashedLine[], check: SecretBox['check'] | undefined): SignedSay {
  const problems: ChainProblem[] = [];
  let removed: SignedSay['removed'];
  let attested = false;
  for (const line of lines.toReversed()) {
    const { seq, id, workspace, action, data } = line;
    const bad = (what: string) => void problems.push({ seq, id, what });
    const counts = (signature: string, text: string) => {
      const found = check?.(signature, text) ?? 'good';
      return found === 'good' || (found === 'unknown_key' && attested);
    };
    if (action === chainActions.removed) {
      const said = removedSchema.safeParse(data).data;
      if (said === undefined) bad('it says that lines were removed, but not which');
      else if (!counts(said.signature, removedText(workspace, said)))
        bad('it says that lines were removed, but Deckhand has not signed it');
      else {
        if (said.problem !== undefined)
          bad(`lines before ${said.last + 1} were not as they had been chained when they were removed (${said.problem})`);
        if (removed === undefined || said.last > removed.last) removed = said;
      }
    } else {
      const said = keyChangedSchema.safeParse(data).data;
      const isHere = said !== undefined && said.seq === seq - 1 && said.hash === line.prev;
      if (!isHere || !counts(said.signature, keyChangedText(workspace, said)))
        bad('it says that the secret key was changed, but Deckhand has not signed it');
      else {
        attested = true;
        if (said.problem !== undefined) bad(`when the secret key was changed, something was wrong before (${said.problem})`);
      }
    }
  }
  return { removed, problems };
}
