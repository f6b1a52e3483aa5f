import { actionHash } from '../approvals/action.ts';
import { somebodyMayDecide, whoMayDecide } from '../approvals/approvers.ts';
import { countsAt } from '../approvals/approvers-now.ts';
import { type Terms, termsForChange } from '../approvals/demands.ts';
import { unseenText } from '../approvals/follow.ts';
import { policyOf } from '../approvals/judge-task.ts';
import { approvePublish, auditApproval, mayPublish, openPublish } from '../approvals/publish-approval.ts';
import { giveApproval } from '../approvals/several.ts';
import { moreNeeded } from '../approvals/several-words.ts';
import type { NoPullsAt } from '../changes/why-no-pulls.ts';
import { sourceText } from '../commands/project-source.ts';
import { AppError } from '../contracts/errors.ts';
import { approvalsNeeded, type PublishAction } from '../contracts/policy.ts';
import { livePublication, type PublishWhat } from '../contracts/publication.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { riskText } from '../delivery/diff-words.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, interactionsOfRun } from '../store/interactions.ts';
import { projectById } from '../store/projects.ts';
import { createPublication, type PublicationRecord, type PublishOrigin, publicationsOf } from '../store/publications.ts';
import { pullsOf } from '../store/pull-requests.ts';
import { appendEvents } from '../store/run-events.ts';
import { personActor } from './advance.ts';
import { type Change, holdChange } from './change.ts';
import { tellPublication } from './publish-events.ts';
import type { Person, PublishInput, PublishOutcome } from './task-engine.ts';

/**
 * Brings out the change of a run, when the person may decide that; else asks those who may. A second request for the same is the same. Throws
 * DH-300 when there is nothing to bring out, DH-402 when nobody could decide, DH-526 where no pull request is possible and DH-533 when
 * the change is not the newest of its task.
 */
export async function publish(
  tx: Tx,
  input: PublishInput & { noPullsAt?: NoPullsAt | undefined },
  at: Date,
): Promise<PublishOutcome> {
  const { what, by, on, origin } = input;
  const change = await holdChange(tx, input.run, by);
  const { task, run } = change;
  const action = await actionFor(tx, change, what, input.noPullsAt);
  const known = await underWay(tx, change, what);
  if (known !== undefined) return { outcome: 'known', number: task.number, what: known };
  const pending = await pendingFor(tx, action, run.id);
  const terms = termsForChange(policyOf(task), change.result);
  const { approvers } = terms;
  const may = countsAt(approvers, by.at) && (await mayPublish(tx, { task, run, terms }, by, at));
  const question = { workspace: task.workspace, project: task.project, approvers, requester: run.requestedBy };
  if (pending === undefined && (!may || approvalsNeeded(approvers) > 1) && !(await somebodyMayDecide(tx, question))) {
    throw new AppError('DH-402');
  }
  if (!may) {
    const whoCan = `${await whoMayDecide(tx, question)}${await unseenText(tx, task.workspace, task.id, approvers)}`;
    if (pending !== undefined) return { outcome: 'asked', number: task.number, whoCan };
    const interaction = await openPublish(tx, request(change, action, terms, by, at));
    const events = [{ type: 'interaction_opened', interaction: interaction.id, kind: 'publish' }] as const;
    await appendEvents(tx, { run: run.id, actor: personActor(by), at, events });
    return { outcome: 'asked', number: task.number, whoCan };
  }
  const interaction = pending ?? (await openPublish(tx, request(change, action, terms, by, at)));
  const given = await giveApproval(tx, interaction, { project: task.project, by, on, choice: 'once', at });
  if (given.outcome !== 'complete') {
    const opened: RunEventData = { type: 'interaction_opened', interaction: interaction.id, kind: 'publish' };
    const events = [...(pending === undefined ? [opened] : []), ...(given.outcome === 'more' ? [given.event] : [])];
    if (events.length > 0) await appendEvents(tx, { run: run.id, actor: personActor(by), at, events });
    if (given.outcome === 'more') await auditApproval(tx, 'approval.given', { interaction, by, on });
    return { outcome: 'asked', number: task.number, whoCan: `You have approved it. ${moreNeeded(given.missing, given.owners)}` };
  }
  await approvePublish(tx, { interaction, by, on, at });
  const decided: RunEventData[] =
    pending === undefined ? [] : [{ type: 'interaction_decided', interaction: pending.id, state: 'approved' }];
  await beginPublication(tx, { change, action, interaction: interaction.id, by, origin, at, before: decided });
  return { outcome: 'approved', number: task.number };
}

/** Makes the publication that an approval is for, and says so. The caller has settled the interaction and holds the lock of the task. */
export async function beginPublication(
  tx: Tx,
  input: {
    change: Change;
    action: PublishAction;
    interaction: string;
    by: Person;
    origin: PublishOrigin | undefined;
    at: Date;
    before: readonly RunEventData[];
  },
): Promise<PublicationRecord> {
  const { change, action, by, at, before } = input;
  const { task, run, host } = change;
  if (before.length > 0) await appendEvents(tx, { run: run.id, actor: personActor(by), at, events: before });
  const { type: _, ...exactly } = action;
  const publication = await createPublication(tx, {
    ...exactly,
    workspace: task.workspace,
    task: task.id,
    run: run.id,
    host,
    interaction: input.interaction,
    requestedBy: by.user,
    origin: input.origin,
    at,
  });
  await tellPublication(tx, publication, { state: 'pending' }, personActor(by), at);
  return publication;
}

function request(change: Change, action: PublishAction, terms: Terms, by: Person, at: Date) {
  const { task, run, result } = change;
  const risks = (result.risks ?? []).map(riskText);
  return { task, run, action, terms, by, because: `${by.name} wants to bring it out`, risks, at };
}

async function actionFor(
  tx: Tx,
  { task, commit, tree }: Change,
  what: PublishWhat,
  noPullsAt: NoPullsAt | undefined,
): Promise<PublishAction> {
  const project = await projectById(tx, task.workspace, task.project);
  if (project === undefined || task.base === null) {
    throw new AppError('DH-300', {
      what: `The project of #${task.number} has been removed.`,
      instead: '`project add` adds it again; the task stays readable.',
    });
  }
  const remote = sourceText(project.source);
  const detail = project.source.kind === 'path' ? 'it is a directory' : noPullsAt?.(remote);
  if (what !== 'push' && detail !== undefined) throw new AppError('DH-526', { remote, detail });
  const { branch: baseBranch, commit: base } = task.base;
  return { type: 'publish', project: project.id, remote, branch: task.branch, baseBranch, base, commit, tree, what };
}

/** What says that there is nothing more to decide about the same; undefined: there is. */
async function underWay(tx: Tx, { task, run, commit }: Change, what: PublishWhat): Promise<string | undefined> {
  const same = (await publicationsOf(tx, task.id)).filter((one) => one.commit === commit);
  const live = same.find((one) => one.what === what && livePublication.some((state) => state === one.state));
  if (live !== undefined) return `#${task.number} is being pushed already.`;
  const pulls = await pullsOf(tx, task.id);
  const merged = pulls.find((one) => one.run === run.id && one.facts.state === 'merged');
  if (merged !== undefined)
    return `Pull request #${merged.facts.number} of #${task.number} is merged already: ${merged.facts.url}`;
  const pull = pulls.find(({ facts }) => facts.state === 'open' && facts.head.commit === commit);
  if (what !== 'push' && pull !== undefined) {
    return `Pull request #${pull.facts.number} of #${task.number} is open already: ${pull.facts.url}`;
  }
  if (what === 'push' && same.some(({ pushedAt }) => pushedAt !== null)) {
    return `#${task.number} is pushed already, to ${task.branch}.`;
  }
  return undefined;
}

async function pendingFor(tx: Tx, action: PublishAction, run: string): Promise<InteractionRecord | undefined> {
  const hash = actionHash(action);
  return (await interactionsOfRun(tx, run)).find(
    (one) => one.kind === 'publish' && one.state === 'pending' && one.actionHash === hash,
  );
}
