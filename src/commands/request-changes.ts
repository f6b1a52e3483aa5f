import { AppError } from '../contracts/errors.ts';
import { encodePress } from '../contracts/press.ts';
import type { Form } from '../contracts/view.ts';
import { type TaskRow, taskOfRun } from '../store/task-queries.ts';
import type { CommandContext } from './command.ts';
import { answer } from './run-command.ts';
import { notAnAgent, speak } from './speak.ts';

/** What the button *Request changes…* asks. */
export function requestForm(task: Pick<TaskRow, 'number'>, run: string): Form {
  return {
    token: encodePress({ kind: 'change', run, verb: 'request' }),
    title: `Changes to #${task.number}`,
    submit: 'Send',
    fields: [
      {
        type: 'text',
        id: 'text',
        label: 'What is to change?',
        multiline: true,
        required: true,
        placeholder: 'About a line: src/session.ts:42 use a Map here',
        maxLength: 3000,
      },
    ],
  };
}

/** The form comes back: the agent goes on with what is to change. Throws DH-208 when the change is gone, DH-300 for one of a command. */
export async function onRequestForm(ctx: CommandContext, run: string, text: string): Promise<void> {
  const task = await taskOfRun(ctx.tx, ctx.person.workspace, run);
  if (task === undefined) throw new AppError('DH-208');
  if (task.agent === undefined) throw notAnAgent(task.number);
  const reply = await speak(ctx, task, text.trim());
  if (reply !== undefined) await answer(ctx, reply);
}
