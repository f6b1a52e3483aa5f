import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { decodePress } from '../contracts/press.ts';
import { taskById } from '../store/task-queries.ts';
import { accountKey, accountOfForm, onAccountKey } from './account-key.ts';
import type { CommandContext } from './command.ts';
import { onDecisionForm } from './on-decision.ts';
import { handFormText, onHanded } from './on-shortcut.ts';
import { checkArguments } from './parse.ts';
import { policyFormOf } from './policy-buttons.ts';
import { onPolicyForm } from './policy-form.ts';
import { commands } from './registry.ts';
import { onRequestForm } from './request-changes.ts';
import { answer, checkAllowed, runCommand } from './run-command.ts';
import { speak } from './speak.ts';

type FormEvent = Extract<InboundEvent, { type: 'form' }>;

/** A submitted form: of a decision, of what an agent is to be told, or the arguments of a command under the names of its fields. */
export async function onForm(ctx: CommandContext, form: FormEvent): Promise<void> {
  const token = decodePress(form.token);
  if (token?.kind === 'decide') return onDecisionForm(ctx, token, form.values);
  if (token?.kind === 'task' && token.verb === 'steer') return onSteerForm(ctx, token.task, form.values.text?.[0] ?? '');
  if (token?.kind === 'change' && token.verb === 'request') return onRequestForm(ctx, token.run, form.values.text?.[0] ?? '');
  if (token?.kind === 'command' && token.text === handFormText) return onHanded(ctx, form.values);
  const account = token?.kind === 'command' ? accountOfForm(token.text) : undefined;
  if (account !== undefined) {
    await checkAllowed(ctx, accountKey, {});
    return answer(ctx, await onAccountKey(ctx, account, form));
  }
  const policyForm = token?.kind === 'command' ? policyFormOf(token.text) : undefined;
  if (policyForm !== undefined) return answer(ctx, await onPolicyForm(ctx, form, policyForm));
  const command = token?.kind === 'command' ? commands.find(({ name }) => name === token.text) : undefined;
  if (command === undefined) throw new AppError('DH-208');
  const raw = Object.fromEntries(
    Object.entries(form.values).flatMap(([name, [value]]) =>
      value === undefined || value.trim() === '' ? [] : [[name, value.trim()]],
    ),
  );
  const checked = checkArguments(command, raw);
  if (checked.type === 'invalid') {
    throw new AppError('DH-201', { problem: checked.problem, example: `\`${command.examples[0]?.[0] ?? command.name}\`` });
  }
  if (checked.type === 'command') await runCommand(ctx, checked.command, checked.args);
}

async function onSteerForm(ctx: CommandContext, id: string, text: string): Promise<void> {
  const task = await taskById(ctx.tx, ctx.person.workspace, id);
  if (task === undefined) throw new AppError('DH-208');
  const reply = await speak(ctx, task, text.trim());
  if (reply !== undefined) await answer(ctx, reply);
}
