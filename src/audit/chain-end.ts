import type { Logger } from '../runtime/logger.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import { type HeldChain, moveHead, ownLine, storeChained, type WaitingLine } from '../store/audit-chain.ts';
import { chainActions, headText } from '../store/audit-line.ts';
import type { Tx } from '../store/database.ts';
import { chainLines } from './chain-lines.ts';

/** A chain that is held while something is added to it. */
export interface Hold {
  tx: Tx;
  head: HeldChain;
  now: Date;
}

/** The end of chains as one process knows it. */
export interface ChainEnd {
  /** What the chain says about itself before anything else: that it begins, or that its end is not as it was left. */
  before(hold: Hold): WaitingLine[];
  /** Adds lines behind the end, of which `own` are not stored yet, and signs the new end. */
  add(hold: Hold, lines: readonly WaitingLine[], own: ReadonlySet<string>): Promise<{ seq: number; hash: string }>;
  /** The ends that this process has left, by workspace: who puts an older state of the database back is noticed. */
  left: Map<string, { seq: number; hash: string }>;
}

export function createChainEnd(deps: { secretBox: Pick<SecretBox, 'sign' | 'check'>; logger: Pick<Logger, 'error'> }): ChainEnd {
  const { secretBox, logger } = deps;
  const left: ChainEnd['left'] = new Map();

  function refusal({ workspace, seq, hash, signature, beyond }: HeldChain): 'signature' | 'key' | 'went_back' | undefined {
    const last = left.get(workspace);
    if (beyond !== undefined) return 'went_back';
    if (last !== undefined && (seq < last.seq || (seq === last.seq && hash !== last.hash))) return 'went_back';
    const good = signature === null ? 'bad' : secretBox.check(signature, headText(workspace, { seq, hash }));
    return good === 'good' ? undefined : good === 'bad' ? 'signature' : 'key';
  }

  return {
    left,
    before({ head, now }) {
      const { workspace, seq, hash, signature, earlier } = head;
      const own = (action: string, data: object) => ownLine(workspace, now, { action, subject: workspace, data });
      const isNew = seq === 0 && signature === null && head.beyond === undefined && !left.has(workspace);
      if (isNew) return [own(chainActions.began, { earlier })];
      const why = refusal(head);
      if (why === undefined) return [];
      logger.error({ workspace, seq, hash, why }, 'the audit does not end as it was left: run `deckhand audit verify`');
      return [own(chainActions.refused, { seq, hash, why })];
    },
    async add({ tx, head, now }, lines, own) {
      const chained = chainLines(head.beyond ?? head, lines);
      const last = chained.at(-1);
      if (last === undefined) return head;
      await storeChained(tx, chained, own);
      const to = { seq: last.seq, hash: last.hash };
      await moveHead(tx, head, { ...to, signature: secretBox.sign(headText(head.workspace, to)), at: now });
      return to;
    },
  };
}
