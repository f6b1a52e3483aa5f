import { AppError } from '../contracts/errors.ts';
import { messageOrigin } from '../contracts/message-origin.ts';
import { encodePress } from '../contracts/press.ts';
import { isTerminal } from '../contracts/states.ts';
import type { Form } from '../contracts/view.ts';
import { textView } from '../delivery/list-view.ts';
import { putOutbox } from '../store/outbox.ts';
import { agentOffers } from '../store/runners.ts';
import type { TaskRow } from '../store/task-queries.ts';
import type { TurnExtras } from '../tasks/agent-tasks.ts';
import { checkAgent } from './agent-choice.ts';
import { spoken } from './agent-words.ts';
import { receivedPut } from './answer.ts';
import { followHere } from './at-code-host.ts';
import { filesOf, wordsOf } from './attachments.ts';
import { withCode } from './code-of-notes.ts';
import type { CommandContext, Reply } from './command.ts';
import { extrasOf, originKeyOf } from './run.ts';
import { personFor } from './subject.ts';

const need = { command: 'steer', permission: 'agent.run', action: 'speak to an agent' } as const;

/**
 * Says something to the agent of a task. At work it reads it at its next step, is interrupted by `now …`, and answers `btw …` beside; at
 * rest it goes on with it in a further run. A message gets a receipt; whoever said it in another way is told what became of it.
 * Throws DH-300 for the task of a command.
 */
export async function speak(
  ctx: CommandContext,
  task: TaskRow,
  said: string,
  extras?: TurnExtras | undefined,
): Promise<Reply | undefined> {
  const by = await personFor(ctx, task.project.id, need);
  if (task.agent === undefined) throw notAnAgent(task.number);
  const { when, text } = spoken(said);
  const { event } = ctx.act;
  if (when === 'now' && task.run !== undefined && !isTerminal(task.run.state)) await checkSteering(ctx, task);
  await followHere(ctx, task);
  const files = event.type === 'message' ? filesOf(event, by, 'message') : [];
  const steered = await ctx.deps.tasks.steer(ctx.tx, { task: task.id, text, when, by, origin: originOf(ctx), files });
  if (steered.outcome === 'at_rest') {
    const { agent, account } = task.agent;
    await checkAgent(ctx, { agent, account, project: task.project.id, runsOn: task.runsOn });
    const originKey = originKeyOf(ctx);
    const given = extras ?? (await extrasOf(ctx, task.project.id, false, task.run?.queuedAt));
    await ctx.deps.tasks.followUp(ctx.tx, {
      task: task.id,
      text: wordsOf(await withCode(ctx, task, when === 'now' ? text : said), files),
      by,
      originKey,
      ...given,
    });
  }
  if (event.type === 'message') {
    await putOutbox(ctx.tx, receivedPut(by.workspace, event));
    return undefined;
  }
  return { view: textView(outcomeText(task.number, when, steered.outcome)), audience: 'person' };
}

export function notAnAgent(number: number): AppError {
  return new AppError('DH-300', {
    what: `#${number} runs a command, which no agent works on.`,
    instead: 'Mention Deckhand with what an agent is to do.',
  });
}

function outcomeText(number: number, when: 'next' | 'now' | 'btw', outcome: 'sent' | 'known' | 'at_rest'): string {
  if (outcome === 'at_rest') return `#${number} goes on with it; its thread shows how it goes.`;
  if (when === 'now') return `The agent of #${number} is interrupted with it.`;
  return when === 'btw'
    ? `The agent of #${number} is asked beside its work.`
    : `The agent of #${number} reads it at its next step.`;
}

/** Side questions are answered beside every agent; not every one can be interrupted. */
async function checkSteering(ctx: CommandContext, { agent }: TaskRow): Promise<void> {
  const offer = agent === undefined ? undefined : (await agentOffers(ctx.tx, ctx.deps.now()))?.get(agent.agent);
  if (offer === undefined || offer.steering.now) return;
  throw new AppError('DH-216', {
    what: `\`${offer.agent}\` cannot be interrupted while it works.`,
    instead: 'Say it without `now`: it is read at the next step.',
  });
}

/** Names the message at its platform, so that editing or deleting it finds what it has said; any other act by its own key. */
function originOf({ act: { event } }: CommandContext): string {
  return event.type === 'message' ? messageOrigin({ ...event.conversation, message: event.message }) : `act:${event.key}`;
}

/** What the button *Steer…* asks. */
export function steerForm(task: TaskRow): Form {
  const atWork = task.run !== undefined && !isTerminal(task.run.state);
  return {
    token: encodePress({ kind: 'task', task: task.id, verb: 'steer' }),
    title: `${atWork ? 'Steer' : 'Go on with'} #${task.number}`,
    submit: 'Send',
    fields: [
      {
        type: 'text',
        id: 'text',
        label: atWork ? 'What the agent is to know. `now …` interrupts it.' : 'What the agent is to do next',
        multiline: true,
        required: true,
        placeholder: atWork ? 'Leave the old tests as they are.' : 'Add a test for it.',
        maxLength: 3000,
      },
    ],
  };
}
