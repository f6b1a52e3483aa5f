/**
 * What a button, a select or a form carries. Opaque to platforms, at most 64 bytes (the tightest: Telegram callback data).
 * A token grants nothing: whoever presses is looked up and checked at the moment of the press (promise 7).
 */
export const decisions = [
  'approve',
  'approve_task',
  'deny',
  'deny_reason',
  'details',
  'implement',
  'implement_ask',
  'revise',
  'answer',
] as const;
/**
 * `approve`, `approve_task`: a command, a call, money. `implement`, `implement_ask`: a plan. `deny`: no to any of them, no answer to a
 * question. `deny_reason`, `revise` (what is to change in the plan), `answer` (questions): the press opens a form. The form of `deny_reason`
 * comes back as `deny` and that of `revise` as `revise`, each with the field `reason`; that of `answer` as `answer`, with the fields that
 * `src/delivery/question-form.ts` makes and reads. `details`: shows the presser all that is decided.
 */
export type DecisionVerb = (typeof decisions)[number];

export const taskVerbs = ['stop', 'retry', 'log', 'show', 'move', 'patch', 'steer', 'context', 'alone'] as const;
/**
 * `steer`: the press opens a form whose token is the same, with the field `text`: said to the agent at work, or what a further run is to do.
 * `context`: shows the presser what of the thread the agent was given.
 */
export type TaskVerb = (typeof taskVerbs)[number];

export const guidedVerbs = ['choose', 'keep', 'done', 'skip', 'cancel'] as const;
export type GuidedVerb = (typeof guidedVerbs)[number];

/** What can be done with the change a run has made. */
export const changeVerbs = [
  'review',
  'push',
  'pull',
  'draft',
  'ready',
  'request',
  'discard',
  'fix_ci',
  'fix_checks',
  'address',
  'merge',
  'revert',
  'rebase',
  'resolve',
  'choose',
] as const;
/**
 * `review`: shows the presser the change. `push`, `pull`, `draft`: brings it out as a branch, a pull request, a draft of one. `ready`: the draft
 * is none any more. `request`: the press opens a form for what is to change. `discard`: it is not wanted. `fix_ci`, `address`: a further
 * run looks at failed checks or at reviews of the pull request; `fix_checks`: at the project's own check. `merge`, `revert`: of the pull request.
 * `rebase`: the change is put on the newest base; `resolve`: an agent does that where it conflicts. `choose`: of several attempts the task goes
 * on from this one.
 */
export type ChangeVerb = (typeof changeVerbs)[number];

export const linkVerbs = ['agree', 'join', 'refuse'] as const;
export type LinkVerb = (typeof linkVerbs)[number];

export const transferVerbs = ['confirm', 'withdraw', 'accept', 'decline'] as const;
/** `confirm`, `withdraw`: of the owner who hands over. `accept`, `decline`: of who is to be the owner. */
export type TransferVerb = (typeof transferVerbs)[number];

export type PressToken =
  /** A decision on an interaction, named by its random single-use secret (22 characters), never by its id. */
  | { kind: 'decide'; secret: string; verb: DecisionVerb }
  /**
   * One of the choices of a question, both counted from 0: a button for each choice; without `option` a select that has the number of the
   * choice in `values`. `secret` as with `decide`.
   */
  | { kind: 'choose'; secret: string; question: number; option?: number | undefined }
  | { kind: 'task'; task: string; verb: TaskVerb }
  /**
   * A run leaves at most one commit, so its id names exactly one change. Of `review` a place in it: `file` from 1 (0: the list of files)
   * and `page` from 1; of a select the number of the file is in `values`.
   */
  | { kind: 'change'; run: string; verb: ChangeVerb; file?: number | undefined; page?: number | undefined }
  /** Runs a command of the registry as the presser, e.g. `board` or `tasks mine`. */
  | { kind: 'command'; text: string }
  /** The answer to "which project?" for a stored request. The chosen project is in `values`. */
  | { kind: 'pick'; request: string }
  /** On a form that is asked field by field: takes a choice (in `values`) or the proposal, ends a field or the form. */
  | { kind: 'guided'; form: string; field: number; verb: GuidedVerb }
  /** On the question whether two accounts are the same person's. Only the accounts in question may press. */
  | { kind: 'link'; link: string; verb: LinkVerb }
  /** On a transfer of ownership. Only the two people in question may press, each their own buttons. */
  | { kind: 'transfer'; transfer: string; verb: TransferVerb };

const prefixes = {
  decide: 'd',
  choose: 'q',
  task: 't',
  change: 'x',
  command: 'c',
  pick: 'p',
  guided: 'g',
  link: 'l',
  transfer: 'o',
} as const;

const maxBytes = 64;

/** Whether a text can be what a button carries, as UTF-8: the one rule for what is made, shown, sent and read. */
export function fitsPress(text: string): boolean {
  return text !== '' && new TextEncoder().encode(text).length <= maxBytes;
}

/** Throws when the token would not fit: a programming mistake, never input. */
export function encodePress(token: PressToken): string {
  const text = textOf(token);
  if (!fitsPress(text)) throw new Error(`press token over ${maxBytes} bytes: ${text}`);
  return text;
}

function textOf(token: PressToken): string {
  switch (token.kind) {
    case 'decide':
      return `${prefixes.decide}:${token.secret}:${token.verb}`;
    case 'choose':
      return [prefixes.choose, token.secret, token.question, ...(token.option === undefined ? [] : [token.option])].join(':');
    case 'task':
      return `${prefixes.task}:${token.task}:${token.verb}`;
    case 'change':
      return [prefixes.change, token.run, token.verb, ...placeOf(token)].join(':');
    case 'command':
      return `${prefixes.command}:${token.text}`;
    case 'pick':
      return `${prefixes.pick}:${token.request}`;
    case 'guided':
      return `${prefixes.guided}:${token.form}:${token.field}:${token.verb}`;
    case 'link':
      return `${prefixes.link}:${token.link}:${token.verb}`;
    case 'transfer':
      return `${prefixes.transfer}:${token.transfer}:${token.verb}`;
  }
}

/** Reads what a platform sent back. Anything malformed is `undefined`: the sender may be hostile. */
export function decodePress(text: string): PressToken | undefined {
  if (!fitsPress(text)) return undefined;
  const [prefix, id, verb, ...rest] = text.split(':');
  if (id === undefined) return undefined;
  if (prefix === prefixes.command) return { kind: 'command', text: text.slice(2) };
  if (id === '') return undefined;
  if (prefix === prefixes.guided) return decodeGuided(id, verb, rest);
  if (prefix === prefixes.choose) return decodeChoice(id, verb, rest);
  if (prefix === prefixes.change) return decodeChange(id, verb, rest);
  if (rest.length > 0) return undefined;
  if (prefix === prefixes.pick && verb === undefined) return { kind: 'pick', request: id };
  if (prefix === prefixes.decide && decisions.some((known) => known === verb)) {
    return { kind: 'decide', secret: id, verb: verb as DecisionVerb };
  }
  if (prefix === prefixes.task && taskVerbs.some((known) => known === verb)) {
    return { kind: 'task', task: id, verb: verb as TaskVerb };
  }
  const linkVerb = prefix === prefixes.link ? linkVerbs.find((known) => known === verb) : undefined;
  if (linkVerb !== undefined) return { kind: 'link', link: id, verb: linkVerb };
  const transferVerb = prefix === prefixes.transfer ? transferVerbs.find((known) => known === verb) : undefined;
  if (transferVerb !== undefined) return { kind: 'transfer', transfer: id, verb: transferVerb };
  return undefined;
}

const ordinal = /^(?:0|[1-9]\d{0,2})$/;

function decodeChoice(secret: string, question: string | undefined, [option, ...rest]: string[]): PressToken | undefined {
  if (question === undefined || !ordinal.test(question) || rest.length > 0) return undefined;
  if (option === undefined) return { kind: 'choose', secret, question: Number(question) };
  return ordinal.test(option) ? { kind: 'choose', secret, question: Number(question), option: Number(option) } : undefined;
}

function placeOf({ file, page }: Extract<PressToken, { kind: 'change' }>): number[] {
  if (file === undefined) return [];
  return page === undefined ? [file] : [file, page];
}

const place = /^(?:0|[1-9]\d{0,4})$/;

function decodeChange(run: string, verb: string | undefined, [file, page, ...rest]: string[]): PressToken | undefined {
  const known = changeVerbs.find((one) => one === verb);
  if (known === undefined || rest.length > 0) return undefined;
  if (file === undefined) return { kind: 'change', run, verb: known };
  if (known !== 'review' || !place.test(file)) return undefined;
  if (page === undefined) return { kind: 'change', run, verb: known, file: Number(file) };
  return place.test(page) && page !== '0'
    ? { kind: 'change', run, verb: known, file: Number(file), page: Number(page) }
    : undefined;
}

function decodeGuided(form: string, field: string | undefined, [verb, ...rest]: string[]): PressToken | undefined {
  const known = guidedVerbs.find((one) => one === verb);
  if (known === undefined || rest.length > 0 || field === undefined || !ordinal.test(field)) return undefined;
  return { kind: 'guided', form, field: Number(field), verb: known };
}
