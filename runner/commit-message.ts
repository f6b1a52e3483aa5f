import type { RevertedPull, RunSpec } from '../src/contracts/run-control.ts';
import { neutralLine, neutralText } from '../src/runtime/host-text.ts';

/**
 * Message of the commit that takes over what a run has left. It is pushed with the branch one day: what people and models wrote calls nobody
 * and closes nothing there. Who asked for the run is a co-author, by an address that reaches nobody.
 */
export function commitMessage(input: {
  title: string;
  /** What this run was asked, in a line, where that is something else than the task. */
  subject?: string | undefined;
  taskNumber: number;
  attempt: number;
  /** What was asked, without secrets. */
  what: string;
  requester: { user: string; name: string } | undefined;
}): string {
  const { title, subject = title, taskNumber, attempt, what, requester } = input;
  const paragraphs = [neutralLine(subject, 200), `Task ${taskNumber} of Deckhand, run ${attempt}: ${neutralText(what).trim()}`];
  if (requester !== undefined) paragraphs.push(`Co-authored-by: ${coAuthor(requester)}`);
  return paragraphs.join('\n\n');
}

/** Message of the commit that undoes a merged pull request. It refers to that as its pull request does: not at all before that is open. */
export function revertMessage(
  { title, repository, number, merged }: RevertedPull,
  { taskNumber, attempt, requester }: Pick<RunSpec, 'taskNumber' | 'attempt' | 'requester'>,
): string {
  const paragraphs = [
    neutralLine(title, 200),
    `Undoes pull request ${number} of ${neutralLine(repository, 200)}, which was merged as ${merged}.`,
    `Task ${taskNumber} of Deckhand, run ${attempt}.`,
    ...(requester === undefined ? [] : [`Co-authored-by: ${coAuthor(requester)}`]),
  ];
  return paragraphs.join('\n\n');
}

/** `Ada <usr_…@users.noreply.deckhand.invalid>`: the domain is one that can never exist. */
export function coAuthor({ user, name }: { user: string; name: string }): string {
  const shown = neutralLine(name, 80)
    .replace(/[<>@\u2060]/g, '')
    .trim();
  const local = user.replace(/[^A-Za-z0-9_]/g, '');
  return `${shown === '' ? 'Somebody' : shown} <${local}@users.noreply.deckhand.invalid>`;
}
