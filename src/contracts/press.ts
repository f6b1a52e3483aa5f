/**
 * What a button, a select or a form carries. Opaque to platforms, at most 64 bytes (the tightest: Telegram callback data).
 * A token grants nothing: whoever presses is looked up and checked at the moment of the press (promise 7).
 */
export const decisions = ['approve', 'approve_task', 'deny', 'deny_reason', 'details'] as const;
export type DecisionVerb = (typeof decisions)[number];

export const taskVerbs = ['stop', 'retry', 'log', 'show', 'move', 'patch'] as const;
export type TaskVerb = (typeof taskVerbs)[number];

export type PressToken =
  /** A decision on an interaction, named by its random single-use secret (22 characters), never by its id. */
  | { kind: 'decide'; secret: string; verb: DecisionVerb }
  | { kind: 'task'; task: string; verb: TaskVerb }
  /** Runs a command of the registry as the presser, e.g. `board` or `tasks mine`. */
  | { kind: 'command'; text: string }
  /** The answer to "which project?" for a stored request. The chosen project is in `values`. */
  | { kind: 'pick'; request: string };

const prefixes = { decide: 'd', task: 't', command: 'c', pick: 'p' } as const;

/** Throws when the token would not fit 64 bytes: a programming mistake, never input. */
export function encodePress(token: PressToken): string {
  const text =
    token.kind === 'decide'
      ? `${prefixes.decide}:${token.secret}:${token.verb}`
      : token.kind === 'task'
        ? `${prefixes.task}:${token.task}:${token.verb}`
        : token.kind === 'command'
          ? `${prefixes.command}:${token.text}`
          : `${prefixes.pick}:${token.request}`;
  if (new TextEncoder().encode(text).length > 64) throw new Error(`press token over 64 bytes: ${text}`);
  return text;
}

/** Reads what a platform sent back. Anything malformed is `undefined`: the sender may be hostile. */
export function decodePress(text: string): PressToken | undefined {
  if (text.length > 64) return undefined;
  const [prefix, id, verb, ...rest] = text.split(':');
  if (prefix === prefixes.command) return { kind: 'command', text: text.slice(2) };
  if (id === undefined || id === '' || rest.length > 0) return undefined;
  if (prefix === prefixes.pick && verb === undefined) return { kind: 'pick', request: id };
  if (prefix === prefixes.decide && decisions.some((known) => known === verb)) {
    return { kind: 'decide', secret: id, verb: verb as DecisionVerb };
  }
  if (prefix === prefixes.task && taskVerbs.some((known) => known === verb)) {
    return { kind: 'task', task: id, verb: verb as TaskVerb };
  }
  return undefined;
}
