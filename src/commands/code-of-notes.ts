import { hasLineNotes, quoteLines } from '../changes/line-notes.ts';
import type { TaskRow } from '../store/task-queries.ts';
import type { CommandContext } from './command.ts';
import { changeOf } from './diff.ts';

/** What is said about a change, with the code that its notes on lines are about. */
export async function withCode(ctx: CommandContext, task: TaskRow, said: string): Promise<string> {
  if (!hasLineNotes(said)) return said;
  const change = await changeOf(ctx, task, (_, newest) => newest);
  return change?.patch === undefined ? said : quoteLines(said, change.patch);
}
