import type { ErrorEntry } from './errors.ts';

/** Of `errorCatalogue`: what can keep a change from being undone, or brought out. */
export const publishErrors = {
  'DH-514': {
    title: 'The revert conflicts',
    text: 'Undoing {pull} conflicts with {place}: what it had changed was changed again since.',
    remedy:
      'Nothing was changed. Give it to an agent: `run revert commit {commit} and resolve the conflicts`; or revert it by hand.',
  },
  'DH-520': {
    title: 'The branch exists already',
    text: '{remote} has a branch `{branch}` that Deckhand has not made.',
    remedy: 'Rename or delete it there, then push again. Nothing was pushed.',
  },
  'DH-521': {
    title: 'The branch has moved',
    text: 'Somebody else has pushed to `{branch}` in {remote} since Deckhand did: it is at {found} now.',
    remedy: 'Look at what was pushed. When it may go, delete the branch there and push again. Nothing was pushed.',
  },
  'DH-522': {
    title: 'The branch is protected',
    text: '{remote} does not let Deckhand push to `{branch}`: {detail}.',
    remedy: 'Whoever looks after the repository allows branches that begin with `deckhand/`, or exempts Deckhand from the rule.',
  },
  'DH-523': {
    title: 'Pushing is not allowed',
    text: 'The login that Deckhand has may not push to {remote}: {detail}.',
    remedy: 'Give it the right to write, then push again.',
  },
  'DH-524': {
    title: 'Workflow files need a right of their own',
    text: 'The change touches workflow files, and the login that Deckhand has may not change those in {remote}.',
    remedy: 'Give the token the scope `workflow`, or the app the permission Workflows, then push again.',
  },
  'DH-525': {
    title: 'The push is refused',
    text: '{remote} refuses the push: {detail}.',
    remedy: 'Ask whoever looks after the repository what its rules are, then push again.',
  },
  'DH-526': {
    title: 'No pull request is possible',
    text: '{remote} is not a repository of a code host that Deckhand can open pull requests at: {detail}.',
    remedy: 'Push the branch, or let whoever runs Deckhand configure the code host (`GITHUB_TOKEN`).',
  },
  'DH-527': {
    title: 'The push is too large',
    text: '{remote} does not take a push or a file of this size: {detail}.',
    remedy: 'Take large files out of the change, for example with a follow-up, then push again.',
  },
  'DH-528': {
    title: 'It is not what was approved',
    text: 'Nothing was pushed, because what would be is not exactly what was approved: {detail}.',
    remedy: 'Look at the change and approve it anew. When you did not expect this, tell whoever runs Deckhand.',
  },
  'DH-529': {
    title: 'The branch is checked out',
    text: '`{branch}` is checked out in {remote}, so git does not move it.',
    remedy: 'Check out another branch there, then push again.',
  },
  'DH-530': {
    title: 'The pull request cannot be opened',
    text: 'The branch `{branch}` is pushed, but {remote} does not open a pull request: {detail}.',
    remedy: 'Correct that, then open the pull request again; the branch is not pushed twice.',
  },
  'DH-531': {
    title: 'The branch cannot be rewritten',
    text: '{remote} does not let `{branch}` move to a commit that does not follow the one it is at.',
    remedy: 'Delete the branch there, then push again.',
  },
  'DH-532': {
    title: 'The runner is away',
    text: 'The change is on a machine whose runner has not been heard of for {since}.',
    remedy: 'Start the runner on that machine again, then push again; or retry the task on another runner.',
  },
  'DH-533': {
    title: 'It is not the newest change',
    text: '#{number} has changed since: this button is about commit {commit}, the newest is {newest}.',
    remedy: 'Use the buttons of the newest card of the task.',
  },
} as const satisfies Record<string, ErrorEntry>;
