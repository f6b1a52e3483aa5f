import { notAllowed } from '../access/not-allowed.ts';
import { actingOn } from '../access/who-acts.ts';
import { askersOf, mayDecideOn } from '../approvals/approvers.ts';
import { cannotDecide } from '../approvals/cannot-decide.ts';
import { moreNeeded } from '../approvals/several-words.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { may } from '../contracts/permissions.ts';
import type { Action } from '../contracts/policy.ts';
import { type DecisionVerb, encodePress, type PressToken } from '../contracts/press.ts';
import type { Form } from '../contracts/view.ts';
import { bold, plain } from '../contracts/view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { answerForm, chosenAnswer, readAnswers } from '../delivery/question-form.ts';
import { askForm } from '../delivery/reply.ts';
import { type InteractionRow, interactionBySecret } from '../store/decision-queries.ts';
import { putOutbox } from '../store/outbox.ts';
import { sentMessage } from '../store/sent-messages.ts';
import { placesOfTask } from '../store/threads.ts';
import type { DecideInput } from '../tasks/task-engine.ts';
import { answered, personalPut } from './answer.ts';
import type { CommandContext } from './command.ts';
import { guidedKey } from './on-guided.ts';
import { refusalView } from './refusal.ts';
import { taskOrigin } from './task-origin.ts';

type Press = Extract<InboundEvent, { type: 'press' }>;

/** Longest reason that fits every platform's form. */
const reasonLength = 500;

/** What is asked for a plan or of questions in a form; everything else is decided by one press. */
const formVerbs = { deny_reason: 'deny', revise: 'revise', answer: 'answer' } as const;

/** A button of a request for a decision. The right to decide is checked by the engine, for the project of the task, at this moment. */
export async function onDecision(
  ctx: CommandContext,
  press: Press,
  token: { secret: string; verb: DecisionVerb },
): Promise<void> {
  const interaction = await interactionOf(ctx, token.secret);
  switch (token.verb) {
    case 'details':
      return showDetails(ctx, interaction);
    case 'deny_reason':
    case 'revise':
    case 'answer':
      return askInForm(ctx, press, interaction, formVerbs[token.verb]);
    case 'approve':
    case 'approve_task':
    case 'deny':
    case 'implement':
    case 'implement_ask':
      return decide(ctx, interaction, { decision: token.verb });
  }
}

/** A button or a select with a choice of a question. */
export async function onChoice(ctx: CommandContext, press: Press, token: Extract<PressToken, { kind: 'choose' }>): Promise<void> {
  const interaction = await interactionOf(ctx, token.secret);
  const { option = choiceIn(press.values) } = token;
  const answers =
    option === undefined || interaction.action.type !== 'question'
      ? undefined
      : chosenAnswer(interaction.action.questions, token.question, option);
  if (answers === undefined) throw new AppError('DH-208');
  await decide(ctx, interaction, { decision: 'answer', answers });
}

function choiceIn([value]: readonly string[]): number | undefined {
  return value !== undefined && /^\d{1,3}$/.test(value) ? Number(value) : undefined;
}

/** A form of a decision comes back: why not, what is to change in a plan, or the answers to questions. */
export async function onDecisionForm(
  ctx: CommandContext,
  token: { secret: string; verb: DecisionVerb },
  values: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const interaction = await interactionOf(ctx, token.secret);
  const reason = values.reason?.[0]?.trim().slice(0, reasonLength);
  if (token.verb === 'deny') return decide(ctx, interaction, { decision: 'deny', reason });
  if (token.verb === 'revise') return decide(ctx, interaction, { decision: 'revise', reason });
  if (token.verb !== 'answer' || interaction.action.type !== 'question') throw new AppError('DH-208');
  await decide(ctx, interaction, { decision: 'answer', answers: readAnswers(interaction.action.questions, values) });
}

async function interactionOf(ctx: CommandContext, secret: string): Promise<InteractionRow> {
  const interaction = await interactionBySecret(ctx.tx, ctx.person.workspace, secret);
  if (interaction === undefined) throw new AppError('DH-208');
  return interaction;
}

async function decide(
  ctx: CommandContext,
  interaction: InteractionRow,
  { decision, reason, answers }: Pick<DecideInput, 'decision' | 'reason' | 'answers'>,
): Promise<void> {
  const by = actingOn(ctx, interaction.task.project.id);
  const { platform } = ctx.act.conversation;
  const result = await ctx.deps.tasks.decide(ctx.tx, {
    secret: interaction.secret,
    decision,
    by,
    on: platform,
    ...(reason === undefined || reason === '' ? {} : { reason }),
    answers,
    ...(interaction.action.type === 'publish' ? { origin: await taskOrigin(ctx, interaction.task.id) } : {}),
  });
  // Refusals are answers, not errors: what the engine has written about the try stays.
  switch (result.result) {
    case 'decided':
      return confirm(
        ctx,
        interaction,
        `#${result.taskNumber} is ${decision === 'revise' ? 'to be planned anew' : result.state}.`,
      );
    case 'one_of_several':
      return confirm(ctx, interaction, `You have approved #${result.taskNumber}. ${moreNeeded(result.missing, result.owners)}`);
    case 'already':
      return tell(ctx, new AppError('DH-400', { what: result.what }));
    case 'elsewhere':
      return tell(
        ctx,
        new AppError('DH-403', {
          what: `#${interaction.task.number}`,
          where: result.where,
          instead: result.unseen === '' ? 'Press the button there: the request is shown there too.' : result.unseen,
        }),
      );
    case 'not_allowed':
      return tell(ctx, result.error);
    case 'unknown':
      throw new AppError('DH-208');
  }
}

/**
 * The card that carries the buttons shows the decision itself, also when the reason was asked for beside it, where all would read the same
 * again. A list, a home or what only the presser sees is followed by a word.
 */
async function confirm(ctx: CommandContext, { task }: InteractionRow, text: string): Promise<void> {
  const { event } = ctx.act;
  if (event.type === 'form' && event.key.startsWith(guidedKey) && (await isShownIn(ctx, task.id))) return;
  const message = event.type === 'press' ? event.message : undefined;
  const sent =
    message === undefined ? undefined : await sentMessage(ctx.tx, ctx.person.workspace, { ...event.conversation, message });
  if (sent !== undefined && !sent.key.startsWith('list/')) return;
  await putOutbox(ctx.tx, personalPut(event, ctx.person, textView(text)));
}

/** Does the card of the task stand in this conversation? */
async function isShownIn({ tx, act: { conversation } }: CommandContext, task: string): Promise<boolean> {
  const { platform, tenant, channel } = conversation;
  const places = await placesOfTask(tx, task);
  return places.some(({ channel: at }) => at.platform === platform && at.tenant === tenant && at.externalId === channel);
}

async function tell(ctx: CommandContext, error: AppError): Promise<void> {
  await putOutbox(ctx.tx, personalPut(ctx.act.event, ctx.person, refusalView(ctx.act.event, error, ctx.deps.errorDocs)));
}

async function showDetails(ctx: CommandContext, interaction: InteractionRow): Promise<void> {
  const by = actingOn(ctx, interaction.task.project.id);
  if (!may(by, 'task.see')) throw await notAllowed(ctx.tx, by, 'see this', 'task.see');
  const details = await ctx.deps.tasks.details(ctx.tx, by.workspace, interaction.secret);
  if (details === undefined) throw new AppError('DH-208');
  const view = withFallback([
    { type: 'text', spans: [bold(`#${details.taskNumber}`), plain(` ${asks[interaction.action.type]}`)] },
    { type: 'code', text: details.text },
  ]);
  await putOutbox(ctx.tx, personalPut(ctx.act.event, ctx.person, view));
}

const asks: Record<Action['type'], string> = {
  command: 'asks for an approval of exactly this',
  tool: 'asks for an approval of exactly this',
  plan: 'asks whether this plan is to be carried out',
  question: 'asks this',
  spend: 'asks for more money',
  quota: 'asks for more of a quota',
  publish: 'asks whether exactly this is brought out',
};

async function askInForm(
  ctx: CommandContext,
  press: Press,
  interaction: InteractionRow,
  verb: 'deny' | 'revise' | 'answer',
): Promise<void> {
  const by = actingOn(ctx, interaction.task.project.id);
  if (interaction.state !== 'pending') {
    throw new AppError('DH-400', { what: `The request of #${interaction.task.number} is ${interaction.state} already.` });
  }
  const { approvers, requester } = interaction;
  const project = interaction.task.project.id;
  const asked = { ...interaction, workspace: by.workspace, project, task: interaction.task.id };
  if (!(await mayDecideOn(ctx.tx, asked, by))) {
    const askers = await askersOf(ctx.tx.db, asked);
    const question = { workspace: by.workspace, project, approvers, requester, askers };
    throw await cannotDecide(ctx.tx, by, `decide on #${interaction.task.number}`, question);
  }
  const form = formOf(interaction, verb);
  if (form === undefined) throw new AppError('DH-208');
  const act = answered(press, ctx.person, press.conversation);
  await putOutbox(ctx.tx, askForm(act, press.trigger, form, new Date(press.at)));
}

function formOf({ secret, task, action }: InteractionRow, verb: 'deny' | 'revise' | 'answer'): Form | undefined {
  if (verb === 'answer') return action.type === 'question' ? answerForm(secret, task.number, action.questions) : undefined;
  if (verb === 'revise' && action.type !== 'plan') return undefined;
  return {
    token: encodePress({ kind: 'decide', secret, verb }),
    ...(verb === 'deny'
      ? { title: `Deny #${task.number}`, submit: 'Deny' }
      : { title: `Revise #${task.number}`, submit: 'Revise' }),
    fields: [
      {
        type: 'text',
        id: 'reason',
        label: verb === 'deny' ? 'Why not? It is shown on the card.' : 'What is to change in the plan?',
        multiline: true,
        required: true,
        placeholder: verb === 'deny' ? 'Use the staging database instead.' : 'Keep the old interface, and add a test.',
        maxLength: reasonLength,
      },
    ],
  };
}
