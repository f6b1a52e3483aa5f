import { isSecretForm } from '../access/typed-secrets.ts';
import type { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { type Block, code, plain, type View } from '../contracts/view.ts';
import { errorView } from '../delivery/error-view.ts';
import { cleanText } from '../delivery/neutralise.ts';

/** A longer text, or one of several lines, stands in a block of its own. */
const mostInLine = 200;

/**
 * An error as it is told to the person. Where the platform does not keep what they typed, it stands below, so that it can be copied,
 * corrected and sent again. A secret is not repeated.
 */
export function refusalView(event: InboundEvent, error: AppError, docs: string | undefined): View {
  const view = errorView(error, docs);
  const typed = cleanText(typedIn(event) ?? '').trim();
  if (typed === '') return view;
  return { ...view, fallback: `${view.fallback}\nYou wrote: ${typed}`, blocks: [...view.blocks, ...typedBlocks(typed)] };
}

function typedIn(event: InboundEvent): string | undefined {
  if (event.type === 'command') return event.typed;
  if (event.type !== 'form' || isSecretForm(event.token)) return undefined;
  return Object.values(event.values)
    .flat()
    .filter((value) => value.trim() !== '')
    .join('\n');
}

function typedBlocks(typed: string): Block[] {
  if (typed.length <= mostInLine && !typed.includes('\n'))
    return [{ type: 'context', spans: [plain('You wrote: '), code(typed)] }];
  return [
    { type: 'context', spans: [plain('You wrote:')] },
    { type: 'code', text: typed },
  ];
}
