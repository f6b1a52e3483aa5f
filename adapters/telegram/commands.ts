import { type Typed, within, words } from './mentions.ts';
import type { InboundContext } from './reading.ts';

/** A message that begins with `/`. `forOthers`: it names another bot, or nothing we know in a group. */
export type Command = { kind: 'command'; text: string; bare: boolean } | { kind: 'forOthers' };

/**
 * A command as people type it: `/sh npm test`, `/sh@deckhand_bot npm test`, `/project_add web …`, `/deckhand sh npm test`. `text` is what
 * stands behind `/deckhand` elsewhere. `undefined` when the message is no command.
 */
export function readCommand(typed: Typed, context: InboundContext, isPrivate: boolean): Command | undefined {
  const entity = typed.entities.find(({ type, offset }) => type === 'bot_command' && offset === 0);
  if (entity === undefined) return undefined;
  const [word = '', addressee] = typed.text.slice(1, entity.length).split('@');
  if (addressee !== undefined && addressee.toLowerCase() !== context.username.toLowerCase()) return { kind: 'forOthers' };
  const rest = words(within(typed, entity.length, typed.text.length)).trim();
  const name = word.toLowerCase();
  if (name === 'deckhand') return command(rest, rest === '');
  if (name === 'start') return command(started(rest), false);
  const known = context.commands.get(name);
  // `/project add`, as it is written elsewhere.
  const ours = known !== undefined || context.commands.has(commandWord(`${name} ${rest.split(/\s/, 1)[0]}`) ?? '');
  // In a group a command nobody knows is most likely another bot's.
  if (!ours && !isPrivate && addressee === undefined) return { kind: 'forOthers' };
  return command(`${known ?? word} ${rest}`.trim(), false);
}

function command(text: string, bare: boolean): Command {
  return { kind: 'command', text, bare };
}

/** `t.me/<bot>?start=claim_CODE` comes as `/start claim_CODE`. Links carry letters, digits, `_` and `-` only. */
function started(payload: string): string {
  const code = /^claim_([A-Za-z0-9_-]+)$/.exec(payload)?.[1];
  return code === undefined ? 'help' : `claim ${code}`;
}

/** `project add` as Telegram allows commands to be named: letters, digits and `_`, at most 32. `undefined` for what cannot be one. */
export function commandWord(name: string): string | undefined {
  const word = name.toLowerCase().replace(/[\s-]+/g, '_');
  return /^[a-z0-9_]{1,32}$/.test(word) ? word : undefined;
}
