import { notAllowed } from '../access/not-allowed.ts';
import { actingOn } from '../access/who-acts.ts';
import { mayDecide, whoMayDecide } from '../approvals/approvers.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { type DecisionVerb, encodePress } from '../contracts/press.ts';
import { roleAtLeast } from '../contracts/roles.ts';
import type { Form } from '../contracts/view.ts';
import { bold, plain } from '../contracts/view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { askForm } from '../delivery/reply.ts';
import { type InteractionRow, interactionBySecret } from '../store/decision-queries.ts';
import { putOutbox } from '../store/outbox.ts';
import { sentMessage } from '../store/sent-messages.ts';
import { answered, personalPut } from './answer.ts';
import type { CommandContext } from './command.ts';
import { refusalView } from './refusal.ts';

type Press = Extract<InboundEvent, { type: 'press' }>;

/** Longest reason that fits every platform's form. */
const reasonLength = 500;

/** A button of a request for approval. The right to decide is checked by the engine, for the project of the task, at this moment. */
export async function onDecision(
  ctx: CommandContext,
  press: Press,
  token: { secret: string; verb: DecisionVerb },
): Promise<void> {
  const interaction = await interactionBySecret(ctx.tx, ctx.person.workspace, token.secret);
  if (interaction === undefined) throw new AppError('DH-208');
  if (token.verb === 'details') return showDetails(ctx, interaction);
  if (token.verb === 'deny_reason') return askReason(ctx, press, interaction);
  if (token.verb !== 'approve' && token.verb !== 'approve_task' && token.verb !== 'deny') throw new AppError('DH-208');
  await decide(ctx, interaction, token.verb, undefined);
}

/** The form of "Deny with reason…" comes back. */
export async function onReason(ctx: CommandContext, secret: string, reason: string | undefined): Promise<void> {
  const interaction = await interactionBySecret(ctx.tx, ctx.person.workspace, secret);
  if (interaction === undefined) throw new AppError('DH-208');
  await decide(ctx, interaction, 'deny', reason?.trim().slice(0, reasonLength));
}

async function decide(
  ctx: CommandContext,
  interaction: InteractionRow,
  decision: 'approve' | 'approve_task' | 'deny',
  reason: string | undefined,
): Promise<void> {
  const by = actingOn(ctx, interaction.task.project.id);
  const { platform } = ctx.act.conversation;
  const result = await ctx.deps.tasks.decide(ctx.tx, {
    secret: interaction.secret,
    decision,
    by,
    on: platform,
    ...(reason === undefined || reason === '' ? {} : { reason }),
  });
  // Refusals are answers, not errors: what the engine has written about the try stays.
  switch (result.result) {
    case 'decided':
      return confirm(ctx, `#${result.taskNumber} is ${result.state}.`);
    case 'already':
      return tell(ctx, new AppError('DH-400', { what: result.what }));
    case 'not_allowed':
      return tell(ctx, new AppError('DH-202', { who: by.name, action: 'decide this', whoCan: result.whoCan }));
    case 'unknown':
      return tell(ctx, new AppError('DH-208'));
  }
}

/** The card that carries the buttons shows the decision itself. A list, a home or what only the presser sees is followed by a word. */
async function confirm(ctx: CommandContext, text: string): Promise<void> {
  const { event } = ctx.act;
  const message = event.type === 'press' ? event.message : undefined;
  const sent =
    message === undefined ? undefined : await sentMessage(ctx.tx, ctx.person.workspace, { ...event.conversation, message });
  if (sent !== undefined && !sent.key.startsWith('list/')) return;
  await putOutbox(ctx.tx, personalPut(event, ctx.person, textView(text)));
}

async function tell(ctx: CommandContext, error: AppError): Promise<void> {
  await putOutbox(ctx.tx, personalPut(ctx.act.event, ctx.person, refusalView(ctx.act.event, error, ctx.deps.errorDocs)));
}

async function showDetails(ctx: CommandContext, interaction: InteractionRow): Promise<void> {
  const by = actingOn(ctx, interaction.task.project.id);
  if (!roleAtLeast(by.role, 'guest')) throw await notAllowed(ctx.tx, by, 'see this', 'guest');
  const details = await ctx.deps.tasks.details(ctx.tx, by.workspace, interaction.secret);
  if (details === undefined) throw new AppError('DH-208');
  const view = withFallback([
    { type: 'text', spans: [bold(`#${details.taskNumber}`), plain(' asks for an approval of exactly this')] },
    { type: 'code', text: details.text },
  ]);
  await putOutbox(ctx.tx, personalPut(ctx.act.event, ctx.person, view));
}

async function askReason(ctx: CommandContext, press: Press, interaction: InteractionRow): Promise<void> {
  const by = actingOn(ctx, interaction.task.project.id);
  if (interaction.state !== 'pending') {
    throw new AppError('DH-400', { what: `The request of #${interaction.task.number} is ${interaction.state} already.` });
  }
  const { approvers, requester } = interaction;
  if (!mayDecide(approvers, requester, by)) {
    const whoCan = await whoMayDecide(ctx.tx, { workspace: by.workspace, approvers, requester });
    throw new AppError('DH-202', { who: by.name, action: 'decide this', whoCan });
  }
  const form: Form = {
    token: encodePress({ kind: 'decide', secret: interaction.secret, verb: 'deny' }),
    title: `Deny #${interaction.task.number}`,
    submit: 'Deny',
    fields: [
      {
        type: 'text',
        id: 'reason',
        label: 'Why not? It is shown on the card.',
        multiline: true,
        required: true,
        placeholder: 'Use the staging database instead.',
        maxLength: reasonLength,
      },
    ],
  };
  const act = answered(press, ctx.person, press.conversation);
  await putOutbox(ctx.tx, askForm(act, press.trigger, form, new Date(press.at)));
}
