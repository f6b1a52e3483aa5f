import { accessErrors } from './access-errors.ts';
import { approvalErrors } from './approval-errors.ts';
import { keyErrors } from './key-errors.ts';
import { publishErrors } from './publish-errors.ts';
import { runErrors } from './run-errors.ts';

/**
 * Every error a person can see, as data: permanent code, what happened, why, what to do. `docs/errors.md` is generated from it.
 * Codes are never renamed or reused. Texts: present tense, plain words, no blame; `{name}` is filled from the parameters.
 */
export interface ErrorEntry {
  title: string;
  /** What happened and why. */
  text: string;
  /** What to do next. */
  remedy: string;
}

export const errorCatalogue = {
  // Configuration and start: DH-1xx
  'DH-100': {
    title: 'Configuration is not valid',
    text: '{problems}',
    remedy: 'Correct the named variables; docs/configuration.md describes each of them.',
  },
  'DH-101': {
    title: 'The data directory is in use',
    text: 'Another Deckhand (process {pid}) uses {dir}.',
    remedy: 'Stop the other process, or set DECKHAND_DATA_DIR to another directory.',
  },
  'DH-102': {
    title: 'The database does not start',
    text: 'Embedded PostgreSQL in {dir} does not start: {detail}',
    remedy: 'Look at the log lines above; `deckhand doctor` checks the parts one by one.',
  },
  'DH-103': {
    title: 'The database is not reachable',
    text: 'PostgreSQL at the address in DATABASE_URL does not answer: {detail}',
    remedy: 'Check that the server runs and that DATABASE_URL names the right host, database and user.',
  },
  'DH-104': {
    title: 'A migration failed',
    text: 'Migration {migration} did not apply: {detail}',
    remedy: 'The database is unchanged since the migration before it. Correct the cause and start again.',
  },
  'DH-105': {
    title: 'The database is newer than this program',
    text: 'The database has migration {migration}, which this version of Deckhand does not know.',
    remedy: 'Start the version of Deckhand that made it, or a newer one.',
  },
  'DH-106': {
    title: 'The port is taken',
    text: 'Another program listens on {host}:{port}.',
    remedy: 'Stop it, or set PORT to a free port.',
  },
  'DH-107': {
    title: 'The data directory cannot be used',
    text: '{dir} cannot be made, read or written: {detail}',
    remedy: 'Give the user that runs Deckhand the right to write there, or set DECKHAND_DATA_DIR to another directory.',
  },
  'DH-108': {
    title: 'The address cannot be listened on',
    text: 'Deckhand cannot listen on {host}:{port}: {detail}',
    remedy: 'Set HOST to an address of this machine and PORT to a port above 1023.',
  },
  'DH-109': {
    title: 'Redis is not reachable',
    text: 'Redis at the address in REDIS_URL cannot be used: {detail}',
    remedy: 'Check that it runs, is version 6.2 or newer, and that REDIS_URL has the right host, login and database.',
  },
  'DH-120': {
    title: 'The backup cannot be written',
    text: '{file}: {detail}',
    remedy: 'Correct the cause and try again; nothing was left behind.',
  },
  'DH-121': {
    title: 'The backup cannot be used',
    text: '{file}: {problem}.',
    remedy: 'Nothing was changed. Use another backup, or another version of Deckhand when that is what it says.',
  },
  'DH-122': {
    title: 'Something is there already',
    text: '{what}, and a restore would replace it.',
    remedy: 'Nothing was changed. `deckhand restore FILE --replace` deletes what is there; make a backup of it first.',
  },
  'DH-123': {
    title: 'Somebody uses the database',
    text: 'The database to restore into has {count} other connections: {names}.',
    remedy: 'Stop every Deckhand on it and close other programs, then try again. Nothing was changed.',
  },
  'DH-124': {
    title: 'The key does not fit',
    text: '{problem}',
    remedy:
      'Set DECKHAND_SECRET_KEY to the key of the installation that was backed up, and DECKHAND_OTHER_SECRET_KEYS to its older ones. Where nobody has it, `--without-key` goes on: accounts of agents need their keys again, repositories their logins. Nothing was changed.',
  },
  'DH-126': {
    title: 'There is no such machine',
    text: 'No machine of runners is named by {machine}. Known: {known}.',
    remedy: '`deckhand runner list` and `status` in chat name them; a beginning that only one has is enough.',
  },
  'DH-127': {
    title: 'The audit cannot be read or written',
    text: '{what}: {detail}.',
    remedy: 'Correct the cause and try again; nothing was changed.',
  },
  'DH-137': {
    title: 'There is no such installation here',
    text: '{what}: {detail}.',
    remedy: 'Run it where `deckhand start` runs, with the same DECKHAND_DATA_DIR or DATABASE_URL; nothing was changed.',
  },
  ...keyErrors,
  'DH-133': {
    title: 'No Deckhand answers here',
    text: 'No gateway that uses {dir} answers on this machine.',
    remedy:
      'Start it, or set DECKHAND_DATA_DIR to the directory of the one that runs. Elsewhere use an access token: docs/api.md.',
  },

  // Commands and input: DH-2xx
  'DH-200': { title: 'Unknown command', text: 'There is no command `{command}`.', remedy: '{suggestion}' },
  'DH-201': { title: 'The arguments do not fit', text: '{problem}', remedy: 'For example: {example}' },
  'DH-202': { title: 'Not allowed', text: '{who} may not {action}.', remedy: '{whoCan}' },
  'DH-203': {
    title: 'The channel is not bound to a project',
    text: 'This channel has no project, so nothing can run here yet.',
    remedy: 'A maintainer binds it with `bind <project>`.',
  },
  'DH-204': { title: 'No such task', text: 'There is no task {task}.', remedy: '`tasks` lists the tasks of this channel.' },
  'DH-205': { title: 'No such project', text: 'There is no project `{project}`.', remedy: '{suggestion}' },
  'DH-206': {
    title: 'No project yet',
    text: 'There is no project to run in.',
    remedy: 'A maintainer adds one: `project add web https://example.com/acme/web.git`.',
  },
  'DH-207': {
    title: 'No task is named',
    text: '`{command}` needs a task here, because this is not the thread of one.',
    remedy: 'Name it: `{command} #142`.',
  },
  'DH-208': {
    title: 'This button no longer works',
    text: 'What it was for is gone or has changed.',
    remedy: '`tasks` and `pending` show how things stand now.',
  },
  'DH-209': {
    title: 'This question is for somebody else',
    text: 'Only the person who asked can answer it.',
    remedy: 'Send the command yourself.',
  },
  'DH-210': {
    title: 'It is not clear who is meant',
    text: '{problem}',
    remedy: 'Mention the person with @, for example: {example}',
  },
  'DH-211': {
    title: 'The last owner stays',
    text: '{name} is the only owner. Without one nobody could give that role again.',
    remedy: 'Make somebody else owner first: `member role @name owner`.',
  },
  'DH-212': { title: 'The code is not accepted', text: '{why}', remedy: '{what}' },
  'DH-213': {
    title: 'The name is taken',
    text: 'There is a project `{project}` already.',
    remedy: 'Choose another name, or remove the other one with `project remove {project}`.',
  },
  'DH-214': {
    title: 'The channel is not of that project',
    text: '{task} belongs to `{project}`, and this channel does not: people here may not be meant to see it.',
    remedy: '{remedy}',
  },
  'DH-215': { title: 'The agent cannot work here', text: '`{agent}` cannot work now: {why}', remedy: '{remedy}' },
  'DH-216': { title: 'The agent cannot do that', text: '{what}', remedy: '{instead}' },
  'DH-217': { title: 'The account cannot be used', text: '{what}', remedy: '{instead}' },
  'DH-218': {
    title: 'A key does not belong into a command',
    text: 'What looks like {what} was taken out of the command before it was stored, and nothing was done with it. Whoever can read the message may know it, so it counts as stolen.',
    remedy: '{instead}',
  },
  'DH-219': { title: 'The model server does not take it', text: '{server} {what} Nothing was stored.', remedy: '{remedy}' },
  'DH-220': {
    title: 'No project has this repository',
    text: 'There is no project with the repository {repository}, so nothing can run for it yet.',
    remedy: 'A maintainer adds it in a chat channel of Deckhand: `project add <name> <address of the repository>`.',
  },
  'DH-221': {
    title: 'Not answered here',
    text: '`{command}` is not answered where all who can read the repository read the answer.',
    remedy: 'Ask in a chat channel of the project, or in a direct message to Deckhand.',
  },
  ...accessErrors,
  'DH-299': {
    title: 'Something went wrong',
    text: 'The request could not be handled because of an error inside Deckhand (reference {reference}).',
    remedy: 'Nothing was changed. Try again; if it happens again, tell whoever runs Deckhand the reference.',
  },

  // Tasks and runs: DH-3xx
  ...runErrors,

  // Approvals: DH-4xx
  ...approvalErrors,

  // Projects and repositories: DH-5xx
  'DH-500': { title: 'The repository is not reachable', text: '{url} does not answer: {detail}.', remedy: '{remedy}' },
  'DH-501': {
    title: 'Not a git repository',
    text: '{source} is not a git repository: {detail}.',
    remedy: 'Check the address. A directory needs `git init` and a first commit; a private repository may need a login.',
  },
  'DH-502': {
    title: 'No such branch',
    text: '{source} has no branch `{branch}`.',
    remedy: 'Push the branch, or set another base branch for the project.',
  },
  'DH-503': {
    title: 'The repository is empty',
    text: '{source} has no commit yet.',
    remedy: 'Make a first commit, then try again.',
  },
  'DH-504': {
    title: 'The repository asks for a login',
    text: '{source} asks for a login, or does not exist for the login Deckhand has.',
    remedy: 'Check the address; give Deckhand a token or an ssh key that may read the repository.',
  },
  'DH-505': {
    title: 'The address cannot be used',
    text: '`{source}` is not used as the address of a repository: {why}.',
    remedy: 'Use an https or ssh address, such as https://example.com/acme/web.git, or the full path of a directory.',
  },
  'DH-506': {
    title: 'The repository belongs to another user',
    text: '{source} belongs to another user of this machine than the one that runs Deckhand, so git refuses to read it.',
    remedy: 'Change its owner, or use a clone that the user of Deckhand owns.',
  },
  'DH-507': {
    title: 'The repository cannot be read',
    text: '{source} cannot be read: {detail}.',
    remedy: 'Run `git fsck` in the repository and repair what it names.',
  },
  'DH-508': {
    title: 'The disk of the runner is full',
    text: 'There is no room left in the data directory: {detail}.',
    remedy: 'Free space on the disk of the data directory, then retry.',
  },
  'DH-509': {
    title: 'A commit is missing',
    text: 'Commit {commit} ({what}) is not on the machine of this runner, and the repository does not give it out.',
    remedy:
      'When another machine had it, start the runner of that one again, then retry: the run goes there. Else start a new task: it begins at the present state of the base branch.',
  },
  'DH-510': {
    title: 'git is missing',
    text: 'The program `git` is not found on the machine of the runner.',
    remedy: 'Install git 2.34 or newer, then retry.',
  },
  'DH-511': {
    title: 'git is too old',
    text: 'The program `git` on the machine of the runner cannot put a change on another commit.',
    remedy: 'Install git 2.38 or newer there, then ask again.',
  },
  'DH-512': {
    title: 'The change conflicts with its base',
    text: 'What the task has changed was changed in the base branch too, in another way.',
    remedy: 'Resolve it by hand, or let an agent do it where one works on the task. The change itself is as it was.',
  },
  'DH-513': {
    title: 'The disk of the runner is nearly full',
    text: 'Only {free} MB are free in the data directory, so nothing new is started: the last {floor} MB are kept for the runs that are under way.',
    remedy: 'Free space on the disk of the data directory, then retry. `doctor` tells how much is free.',
  },
  'DH-515': {
    title: 'The files cannot be laid out',
    text: 'The files of commit {commit} cannot be written to a disk: {detail}.',
    remedy: 'Give what is named there another name, on the base branch or, when the task has made it, in a new task.',
  },
  'DH-518': {
    title: 'The disk quota is used up',
    text: 'Deckhand keeps {kept} on the disk of the runner and may keep {quota}, so nothing new is started. Most of it: {most}.',
    remedy: '`copies` lists what is kept, and `copies prune` deletes what is finished. Or raise DISK_QUOTA, then retry.',
  },
  ...publishErrors,

  // Sandboxes: DH-6xx
  'DH-600': {
    title: 'The container engine does not answer',
    text: 'Docker at {host} does not answer: {detail}',
    remedy: 'Start the engine, or set SANDBOX=local to run commands without isolation.',
  },
  'DH-601': {
    title: 'The sandbox was lost',
    text: 'The sandbox of the run was ended from outside, for example by a restart of the machine.',
    remedy: 'Retry runs the command again in a new sandbox.',
  },
  'DH-602': {
    title: 'The sandbox image is missing',
    text: 'The image of the sandbox is not there, or cannot be used.',
    remedy: 'Build it with `npm run image` on the machine of the runner, or name another one in SANDBOX_IMAGE. Then retry.',
  },

  // Platforms: DH-7xx
  'DH-700': { title: 'The platform refuses the connection', text: '{platform} answers: {detail}', remedy: '{remedy}' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
export type ErrorParams = Record<string, string | number>;

/** An error a person is meant to read. `cause` goes to the log, never to chat. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  constructor(code: ErrorCode, params: ErrorParams = {}, options?: ErrorOptions) {
    super(`${code}: ${fill(errorCatalogue[code].text, params)}`, options);
    this.name = 'AppError';
    this.code = code;
    this.params = params;
  }
}

/** The texts of an error with its parameters filled in. */
export function describeError(code: ErrorCode, params: ErrorParams): ErrorEntry {
  const entry: ErrorEntry = errorCatalogue[code];
  return { title: entry.title, text: fill(entry.text, params), remedy: fill(entry.remedy, params) };
}

function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}
