import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { decodePress, type PressToken, type TaskVerb } from '../contracts/press.ts';
import { taskColumnSchema } from '../contracts/states.ts';
import { textView } from '../delivery/list-view.ts';
import { askForm } from '../delivery/reply.ts';
import { putOutbox } from '../store/outbox.ts';
import { takeRequest } from '../store/pending-requests.ts';
import { projectById } from '../store/projects.ts';
import { messageByKey } from '../store/sent-messages.ts';
import { type TaskRow, taskById, threadOfTaskIn } from '../store/task-queries.ts';
import { answered } from './answer.ts';
import type { CommandContext } from './command.ts';
import { patchReply } from './logs.ts';
import { onChange } from './on-change.ts';
import { dropContext, showContext } from './on-context.ts';
import { onChoice, onDecision } from './on-decision.ts';
import { onGuidedPress } from './on-guided.ts';
import { onLink } from './on-link.ts';
import { onTransfer } from './on-transfer.ts';
import { policyFormOf } from './policy-buttons.ts';
import { askPolicyForm } from './policy-form.ts';
import { commandNamed } from './registry.ts';
import { answer, runText } from './run-command.ts';
import { askQuietHours, quietFormText } from './settings-notify.ts';
import { notAnAgent, steerForm } from './speak.ts';
import { personFor, pickerKey, taskFor } from './subject.ts';
import { quote } from './tokens.ts';

type Press = Extract<InboundEvent, { type: 'press' }>;

/** How a request goes on after "which project?": as its own event, by the person who asked, with the project chosen. */
export type Resume = (event: InboundEvent, project: string) => Promise<void>;

/** A button or a select. Whoever presses is looked at as they are now; the token itself grants nothing (promise 7). */
export async function onPress(ctx: CommandContext, press: Press, resume: Resume): Promise<void> {
  const token = decodePress(press.token);
  if (token === undefined) throw new AppError('DH-208');
  switch (token.kind) {
    case 'decide':
      return onDecision(ctx, press, token);
    case 'choose':
      return onChoice(ctx, press, token);
    case 'task':
      return onTaskButton(ctx, press, token);
    case 'change':
      return onChange(ctx, press, token);
    case 'command': {
      if (token.text === quietFormText) return askQuietHours(ctx, press);
      const form = policyFormOf(token.text);
      if (form !== undefined) return askPolicyForm(ctx, press, form);
      return runText(ctx, [token.text, ...press.values.map(quote)].join(' '));
    }
    case 'pick':
      return onPick(ctx, press, token.request, resume);
    case 'guided':
      return onGuidedPress(ctx, press, token);
    case 'link':
      return onLink(ctx, token);
    case 'transfer':
      return onTransfer(ctx, token);
  }
}

/** The command each button on a card stands for: its role is the button's. */
const commandOf: Partial<Record<TaskVerb, string>> = {
  stop: 'stop',
  retry: 'retry',
  log: 'logs',
  show: 'show',
  move: 'move',
  patch: 'logs',
};

async function onTaskButton(ctx: CommandContext, press: Press, token: Extract<PressToken, { kind: 'task' }>): Promise<void> {
  const task = await taskById(ctx.tx, ctx.person.workspace, token.task);
  if (task === undefined) throw new AppError('DH-208');
  if (token.verb === 'steer') return askWhatToSay(ctx, press, task);
  if (token.verb === 'context') return showContext(ctx, task);
  if (token.verb === 'alone') return dropContext(ctx, task);
  const name = commandOf[token.verb];
  if (name === undefined) throw new AppError('DH-208');
  const command = commandNamed(name);
  const { action, permission } = command;
  if (permission === 'anyone') throw new Error(`${command.name} must need a permission`);
  const thread = await threadOfTaskIn(ctx.tx, task.id, ctx.channel.id);
  const inThread: CommandContext = {
    ...ctx,
    threadTask: thread === undefined ? ctx.threadTask : task,
    act: thread === undefined ? ctx.act : { ...ctx.act, conversation: { ...ctx.act.conversation, thread } },
  };
  await taskFor(inThread, task.number, { command: command.name, action, permission });
  if (token.verb === 'patch') return answer(inThread, await patchReply(inThread, task));
  const column = token.verb === 'move' ? taskColumnSchema.safeParse(press.values[0]).data : undefined;
  const reply = await command.run(inThread, { task: task.number, ...(column === undefined ? {} : { column }) });
  if (reply !== undefined && reply.card !== true) await answer(inThread, reply);
}

/** *Steer…*: asks what the agent is to be told. */
async function askWhatToSay(ctx: CommandContext, press: Press, task: TaskRow): Promise<void> {
  await personFor(ctx, task.project.id, { command: 'steer', permission: 'agent.run', action: 'speak to an agent' });
  if (task.agent === undefined) throw notAnAgent(task.number);
  const act = answered(press, ctx.person, press.conversation);
  await putOutbox(ctx.tx, askForm(act, press.trigger, steerForm(task), new Date(press.at)));
}

async function onPick(ctx: CommandContext, press: Press, request: string, resume: Resume): Promise<void> {
  const { workspace, identity } = ctx.person;
  const chosen = press.values[0];
  const project = chosen === undefined ? undefined : await projectById(ctx.tx, workspace, chosen);
  if (project === undefined) throw new AppError('DH-208');
  const taken = await takeRequest(ctx.tx, workspace, request, identity, ctx.deps.now());
  if (taken.result === 'not_yours') throw new AppError('DH-209');
  if (taken.result !== 'taken') throw new AppError('DH-208');
  await writeOnPicker(ctx, request, project.name);
  // The handles of the press are fresh; those of the request may have expired.
  await resume({ ...taken.event, reply: press.reply, trigger: press.trigger }, project.id);
}

/** In a direct conversation the question is a message: it loses its select and says what was chosen. */
async function writeOnPicker(ctx: CommandContext, request: string, project: string): Promise<void> {
  const sent = await messageByKey(ctx.tx, ctx.person.workspace, pickerKey(request));
  if (sent?.payload.type !== 'message') return;
  const view = textView(`Project: \`${project}\``);
  await putOutbox(ctx.tx, {
    workspace: ctx.person.workspace,
    key: sent.key,
    target: sent.target,
    payload: { type: 'message', view },
    priority: 2,
  });
}
