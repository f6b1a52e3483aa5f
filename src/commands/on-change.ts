import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { PressToken } from '../contracts/press.ts';
import type { CommandContext } from './command.ts';

type Press = Extract<InboundEvent, { type: 'press' }>;

/** A button of a card that shows a change. Whoever presses is looked at as they are now; verbs that nothing stands behind do nothing. */
export async function onChange(
  _ctx: CommandContext,
  _press: Press,
  _token: Extract<PressToken, { kind: 'change' }>,
): Promise<void> {
  throw new AppError('DH-208');
}
