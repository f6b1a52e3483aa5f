/** Title of the change that undoes another, as git gives it: undoing that one again brings the first back. */
export function revertTitle(title: string): string {
  const undone = /^Revert "(.*)"$/s.exec(title)?.[1];
  return undone === undefined ? `Revert "${title}"` : `Reapply "${undone}"`;
}

/** `deckhand/revert-12-fix-the-login`, from the number of the pull request and the branch of its task. */
export function revertBranch(number: number, branch: string): string {
  // Once only, however often it goes to and fro.
  const name = branch.replace(/^deckhand\/(?:revert-\d+-)?(?:\d+-)?/, '');
  return `deckhand/revert-${number}-${name}`;
}
