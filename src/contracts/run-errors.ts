import type { ErrorEntry } from './errors.ts';

/** Of `errorCatalogue`: what can keep a task from going on, or end a run. */
export const runErrors = {
  'DH-300': { title: 'Not possible now', text: '{what}', remedy: '{instead}' },
  'DH-301': {
    title: 'The command ran too long',
    text: 'The command ran longer than the time limit and was stopped.',
    remedy: 'Run it with less to do, or let a maintainer raise the time limit of the project: `settings timeout=2h`.',
  },
  'DH-302': {
    title: 'The command wrote too much',
    text: 'The command wrote more output than a run may store and was stopped.',
    remedy: 'Write less, for example with a quiet option, or send the output to a file.',
  },
  'DH-303': {
    title: 'The command needed too much memory',
    text: 'The command needed more memory than a sandbox has and was ended.',
    remedy: 'Run it with less at once, for example with fewer workers, or as several commands.',
  },
  'DH-304': {
    title: 'The disk of the working copy is full',
    text: 'The command wrote more than the working copy may hold.',
    remedy: 'Write less, or delete what is not needed any more; what earlier runs of the task left counts too.',
  },
  'DH-305': {
    title: 'The runner was lost',
    text: 'The runner of this run stopped answering, and its sandbox cannot be reached from another one.',
    remedy: 'Nothing of the command is known after that. Retry runs it again.',
  },
  'DH-306': {
    title: 'The changes could not be taken over',
    text: 'The command ended, but the files it left are not a valid result.',
    remedy:
      'Nothing was taken over from this run. Remove large files at the end of the command or list them in .gitignore, then retry.',
  },
  'DH-307': {
    title: 'An error inside Deckhand',
    text: 'The run ended because of an error inside Deckhand, not because of the command.',
    remedy: 'Retry. If it happens again, tell whoever runs Deckhand the reference.',
  },
  'DH-308': {
    title: 'The agent gave up',
    text: 'The agent, or the model behind it, ended its turn without an answer.',
    remedy: 'What it changed until then is kept. Retry, or say in the thread how it is to go on.',
  },
  'DH-309': {
    title: 'The model refuses the key',
    text: 'The server of the model does not accept the key that Deckhand has for it, or there is no key.',
    remedy:
      'Whoever runs Deckhand checks the key of the model in its configuration (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`). Then retry.',
  },
  'DH-310': {
    title: 'The model has no room',
    text: 'The server of the model is overloaded, or allows no more requests for now, and stayed so through several tries.',
    remedy: 'Retry in some minutes, or take another model.',
  },
  'DH-311': {
    title: 'The conversation is too long',
    text: 'What the agent has read and said no longer fits the model.',
    remedy: 'What it changed until then is kept. Start a new task with what is left to do, in smaller steps.',
  },
  'DH-312': {
    title: 'The budget is used up',
    text: 'The task has cost as much as it may, and the budget was not raised.',
    remedy: 'Who approves for the project can raise the budget. Then retry: the agent goes on from there.',
  },
  'DH-313': {
    title: 'The price of the model is not known',
    text: 'The task has a budget, what its model costs cannot be counted against it, and nobody allowed it to go on without a limit.',
    remedy: 'Take a model with a known price, or lift the budget with `budget none`. Then retry: the agent goes on from there.',
  },
  'DH-314': {
    title: 'The model is not there',
    text: 'The server of the model does not have the model that was asked for.',
    remedy: '`agents` shows which models there are. Choose one with `model`, then retry.',
  },
  'DH-317': {
    title: 'A quota is used up',
    text: 'The agent has used as much as a quota allows in this time: requests to models, tokens, cost or time.',
    remedy:
      'What it changed until then is kept. Retry when the quota is free again, or when it has been raised: `quota` shows it and who can. The agent goes on from there.',
  },
  'DH-318': {
    title: 'The file is not kept any more',
    text: 'The {what} of #{number} was kept for {kept} and then deleted.',
    remedy: '`show #{number}` tells what is still known of the task; `retry #{number}` runs it again.',
  },
  'DH-319': {
    title: 'The change is not kept any more',
    text: 'What #{number} had changed was kept for {kept} and then deleted from the machine of the runner.',
    remedy: 'Start a new task: it begins at the present state of the base branch.',
  },
  'DH-315': {
    title: 'None of several attempts is chosen',
    text: '#{number} has {attempts} attempts, and none of them is chosen yet.',
    remedy: 'Press *Choose* on the card that compares them, or write `choose #{number} 1`. Then say it again.',
  },
  'DH-316': {
    title: 'Another attempt was chosen',
    text: 'Attempt {attempt} of #{number} was not chosen: the task goes on from attempt {chosen}.',
    remedy: '`diff #{number} run={attempt}` still shows what it has changed.',
  },
} as const satisfies Record<string, ErrorEntry>;
