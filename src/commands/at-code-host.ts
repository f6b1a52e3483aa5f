import type { ConfiguredOwner } from '../access/owners.ts';
import {
  branchOfPull,
  isRepositoryTalk,
  mayWrite,
  type RepositoryTalk,
  repositoryOfEvent,
  sameRepository,
} from '../access/repository-access.ts';
import { type Actor, actingOn, type Nobody, whoActs } from '../access/who-acts.ts';
import { CodeHostError } from '../contracts/code-host.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { receipt } from '../delivery/reply.ts';
import { chatChannelsOf } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { putOutbox } from '../store/outbox.ts';
import { type Project, projectsOf } from '../store/projects.ts';
import { setOrigin, taskOfPull } from '../store/task-origins.ts';
import { type TaskRow, taskById } from '../store/task-queries.ts';
import { createThread, placesOfTask } from '../store/threads.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import type { CreatedTask } from '../tasks/task-engine.ts';
import type { CommandContext, CommandDeps } from './command.ts';

/** Most chat channels that show a task from the code host: each costs an edit for every change. */
const mostChats = 5;

/** What lets an act at the code host in: the oldest project of its repository; undefined: it has none. */
export interface Admission {
  project: Project | undefined;
}

/**
 * Set when somebody who may write to the repository did this, and its project takes mentions. Others get a mark on their message and nothing
 * else: a stranger must not make the bot write. Throws `TryLater` while that cannot be found out.
 */
export async function admitted(
  tx: Tx,
  talk: RepositoryTalk,
  event: InboundEvent,
  log: { warn(context: object, message: string): void },
): Promise<Admission | undefined> {
  const { platform, tenant } = event.conversation;
  const workspace = await workspaceOfTenant(tx, platform, tenant);
  const project = workspace === undefined ? undefined : await projectOfEvent(tx, talk, workspace.id, event);
  if (project?.limits.mentions !== 'off' && (await mayWriteThere(talk, event, log))) return { project };
  if (workspace !== undefined && event.type === 'message') {
    await putOutbox(tx, receipt(workspace.id, event.conversation, event.message, 'refused'));
  }
  return undefined;
}

/** What the code host refuses to tell us counts as no. */
async function mayWriteThere(
  talk: RepositoryTalk,
  event: InboundEvent,
  log: { warn(context: object, message: string): void },
): Promise<boolean> {
  try {
    return await mayWrite(talk, event);
  } catch (error) {
    // `unreachable` has become `TryLater` by then.
    if (!(error instanceof CodeHostError)) throw error;
    log.warn({ err: error, repository: event.conversation.channel }, 'who may write to a repository is not told');
    return false;
  }
}

/** Who acts, where. `admission`: of an act at the code host. Throws DH-220 in a repository without a project. */
export async function actsHere(
  tx: Tx,
  owners: readonly ConfiguredOwner[],
  event: InboundEvent,
  admission: Admission | undefined,
): Promise<Actor | Nobody> {
  const actor = await whoActs(tx, event, owners);
  return typeof actor === 'string' || admission === undefined ? actor : inRepository(actor, event, admission);
}

/**
 * The actor in the conversation of a repository: that belongs to the project of the repository, and gives whoever may write there, and
 * nobody else acts there, the role developer. Nothing of it is stored, so that it is never more than the code host says.
 */
function inRepository(actor: Actor, event: InboundEvent, { project }: Admission): Actor {
  if (project === undefined) throw new AppError('DH-220', { repository: event.conversation.channel });
  const channel = { ...actor.channel, project: project.id, defaultRole: 'developer' as const };
  return { ...actor, channel, person: actingOn({ ...actor, channel }, project.id) };
}

/** The oldest project of the repository. */
async function projectOfEvent(
  tx: Tx,
  { host }: RepositoryTalk,
  workspace: string,
  event: InboundEvent,
): Promise<Project | undefined> {
  const repository = repositoryOfEvent(event);
  const projects = (await projectsOf(tx, workspace)).filter(({ source }) => {
    const found = source.kind === 'git' ? host.repositoryOf(source.url) : undefined;
    return found !== undefined && sameRepository(found, repository);
  });
  return projects.toSorted((one, other) => (one.id < other.id ? -1 : 1))[0];
}

/** The task whose pull request this conversation is. */
export async function taskOfConversation(
  tx: Tx,
  workspace: string,
  event: InboundEvent,
  project: string | undefined,
): Promise<TaskRow | undefined> {
  const { channel: repository, thread } = event.conversation;
  if (event.type !== 'message' || event.about !== 'pull') return undefined;
  const id = await taskOfPull(tx, workspace, { repository, number: Number(thread) });
  const task = id === undefined ? undefined : await taskById(tx, workspace, id);
  return task?.project.id === project ? task : undefined;
}

/** The thread in which a new task lives; null: its first card opens one. An issue or a pull request is of one task. */
export function threadOfNewTask(ctx: CommandContext): string | null {
  const { threadTask, act } = ctx;
  // A thread is of one task: within the thread of another, the new task opens a thread of its own.
  if (threadTask === undefined) return act.conversation.thread ?? null;
  if (act.open !== true) return null;
  throw new AppError('DH-300', {
    what: `#${threadTask.number} is the task of this conversation, and a conversation here has one.`,
    instead: 'Mention Deckhand with what is to be done next, or open another issue.',
  });
}

/** Where a task comes from that is asked for at the code host. */
export interface HostOrigin {
  /** `acme/web#12`: its pull request closes it. */
  issue?: string | undefined;
  /** What the people there call it. */
  title?: string | undefined;
  /** Asked for in somebody's pull request, it begins on the branch of that one. */
  baseBranch?: string | undefined;
}

/** Undefined: the task is asked for elsewhere. Asks the code host: to be called before anything is locked. Throws `TryLater`. */
export async function originAtCodeHost(ctx: CommandContext): Promise<HostOrigin | undefined> {
  const { event } = ctx.act;
  const talk = ctx.deps.repositoryTalk;
  if (!isRepositoryTalk(talk, event) || event.type !== 'message') return undefined;
  const { channel, thread } = event.conversation;
  return event.about === 'pull'
    ? { baseBranch: await branchOfPull(talk, event) }
    : { issue: `${channel}#${thread}`, title: event.title };
}

/** Keeps where a new task comes from, and gives it its threads in the chat channels of the project, where it is decided about. */
export async function placeTask(
  ctx: CommandContext,
  { task }: CreatedTask,
  project: Project,
  origin: HostOrigin | undefined,
): Promise<void> {
  const { platform } = ctx.act.conversation;
  if (origin === undefined) return;
  await setOrigin(ctx.tx, task, origin);
  if ((await placesOfTask(ctx.tx, task)).length > 1) return;
  const { workspace } = ctx.person;
  for (const chat of await chatChannelsOf(ctx.tx, { project: project.id, except: platform, most: mostChats })) {
    await createThread(ctx.tx, { workspace, task, channel: chat, externalId: null, at: ctx.deps.now() });
  }
}

/** What is said to a task in its pull request is answered there. */
export async function followHere(ctx: CommandContext, task: TaskRow): Promise<void> {
  const { thread } = ctx.act.conversation;
  if (ctx.act.open !== true || thread === undefined) return;
  const places = await placesOfTask(ctx.tx, task.id);
  if (places.some(({ channel, externalId }) => channel.id === ctx.channel.id && externalId === thread)) return;
  const { workspace } = ctx.person;
  await createThread(ctx.tx, { workspace, task: task.id, channel: ctx.channel.id, externalId: thread, at: ctx.deps.now() });
}

/** Is the act one whose every answer is for all who can read the repository? */
export function isOpen(deps: Pick<CommandDeps, 'repositoryTalk'>, event: InboundEvent): boolean {
  return isRepositoryTalk(deps.repositoryTalk, event);
}
