import { z } from 'zod';
import type { SecretBox } from '../runtime/secret-box.ts';
import { chainActions, type HashedLine, logThinned } from '../store/audit-line.ts';
import { type ChainProblem, createChainCheck } from './check-chain.ts';
import { createProblems } from './findings.ts';
import { judgeSigned, signedActions } from './signed-lines.ts';

const beganSchema = z.object({ earlier: z.string().nullable() });
const refusedSchema = z.object({ seq: z.number(), hash: z.string(), why: z.string() });
const runLogSchema = z.object({ task: z.string(), through: z.number(), events: z.number(), digest: z.string() });

/** The log of a run as it was chained. */
export interface ChainedLog {
  run: string;
  seq: number;
  id: string;
  through: number;
  events: number;
  digest: string;
}

/** What is known of a chain once all its lines were looked at. */
export interface Walk {
  problem: ChainProblem | undefined;
  problems: number;
  lines: number;
  first: number;
  end: { seq: number; hash: string };
  earlier: number;
  logs: ChainedLog[];
  /** Runs whose logs were made shorter, as lines say. */
  thinned: ReadonlySet<string>;
}

/**
 * Walks over the lines of one chain in their order, from databases and files alike. `whole`: the lines are all that is kept, so a chain that does
 * not begin at 1 must say what was removed. `check` is absent where there is no key to check signatures with.
 */
export function createWalk(of: {
  workspace: string;
  whole: boolean;
  check?: SecretBox['check'] | undefined;
  on?: (line: HashedLine) => void;
}) {
  const problems = createProblems();
  const logs: ChainedLog[] = [];
  const thinned = new Set<string>();
  let chain: ReturnType<typeof createChainCheck> | undefined;
  let before = { seq: 0, hash: '' };
  const signed: HashedLine[] = [];
  let earlierThrough: string | undefined;
  const counts = { lines: 0, first: 0, earlier: 0 };
  let isOver = false;

  function begin(line: HashedLine): ReturnType<typeof createChainCheck> {
    counts.first = line.seq;
    before = { seq: line.seq - 1, hash: line.prev };
    return createChainCheck({ workspace: of.workspace, after: line.seq === 1 ? undefined : before });
  }

  /** Lines that the chain has written about itself. */
  function own(line: HashedLine): void {
    const { seq, id, action, data } = line;
    const bad = (what: string) => problems.add({ seq, id, what });
    if (action === chainActions.began) {
      earlierThrough = beganSchema.safeParse(data).data?.earlier ?? undefined;
    } else if (action === chainActions.refused) {
      const said = refusedSchema.safeParse(data).data;
      if (said !== undefined) bad(refusedText(said));
    } else if (signedActions.includes(action)) {
      signed.push(line);
    } else if (action === chainActions.runLog) {
      const said = runLogSchema.safeParse(data).data;
      if (said !== undefined) logs.push({ run: line.subject, seq, id, ...said });
    } else if (action === logThinned) {
      thinned.add(line.subject);
    }
  }

  function end(): void {
    const { removed, problems: found } = judgeSigned(signed, of.check);
    for (const problem of found) problems.add(problem);
    if (of.whole && before.seq > 0 && (removed?.last !== before.seq || removed.hash !== before.hash))
      problems.add({ seq: before.seq, what: 'the lines up to it are missing, and no line says that they were removed' });
  }

  return {
    next(line: HashedLine): void {
      chain ??= begin(line);
      problems.add(chain.next(line));
      counts.lines += 1;
      own(line);
      if (earlierThrough !== undefined && line.action !== chainActions.began && line.id <= earlierThrough) counts.earlier += 1;
      of.on?.(line);
    },
    problem: problems.add,
    /** No line follows. */
    done(): Walk {
      if (!isOver) end();
      isOver = true;
      return {
        problem: problems.first(),
        problems: problems.count(),
        ...counts,
        end: chain?.end() ?? { seq: 0, hash: '' },
        logs,
        thinned,
      };
    },
  };
}

function refusedText({ seq, why }: z.infer<typeof refusedSchema>): string {
  const found = `when the chain went on here, its end (line ${seq})`;
  if (why === 'went_back') return `${found} was older than Deckhand had left it`;
  if (why === 'key') return `${found} was signed with another key`;
  return `${found} was not signed by Deckhand`;
}
