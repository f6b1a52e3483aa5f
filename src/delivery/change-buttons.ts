import { isMergeable } from '../changes/pull-news.ts';
import type { PullFacts } from '../contracts/code-host.ts';
import { type ChangeVerb, encodePress } from '../contracts/press.ts';
import type { RebaseHow } from '../contracts/rebase.ts';
import type { Button } from '../contracts/view.ts';
import type { ChangeStand } from '../store/task-changes.ts';

export interface ChangeButtonsInput {
  run: string;
  /** No later run has changed more: only then can it be decided about. */
  newest: boolean;
  where: 'end' | 'diff';
  /** Undefined: it is not known, so that it can only be looked at. */
  stand?: ChangeStand | undefined;
  /** An agent can go on with it. */
  agent?: boolean | undefined;
  /** The project's check has not passed over it. */
  checkFailed?: boolean | undefined;
  /** Ways to bring it to the newest base that are worth offering. */
  rebase?: readonly RebaseHow[] | undefined;
  /** Somebody does not want it. */
  discarded?: boolean | undefined;
  /** Its pull request as it is now. */
  facts?: PullFacts | undefined;
  /** All of it is in the base branch, without a pull request. */
  merged?: boolean | undefined;
}

/** What can be done with the change of a run now, on the card of its end or where its lines are read. */
export function changeButtons(input: ChangeButtonsInput): Button[] {
  const { run, newest, where, stand, agent = false, discarded = false } = input;
  const button = (verb: ChangeVerb, label: string, more: Partial<Button> = {}): Button => ({
    token: encodePress({ kind: 'change', run, verb }),
    label,
    style: 'default',
    ...more,
  });
  const review = where === 'end' ? [button('review', 'Review diff')] : [];
  if (!newest || stand === undefined) return review;
  const { busy, pushed, pull, repository } = stand;
  if (busy) return review;
  const request = agent ? [button('request', 'Request changes…', { form: true })] : [];
  // All of it is part of the base branch: nothing is left but to undo it.
  if (stand.merged !== undefined) return [...review, button('revert', revertLabel), ...request];
  if (input.merged === true) return [...review, ...request];
  const merge = input.facts !== undefined && isMergeable(input.facts) && pushed ? [button('merge', 'Merge', merging)] : [];
  const push = pushed ? [] : [button('push', pull === undefined ? 'Approve & push' : `Push to PR #${pull.number}`, primary)];
  const open = repository === undefined || pull !== undefined ? [] : [button('pull', 'Open PR')];
  const draft = open.length > 0 && where === 'diff' ? [button('draft', 'Open draft PR')] : [];
  const fix = agent && input.checkFailed === true ? [button('fix_checks', 'Fix checks')] : [];
  const newer = (input.rebase ?? []).map((how) => button(how, rebaseLabels[how]));
  const discard = discarded || pull !== undefined || where === 'diff' ? [] : [button('discard', 'Discard', discarding(pushed))];
  return [...review, ...merge, ...newer, ...push, ...open, ...draft, ...fix, ...request, ...discard];
}

export const revertLabel = 'Revert';

export const rebaseLabels: Record<RebaseHow, string> = { rebase: 'Rebase', resolve: 'Ask the agent to resolve' };

const merging = {
  style: 'primary',
  confirm: { title: 'Merge the pull request?', text: 'Its changes become part of the base branch.', ok: 'Merge' },
} as const;
const primary = { style: 'primary' } as const;

/** Nothing is asked for what can be taken back; what is at the remote stays there. */
function discarding(pushed: boolean): Partial<Button> {
  if (!pushed) return { style: 'danger' };
  const text = 'What was pushed stays where it is.';
  return { style: 'danger', confirm: { title: 'Discard the change?', text, ok: 'Discard' } };
}
