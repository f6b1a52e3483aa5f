import { fitsPress } from '../contracts/press.ts';
import { type Block, code, plain } from '../contracts/view.ts';
import { commandButton } from './task-lines.ts';

/** What a button carries when it runs a command: names of projects and people may be too long for one. */
const fits = (command: string) => fitsPress(`c:${command}`);

/** A button that runs a command; where that is too long for one, what is to be typed, and what it does: "takes it out". */
export function commandBlock(label: string, command: string, does: string): Block {
  if (fits(command)) return { type: 'buttons', buttons: [commandButton(label, command)] };
  return { type: 'context', spans: [code(command), plain(` ${does}.`)] };
}

/**
 * Below a page of a list: buttons to the pages before and after and to see it anew, as far as their commands fit; what is to be typed for the
 * pages whose buttons do not. `again`: the command that shows this page or another one.
 */
export function pageBlocks(
  { page, last }: { page: number; last: number },
  words: { before: string; after: string },
  again: (page: number) => string,
): Block[] {
  const wanted = [
    ...(page > 1 ? [{ label: words.before, command: again(Math.min(page - 1, last)) }] : []),
    ...(page < last ? [{ label: words.after, command: again(page + 1) }] : []),
  ];
  const all = [...wanted, { label: 'Refresh', command: again(page) }];
  const buttons = all.filter(({ command }) => fits(command)).map(({ label, command }) => commandButton(label, command));
  const typed = wanted.filter(({ command }) => !fits(command));
  return [
    ...(buttons.length === 0 ? [] : [{ type: 'buttons' as const, buttons }]),
    ...typed.map(({ label, command }) => ({
      type: 'context' as const,
      spans: [plain(`${label}: `), code(command)],
    })),
  ];
}
