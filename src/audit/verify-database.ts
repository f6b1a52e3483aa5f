import type { SecretBox } from '../runtime/secret-box.ts';
import {
  type ChainHead,
  chainedLines,
  chainHeads,
  firstSince,
  readAtOneMoment,
  runLogDigests,
  waitingCount,
  waitingSubjects,
} from '../store/audit-chain.ts';
import { headText, logThinned, zeroHash } from '../store/audit-line.ts';
import type { Database } from '../store/database.ts';
import { workspaceNames } from '../store/workspaces.ts';
import type { ChainFindings } from './findings.ts';
import { createWalk, type Walk } from './walk.ts';

type Reader = Parameters<typeof chainHeads>[0];

export interface VerifyOptions {
  check: SecretBox['check'];
  /** Only lines from this moment, or from this place, on. */
  since?: Date | number | undefined;
  /** A hash that some line, or a removed one, must have had: the end of a chain as somebody has noted it. */
  head?: string | undefined;
}

export interface Verified {
  chains: ChainFindings[];
  /** Whether `head` is the hash of a line; undefined: none was asked for. */
  headFound: boolean | undefined;
}

const linesAtOnce = 2_000;
const logsAtOnce = 100;

/** Verifies all chains of an installation as they are at one moment, while it runs or not. Changes nothing. */
export async function verifyDatabase(database: Pick<Database, 'db'>, options: VerifyOptions): Promise<Verified> {
  return await readAtOneMoment(database, async (db) => {
    const names = await workspaceNames(db);
    const seen = { head: false };
    const chains: ChainFindings[] = [];
    for (const head of await chainHeads(db))
      chains.push({ name: names.get(head.workspace), ...(await verifyChain(db, head, options, seen)) });
    return { chains, headFound: options.head === undefined ? undefined : seen.head };
  });
}

async function verifyChain(db: Reader, head: ChainHead, options: VerifyOptions, seen: { head: boolean }): Promise<ChainFindings> {
  const { workspace } = head;
  const start = await startOf(db, workspace, options.since);
  const walk = createWalk({
    workspace,
    whole: start === 0,
    check: options.check,
    on({ hash, prev }) {
      if (options.head === hash || options.head === prev) seen.head = true;
    },
  });
  for (let after = start; ; ) {
    const lines = await chainedLines(db, workspace, { after, most: linesAtOnce });
    for (const line of lines) walk.next(line);
    after = lines.at(-1)?.seq ?? after;
    if (lines.length < linesAtOnce) break;
  }
  const found = walk.done();
  if (found.lines > 0 && (found.end.seq !== head.seq || found.end.hash !== head.hash)) walk.problem(endProblem(found, head));
  if (found.lines === 0 && options.since === undefined) walk.problem({ seq: 1, what: 'all lines are missing' });
  const signature = head.signature === null ? 'bad' : options.check(head.signature, headText(workspace, head));
  if (signature !== 'good')
    walk.problem({
      seq: head.seq,
      what:
        signature === 'bad'
          ? 'the end of the chain is not signed by Deckhand'
          : 'the end of the chain is signed with another key',
    });
  const thinned = found.thinned.union(await waitingSubjects(db, workspace, logThinned));
  const logs = await verifyLogs(db, { logs: found.logs, thinned }, walk.problem);
  const { problem, problems, lines, first, earlier, end } = walk.done();
  const { lines: waiting } = await waitingCount(db, workspace);
  return { workspace, problem, problems, lines, first, end: lines === 0 ? head : end, signature, waiting, earlier, logs };
}

/** The place after which to begin; 0: at the beginning of what is kept. */
async function startOf(db: Reader, workspace: string, since: VerifyOptions['since']): Promise<number> {
  if (since === undefined) return 0;
  if (typeof since === 'number') return Math.max(0, since - 1);
  const first = await firstSince(db, workspace, since);
  return first === undefined ? Number.MAX_SAFE_INTEGER : first - 1;
}

function endProblem({ end }: Walk, head: ChainHead) {
  if (end.seq < head.seq) return { seq: end.seq + 1, what: `it is missing: the chain ends at line ${head.seq}` };
  if (end.seq > head.seq) return { seq: head.seq + 1, what: `it was added by somebody else: the chain ends at line ${head.seq}` };
  return {
    seq: end.seq,
    what: head.hash === zeroHash ? 'the end of the chain was put back' : 'the end of the chain is another one',
  };
}

/** Compares logs of runs with what was chained, where they are kept whole. */
async function verifyLogs(
  db: Reader,
  { logs, thinned }: Pick<Walk, 'logs' | 'thinned'>,
  problem: ReturnType<typeof createWalk>['problem'],
): Promise<ChainFindings['logs']> {
  const counts = { same: 0, gone: 0 };
  for (let at = 0; at < logs.length; at += logsAtOnce) {
    const part = logs.slice(at, at + logsAtOnce);
    const digests = await runLogDigests(db, part);
    for (const { run, seq, id, events, digest } of part) {
      const now = digests.get(run);
      if (thinned.has(run)) counts.gone += 1;
      else if (now !== undefined && now.digest === digest && now.events === events) counts.same += 1;
      else problem({ seq, id, what: `the log of ${run} is not the one that was chained` });
    }
  }
  return counts;
}
