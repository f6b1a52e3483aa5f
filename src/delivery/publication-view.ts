import type { PullFacts } from '../contracts/code-host.ts';
import type { PublicationState, PublishWhat } from '../contracts/publication.ts';
import type { PullNews } from '../contracts/pull-news.ts';
import type { Actor, ComparedAttempt, RunEvent, RunEventData } from '../contracts/run-event.ts';

/** How far a change has been brought out, as its last event says. */
export interface PublicationView {
  id: string;
  what: PublishWhat;
  state: PublicationState;
  branch: string;
  commit: string;
  url: string | undefined;
  /** Why it failed, or, with `retryAt`, why it waits. */
  problem: string | undefined;
  retryAt: string | undefined;
  /** Whose decision it was. */
  by: Actor | undefined;
  /** When it came to this state, and the number of the event that said so. */
  at: Date;
  seq: number;
}

/** Cards are made soon after the events: what is older has a message already. */
const toldKept = 50;

export interface ToldNews {
  seq: number;
  at: Date;
  news: readonly PullNews[];
  was: PullFacts;
}

/** A pull request, as the last event about it says. `first`, `last`: the numbers of the event that brought it up, and of that one. */
export interface PullView {
  repository: string;
  pull: PullFacts;
  first: number;
  last: number;
  /** What its thread was told since, by the number of the event, and how it was then; the last few. */
  told: readonly ToldNews[];
  /** Deckhand has deleted its branch, or found it gone. */
  branchDeleted?: true | undefined;
}

export interface ChangeView {
  publications: readonly PublicationView[];
  pulls: readonly PullView[];
  /** Whoever did not want the change, when nobody has brought it out since. */
  discardedBy: Actor | undefined;
  /** Of the first of several attempts: what people choose from, once all have ended. */
  compared: readonly ComparedAttempt[] | undefined;
  /** Of each of them: which was chosen, and by whom. */
  chosen: { run: string; variant: number; by: Actor } | undefined;
}

export const emptyChangeView: ChangeView = {
  publications: [],
  pulls: [],
  discardedBy: undefined,
  compared: undefined,
  chosen: undefined,
};

type ChangeEvent = Extract<RunEventData, { type: 'publication' | 'pull_request' | 'discarded' | 'compared' | 'chosen' }>;

/** Folds in what has become of the change of a run. */
export function foldChange(
  { publications, pulls }: ChangeView,
  data: ChangeEvent,
  { actor, at, seq }: RunEvent,
): Partial<ChangeView> {
  switch (data.type) {
    case 'publication': {
      const { publication: id, what, state, branch, commit, url, problem, retryAt } = data;
      const known = publications.find((one) => one.id === id);
      const now = { id, what, state, branch, commit, url, problem, retryAt, by: known?.by ?? actor, at, seq };
      const others = publications.filter((one) => one.id !== id);
      return { publications: [...others, now], discardedBy: undefined };
    }
    case 'pull_request': {
      const { repository, pull, news = [] } = data;
      const same = (one: PullView) => one.repository === repository && one.pull.number === pull.number;
      if (data.moved === true) return { pulls: pulls.filter((one) => !same(one)) };
      const known = pulls.find(same);
      const told = [...(known?.told ?? []), ...(news.length === 0 ? [] : [{ seq, at, news, was: pull }])].slice(-toldKept);
      const gone = data.branchDeleted ?? (pull.state === 'open' ? undefined : known?.branchDeleted);
      const now: PullView = { repository, pull, first: known?.first ?? seq, last: seq, told, branchDeleted: gone };
      return { pulls: [...pulls.filter((one) => !same(one)), now] };
    }
    case 'discarded':
      return { discardedBy: actor };
    case 'compared':
      return { compared: data.attempts };
    case 'chosen':
      return { chosen: { run: data.run, variant: data.variant, by: actor }, discardedBy: undefined };
  }
}
