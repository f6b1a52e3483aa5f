import { checksVerdict, isMergeable, mergeableOf } from '../changes/pull-news.ts';
import type { PullFacts } from '../contracts/code-host.ts';
import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { type ChangeVerb, encodePress } from '../contracts/press.ts';
import type { PullErrandKind, PullNews } from '../contracts/pull-news.ts';
import { type Block, type Button, bold, plain, type Span, type View } from '../contracts/view.ts';
import type { CardContext } from './card-context.ts';
import { rebaseLabels, revertLabel } from './change-buttons.ts';
import { oneLine, shorten } from './neutralise.ts';
import { spansText } from './plain-text.ts';
import type { PullView, ToldNews } from './publication-view.ts';
import type { CardInput } from './run-cards.ts';

const nameLength = 80;
const whyLength = 400;

/**
 * What has happened to pull requests since event `after`, one short message each in every thread of the task, with what can be done about it.
 * Messages from before are put anew when their pull request has changed since: what is not there to be done any more loses its button.
 */
export function pullNewsCards(input: CardInput, after: number): OutboxPut[] {
  const { view } = input;
  return view.change.pulls.flatMap((pull) =>
    pull.told.flatMap((told) => {
      if (told.seq > after) return input.contexts.map((context) => put(input, context, pull, told));
      return pull.last > after ? putAgain(input, pull, told) : [];
    }),
  );
}

/** The messages of a run that a later one has followed: nothing is done from them while that one is at work, and its card offers what is left. */
export function oldPullNewsCards(input: CardInput): OutboxPut[] {
  return input.view.change.pulls.flatMap((pull) => pull.told.flatMap((told) => putAgain(input, pull, told)));
}

/** Where it is already, and may have buttons. */
function putAgain(input: CardInput, pull: PullView, told: ToldNews): OutboxPut[] {
  if (!told.news.some(({ type }) => offering.has(type))) return [];
  return input.contexts.flatMap((context) => {
    const { mirror } = context.thread;
    const message = put(input, context, pull, told);
    return mirror === undefined || mirror.keys.has(message.key) ? [message] : [];
  });
}

const offering: ReadonlySet<PullNews['type']> = new Set(['checks', 'review', 'comments', 'conflict', 'mergeable', 'merged']);

function put({ workspace, view: { run } }: CardInput, context: CardContext, pull: PullView, told: ToldNews): OutboxPut {
  const { thread } = context.thread;
  return {
    workspace,
    key: `pull:${run}:${told.seq}:${thread}`,
    target: { type: 'thread', thread, anchor: false },
    payload: { type: 'message', view: newsView(context, pull, told) },
    priority: priorities.reply,
  };
}

function newsView(context: CardContext, { repository, pull }: PullView, told: ToldNews): View {
  const { news, was } = told;
  const name = `${repository}#${pull.number}`;
  const spans: Span[] = [
    bold(`#${context.task.number}`),
    plain(' '),
    { type: 'link', url: was.url, text: name },
    ...news.flatMap((one, index) => [plain(index === 0 ? ': ' : '; '), ...sentence(one, was)]),
  ];
  const buttons = buttonsFor(context, pull, told);
  const blocks: Block[] = [{ type: 'text', spans }, ...(buttons.length === 0 ? [] : [{ type: 'buttons' as const, buttons }])];
  return { fallback: spansText(spans), blocks };
}

/** What happened, in a few words. Names come from outside. */
function sentence(news: PullNews, pull: PullFacts): Span[] {
  switch (news.type) {
    case 'checks': {
      if (news.state === 'passed') return [plain('✔ all checks have passed')];
      const more = pull.checks.filter(({ state }) => state === 'failed').length - news.failed.length;
      const names = news.failed.map(clean).join(', ');
      return [plain(`✖ failed: ${names}${more > 0 ? ` and ${more} more` : ''}`)];
    }
    case 'review':
      return [plain(`${clean(news.by)} ${verdicts[news.verdict]}`)];
    case 'comments':
      return [plain(news.count === 1 ? 'a new comment' : `${news.count} new comments`)];
    case 'pushed':
      return [plain(`somebody else has pushed ${news.commit.slice(0, 7)} to its branch`)];
    case 'conflict':
      return [plain(`✖ it conflicts with ${clean(news.base)}`)];
    case 'mergeable':
      return [plain('it can be merged')];
    case 'ready':
      return [plain('it is ready for review')];
    case 'reopened':
      return [plain('it is open again')];
    case 'closed':
      return [plain('○ it was closed without merging')];
    case 'merged':
      return [plain(`✔ merged into ${clean(pull.base)}${news.commit === undefined ? '' : ` as ${news.commit.slice(0, 7)}`}`)];
    case 'refused':
      return [plain(`✖ ${errands[news.errand]}: ${shorten(oneLine(news.why), whyLength)}`)];
  }
}

const verdicts = {
  approved: 'approved it',
  changes_requested: 'requests changes',
  commented: 'has commented',
  dismissed: 'had a review dismissed',
} as const;

const errands: Record<PullErrandKind, string> = {
  merge: 'It was not merged',
  ready: 'It is still a draft',
  fix_ci: 'The agent was not asked to fix the checks',
  address: 'The agent was not given the reviews',
};

/**
 * What people were offered to do about it, and still can. Buttons act on the newest change of the task. A later run that has changed nothing
 * leaves that as it is: what is told after it was asked for has buttons again.
 */
function buttonsFor({ run, task }: CardContext, pull: PullFacts, { news, was, at }: ToldNews): Button[] {
  const since = run.newest > run.attempt ? run.newestSince : at;
  if (since === undefined || at < since || (run.newest > run.attempt && task.change?.run !== run.run)) return [];
  const has = (test: (one: PullNews) => boolean) => news.some(test);
  const verbs: [ChangeVerb, string][] = [];
  if (pull.state === 'merged' && has((one) => one.type === 'merged')) verbs.push(['revert', revertLabel]);
  if (pull.state !== 'open') return verbs.map(([verb, label]) => buttonOf(run.run, verb, label));
  // What was said of a commit says nothing of the next one.
  const same = pull.head.commit === was.head.commit;
  const stillFails = checksVerdict(pull) === 'failed' && same;
  if (stillFails && has((one) => one.type === 'checks' && one.state === 'failed')) verbs.push(['fix_ci', 'Fix CI']);
  if (
    has((one) => one.type === 'comments' || (one.type === 'review' && one.verdict !== 'approved' && one.verdict !== 'dismissed'))
  ) {
    verbs.push(['address', 'Address review']);
  }
  const good = has(
    (one) => (one.type === 'checks' && one.state === 'passed') || (one.type === 'review' && one.verdict === 'approved'),
  );
  if (good && was.draft && pull.draft) verbs.push(['ready', 'Ready for review']);
  if (mergeableOf(pull) === 'conflict' && has((one) => one.type === 'conflict')) {
    verbs.push(
      ['rebase', rebaseLabels.rebase],
      ...(task.agent ? [['resolve', rebaseLabels.resolve] as [ChangeVerb, string]] : []),
    );
  }
  const ready = good || has((one) => one.type === 'mergeable');
  if (ready && same && isMergeable(was) && isMergeable(pull)) verbs.push(['merge', 'Merge']);
  return verbs.map(([verb, label]) => buttonOf(run.run, verb, label));
}

function buttonOf(run: string, verb: ChangeVerb, label: string): Button {
  return { token: encodePress({ kind: 'change', run, verb }), label, style: 'default' };
}

function clean(name: string): string {
  return shorten(oneLine(name), nameLength);
}
