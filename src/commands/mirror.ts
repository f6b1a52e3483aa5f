import { type MirrorNeeds, mirrorNeeds } from '../access/mirror-needs.ts';
import { notAllowed, whoCan } from '../access/not-allowed.ts';
import { rightsSomewhere } from '../access/who-acts.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { textView } from '../delivery/list-view.ts';
import { firstCards } from '../delivery/thread-cards.ts';
import { recordAudit } from '../store/audit.ts';
import { holdBinding } from '../store/channels.ts';
import { putOutbox, putOutboxRows } from '../store/outbox.ts';
import { type TaskRow, taskByNumber } from '../store/task-queries.ts';
import { everywhere } from '../store/task-sight.ts';
import { lockTask } from '../store/tasks.ts';
import { createThread, placesOfTask, type ThreadPlace } from '../store/threads.ts';
import type { Person } from '../tasks/task-engine.ts';
import { receivedPut } from './answer.ts';
import { oneOf, onOff, optional, taskNumber } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { endMirror } from './mirror-end.ts';
import { placesView } from './mirror-list.ts';
import { refusalView } from './refusal.ts';
import { personFor, sightOf, taskFor } from './subject.ts';

const look = { command: 'mirror', permission: 'task.see', action: 'see this task' } as const;
/** Every thread costs an edit for every change. */
const mostThreads = 10;

export const mirror = defineCommand({
  name: 'mirror',
  group: 'work',
  summary: 'Shows a task in a second place, also on another platform, or lists where it is shown',
  details: [
    'All places show the same card, the same requests for a decision and the same end; a decision at one is final at all. Buttons, replies and commands work in each.',
    'Rights follow the person: what you may do with the task does not depend on where you do it.',
    'In a direct message you alone see it. In a channel of its project it takes a developer. In any other channel it takes a maintainer who says `share=on`, because people there may not be meant to see the project.',
    'A task of a private channel is shown elsewhere only to whoever asked for it, in their direct messages; `settings private=off` there opens it.',
    '`off` ends it where you are; where the task was started it cannot be ended.',
  ],
  permission: 'task.see',
  action: 'mirror tasks',
  about: 'project',
  unbound: 'with-role',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
    what: optional({
      hint: 'here|off',
      about: '`here` shows it where you are, `off` ends that; without either it lists where it is shown',
      values: ['here', 'off'],
      schema: oneOf(['here', 'off']),
    }),
  },
  options: {
    share: optional({
      hint: 'on',
      about: 'lets people of a channel of another project, or of none, see the task; maintainers only',
      values: ['on', 'off'],
      schema: onOff,
    }),
  },
  // A person must always be able to keep a task out of their own direct messages.
  permissionFor: ({ what }) => (what === 'off' ? 'anyone' : 'task.see'),
  examples: [
    ['mirror #142 here', 'shows task 142 in this channel, thread or direct message as well'],
    ['mirror #142', 'lists where task 142 is shown'],
    ['mirror off', 'stops showing the task of this thread here'],
    ['mirror #142 here share=on', 'shows it in a channel of another project'],
  ],
  async run(ctx, { task: number, what, share }) {
    if (what === 'off') return endHere(ctx, number);
    const { task, person } = await taskFor(ctx, number, look);
    if (what === 'here') return showHere(ctx, task, person, share === true);
    return { view: await placesView(ctx, task, await placesOfTask(ctx.tx, task.id)), audience: 'person' };
  },
});

async function showHere(ctx: CommandContext, task: TaskRow, person: Person, share: boolean): Promise<Reply | undefined> {
  const { tx, channel } = ctx;
  const needs = mirrorNeeds({ kind: channel.kind, project: await holdBinding(tx, channel.id) }, task.project.id);
  const refusal = await refused(ctx, task, person, needs, share);
  if (refusal !== undefined) {
    await audit(ctx, 'task.mirror_refused', task.id, { channel: channel.id });
    return { view: refusalView(ctx.act.event, refusal, ctx.deps.errorDocs), audience: 'person' };
  }
  await lockTask(tx, task.id);
  const places = await placesOfTask(tx, task.id);
  if (here(ctx, places) !== undefined) {
    const where = channel.kind === 'direct' ? 'in this conversation' : 'in this channel';
    throw new AppError('DH-300', {
      what: `#${task.number} is shown ${where} already.`,
      instead: `\`mirror #${task.number}\` lists where it is shown.`,
    });
  }
  if (places.length >= mostThreads) {
    throw new AppError('DH-300', {
      what: `#${task.number} is shown in ${places.length} places, which is the most there can be.`,
      instead: '`mirror off` in one of them makes room.',
    });
  }
  const { event, conversation } = ctx.act;
  const now = ctx.deps.now();
  const thread = await createThread(tx, {
    workspace: person.workspace,
    task: task.id,
    channel: channel.id,
    externalId: ctx.threadTask === undefined ? (conversation.thread ?? null) : null,
    at: now,
  });
  await audit(ctx, 'task.mirrored', thread, { task: task.id, channel: channel.id, shared: needs.share });
  const cards = await firstCards(tx, { task: task.id, thread, now, docs: ctx.deps.errorDocs });
  await putOutboxRows(tx, cards);
  if (event.type === 'message') {
    await putOutbox(tx, receivedPut(person.workspace, event));
  }
  if (cards.length === 0) return { view: textView(`#${task.number} is shown here as soon as it runs.`), audience: 'asked' };
  if (ctx.threadTask === undefined) return undefined;
  return { view: textView(`#${task.number} has a thread of its own in this channel.`), audience: 'asked' };
}

/** Why the person may not show the task here; undefined: they may. */
async function refused(
  ctx: CommandContext,
  task: TaskRow,
  person: Person,
  needs: MirrorNeeds,
  share: boolean,
): Promise<AppError | undefined> {
  const able = may(person, needs.permission);
  if (!needs.share) return able ? undefined : notAllowed(ctx.tx, person, 'show tasks where others see them', needs.permission);
  if (able && share) return undefined;
  return new AppError('DH-214', {
    task: `#${task.number}`,
    project: task.project.name,
    remedy: able
      ? `\`mirror #${task.number} here share=on\` shows it all the same.`
      : await whoCan(ctx.tx, person.workspace, needs.permission, task.project.id),
  });
}

/** Ends what is shown where the person is. In their own direct messages it takes no right. */
async function endHere(ctx: CommandContext, number: number | undefined): Promise<Reply> {
  const { tx, channel } = ctx;
  const { workspace } = ctx.person;
  if (number === undefined && ctx.threadTask === undefined) throw new AppError('DH-207', { command: 'mirror off' });
  const found = number === undefined ? ctx.threadTask : await taskByNumber(tx, workspace, number, everywhere);
  const first = found === undefined ? undefined : here(ctx, await placesOfTask(tx, found.id));
  // What is shown here can be ended here; of what is not, only what may be seen is known.
  const unseen = first === undefined && number !== undefined;
  const task = unseen ? await taskByNumber(tx, workspace, number, sightOf(ctx)) : found;
  if (channel.kind !== 'direct' || first === undefined) {
    const permission = channel.kind === 'direct' ? 'task.see' : 'task.manage';
    // Whether there is such a task or not.
    if (!may(rightsSomewhere(ctx), permission)) throw await notAllowed(tx, ctx.person, 'end mirrors', permission);
    if (task === undefined) throw new AppError('DH-204', { task: `#${number}` });
    const hidden = number === undefined ? undefined : new AppError('DH-204', { task: `#${number}` });
    await personFor(ctx, task.project.id, { command: 'mirror off', permission, action: 'end mirrors' }, hidden);
  }
  if (task === undefined) throw new AppError('DH-204', { task: `#${number}` });
  await lockTask(tx, task.id);
  // Read again: it may have been ended while this waited for the lock.
  const place = here(ctx, await placesOfTask(tx, task.id));
  if (place === undefined || place.origin) {
    throw new AppError('DH-300', {
      what: `#${task.number} ${place === undefined ? 'is not mirrored here' : 'was started here, so this thread stays'}.`,
      instead: `\`mirror #${task.number}\` lists where it is shown.`,
    });
  }
  await endMirror(ctx, { thread: place.id, channel: channel.id, task: task.id, number: task.number });
  return { view: textView(`#${task.number} is not followed here any more.`), audience: 'asked' };
}

/** The thread of the task at this place: a channel has one at most. */
function here({ channel }: CommandContext, places: readonly ThreadPlace[]): ThreadPlace | undefined {
  return places.find((place) => place.channel.id === channel.id);
}

async function audit(
  { tx, person }: CommandContext,
  action: string,
  subject: string,
  data: Record<string, string | boolean>,
): Promise<void> {
  await recordAudit(tx, {
    workspace: person.workspace,
    actor: person.user,
    action,
    subject,
    data: { ...data, on: person.identity.platform, account: person.identity.user },
  });
}
