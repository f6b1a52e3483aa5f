import type { ChainProblem } from './check-chain.ts';

/** What a verification found out about one chain. */
export interface ChainFindings {
  workspace: string;
  /** Name of the workspace; undefined: it is not known. */
  name?: string | undefined;
  /** The first thing that is wrong, by its place; undefined: nothing. */
  problem: ChainProblem | undefined;
  /** How many things are wrong. */
  problems: number;
  lines: number;
  first: number;
  end: { seq: number; hash: string };
  /** Whether the end is signed with the secret key; `unchecked`: there was no key to look with. */
  signature: 'good' | 'bad' | 'unknown_key' | 'unchecked';
  /** Lines that wait for their place in the chain; undefined: not known. */
  waiting?: number | undefined;
  /** Lines from before there were chains. */
  earlier: number;
  /** Logs of runs that are as they were chained, and those that are not kept whole any more. */
  logs: { same: number; gone: number };
}

/** Collects what is wrong: the first problem by its place counts, the others are counted. */
export function createProblems(): {
  add(problem: ChainProblem | undefined): void;
  first(): ChainProblem | undefined;
  count(): number;
} {
  let first: ChainProblem | undefined;
  let count = 0;
  return {
    add(problem) {
      if (problem === undefined) return;
      count += 1;
      if (first === undefined || problem.seq < first.seq) first = problem;
    },
    first: () => first,
    count: () => count,
  };
}
