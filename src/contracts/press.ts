/**
 * What a button, a select or a form carries. Opaque to platforms, at most 64 bytes (the tightest: Telegram callback data).
 * A token grants nothing: whoever presses is looked up and checked at the moment of the press (promise 7).
 */
export const decisions = ['approve', 'approve_task', 'deny', 'deny_reason', 'details'] as const;
export type DecisionVerb = (typeof decisions)[number];

export const taskVerbs = ['stop', 'retry', 'log', 'show', 'move', 'patch'] as const;
export type TaskVerb = (typeof taskVerbs)[number];

export const guidedVerbs = ['choose', 'keep', 'done', 'skip', 'cancel'] as const;
export type GuidedVerb = (typeof guidedVerbs)[number];

export const linkVerbs = ['agree', 'join', 'refuse'] as const;
export type LinkVerb = (typeof linkVerbs)[number];

export type PressToken =
  /** A decision on an interaction, named by its random single-use secret (22 characters), never by its id. */
  | { kind: 'decide'; secret: string; verb: DecisionVerb }
  | { kind: 'task'; task: string; verb: TaskVerb }
  /** Runs a command of the registry as the presser, e.g. `board` or `tasks mine`. */
  | { kind: 'command'; text: string }
  /** The answer to "which project?" for a stored request. The chosen project is in `values`. */
  | { kind: 'pick'; request: string }
  /** On a form that is asked field by field: takes a choice (in `values`) or the proposal, ends a field or the form. */
  | { kind: 'guided'; form: string; field: number; verb: GuidedVerb }
  /** On the question whether two accounts are the same person's. Only the accounts in question may press. */
  | { kind: 'link'; link: string; verb: LinkVerb };

const prefixes = { decide: 'd', task: 't', command: 'c', pick: 'p', guided: 'g', link: 'l' } as const;

/** Throws when the token would not fit 64 bytes: a programming mistake, never input. */
export function encodePress(token: PressToken): string {
  const text = textOf(token);
  if (new TextEncoder().encode(text).length > 64) throw new Error(`press token over 64 bytes: ${text}`);
  return text;
}

function textOf(token: PressToken): string {
  switch (token.kind) {
    case 'decide':
      return `${prefixes.decide}:${token.secret}:${token.verb}`;
    case 'task':
      return `${prefixes.task}:${token.task}:${token.verb}`;
    case 'command':
      return `${prefixes.command}:${token.text}`;
    case 'pick':
      return `${prefixes.pick}:${token.request}`;
    case 'guided':
      return `${prefixes.guided}:${token.form}:${token.field}:${token.verb}`;
    case 'link':
      return `${prefixes.link}:${token.link}:${token.verb}`;
  }
}

/** Reads what a platform sent back. Anything malformed is `undefined`: the sender may be hostile. */
export function decodePress(text: string): PressToken | undefined {
  if (text.length > 64) return undefined;
  const [prefix, id, verb, ...rest] = text.split(':');
  if (id === undefined) return undefined;
  if (prefix === prefixes.command) return { kind: 'command', text: text.slice(2) };
  if (id === '') return undefined;
  if (prefix === prefixes.guided) return decodeGuided(id, verb, rest);
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
  return undefined;
}

function decodeGuided(form: string, field: string | undefined, [verb, ...rest]: string[]): PressToken | undefined {
  const known = guidedVerbs.find((one) => one === verb);
  if (known === undefined || rest.length > 0 || field === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(field)) return undefined;
  return { kind: 'guided', form, field: Number(field), verb: known };
}
