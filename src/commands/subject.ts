import { notAllowed } from '../access/not-allowed.ts';
import { type Acting, actingOn, within } from '../access/who-acts.ts';
import { AppError } from '../contracts/errors.ts';
import { may, type Permission } from '../contracts/permissions.ts';
import { encodePress } from '../contracts/press.ts';
import { plain } from '../contracts/view.ts';
import { withFallback } from '../delivery/list-view.ts';
import type { Tx } from '../store/database.ts';
import { idsOf } from '../store/linked-people.ts';
import { keepRequest } from '../store/pending-requests.ts';
import { type Project, projectById, projectIds, projectsOf } from '../store/projects.ts';
import { type TaskRow, taskByNumber } from '../store/task-queries.ts';
import type { Sight } from '../store/task-sight.ts';
import type { Person } from '../tasks/task-engine.ts';
import type { CommandContext, Reply } from './command.ts';
import { didYouMean } from './nearest.ts';

/** What a command needs to act on something: the permission, and the words for the refusal. */
export interface Need {
  /** As typed, for "`stop` needs a task here". */
  command: string;
  permission: Permission;
  action: string;
}

/**
 * The person with the rights that count for the project; refused when they lack what it takes. `hidden`: the answer to those who may not
 * even see it, the same as for what does not exist.
 */
export async function personFor(ctx: CommandContext, project: string, need: Need, hidden?: AppError): Promise<Person> {
  const person = actingOn(ctx, project);
  if (hidden !== undefined && person.role === undefined) throw hidden;
  if (!may(person, need.permission)) throw await notAllowed(ctx.tx, person, need.action, need.permission);
  return person;
}

/** What of private tasks this answer may show: in a direct conversation the person reads it alone. */
export function sightOf({ channel, person, act }: Pick<CommandContext, 'channel' | 'person' | 'act'>): Sight {
  return { channel: channel.id, readers: act.event.conversation.kind === 'direct' ? idsOf(person) : [] };
}

/** The task that is meant: the number, else the thread's. Numbers of other workspaces are no tasks (promise 12). */
export async function taskFor(
  ctx: CommandContext,
  number: number | undefined,
  need: Need,
): Promise<{ task: TaskRow; person: Person }> {
  if (number === undefined && ctx.threadTask === undefined) throw new AppError('DH-207', { command: need.command });
  const task = number === undefined ? ctx.threadTask : await taskByNumber(ctx.tx, ctx.person.workspace, number, sightOf(ctx));
  // Whoever reads a repository is not meant to hear of other projects.
  const elsewhere = ctx.act.open && task !== undefined && task.project.id !== ctx.bound?.id;
  const unknown = new AppError('DH-204', { task: `#${number}` });
  if (task === undefined || elsewhere) throw unknown;
  // Whoever reads the thread of a task knows that it exists.
  return { task, person: await personFor(ctx, task.project.id, need, task.id === ctx.threadTask?.id ? undefined : unknown) };
}

/** The projects about which the person has the permission here, removed ones too; undefined: all of the workspace. */
export async function visibleProjects(
  ctx: Acting & { tx: Tx },
  permission: Permission = 'task.see',
): Promise<string[] | undefined> {
  const { grants, channel } = ctx;
  const isSeen = (project: string) => may(actingOn(ctx, project), permission);
  const spoken = [...grants.keys(), ...(channel.project === undefined ? [] : [channel.project])];
  if (!may(within(channel, ctx.member), permission)) return [...new Set(spoken)].filter((id) => isSeen(id));
  if (spoken.every(isSeen)) return undefined;
  return (await projectIds(ctx.tx, ctx.person.workspace)).filter(isSeen);
}

/** Those of these projects that the person may see here. */
export function seen<P extends Pick<Project, 'id'>>(ctx: Acting, projects: readonly P[]): P[] {
  return projects.filter(({ id }) => actingOn(ctx, id).role !== undefined);
}

/** The project with this name, or DH-205 with the nearest names. What the person may not see does not exist. */
export async function namedProject(ctx: CommandContext, name: string): Promise<Project> {
  const projects = seen(ctx, await projectsOf(ctx.tx, ctx.person.workspace));
  const project = projects.find((known) => known.name.toLowerCase() === name.toLowerCase());
  if (project !== undefined) return project;
  const names = projects.map((known) => known.name);
  const suggestion = didYouMean(name, names, '`project list` shows the projects, `project add` makes one.');
  throw new AppError('DH-205', { project: name.slice(0, 80), suggestion });
}

/**
 * Which project: the one named, else the channel's, else the thread's, else the only one, else a question with a picker, after
 * which this very request goes on. Never a guess.
 */
export async function projectFor(ctx: CommandContext, name: string | undefined): Promise<{ project: Project } | { ask: Reply }> {
  if (ctx.picked !== undefined) return { project: ctx.picked };
  if (name !== undefined) return { project: await namedProject(ctx, name) };
  if (ctx.bound !== undefined) return { project: ctx.bound };
  const ofThread =
    ctx.threadTask === undefined ? undefined : await projectById(ctx.tx, ctx.person.workspace, ctx.threadTask.project.id);
  if (ofThread !== undefined) return { project: ofThread };
  const projects = seen(ctx, await projectsOf(ctx.tx, ctx.person.workspace));
  const [only, ...others] = projects;
  if (only === undefined) throw new AppError('DH-206');
  if (others.length === 0) return { project: only };
  return { ask: await askProject(ctx, projects) };
}

async function askProject(ctx: CommandContext, projects: readonly Project[]): Promise<Reply> {
  const request = await keepRequest(ctx.tx, ctx.person.workspace, ctx.act.event, ctx.deps.now());
  const view = withFallback([
    { type: 'text', spans: [plain('Which project? The request goes on with the one you choose.')] },
    {
      type: 'select',
      token: encodePress({ kind: 'pick', request }),
      placeholder: 'Project',
      options: projects.map(({ id, name }) => ({ value: id, label: name })),
    },
  ]);
  return { view, audience: 'person', key: pickerKey(request) };
}

/** Name of the outbox row that asks "which project?", so that the answer can be written on it. */
export function pickerKey(request: string): string {
  return `pick:${request}`;
}
