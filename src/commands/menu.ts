import { isWords, roleName } from '../access/not-allowed.ts';
import { type Acting, actingAs, actingOn, rightsSomewhere } from '../access/who-acts.ts';
import type { CommandMenu, MenuArgument, MenuCommand, MenuCompletion } from '../contracts/command-menu.ts';
import { givablePermissions, may, permissions } from '../contracts/permissions.ts';
import type { Conversation } from '../contracts/platform.ts';
import { shorten } from '../delivery/neutralise.ts';
import { bundlesOf } from '../store/access-bundles.ts';
import { findChannel } from '../store/channels.ts';
import { customRolesOf } from '../store/custom-roles.ts';
import type { Database, Tx } from '../store/database.ts';
import { folderOfProjects, foldersOf } from '../store/folders.ts';
import { idsOf } from '../store/linked-people.ts';
import { findPerson, type Member, membersOf, peopleWithoutRole } from '../store/people.ts';
import { projectsOf } from '../store/projects.ts';
import { agentOffers } from '../store/runners.ts';
import { listTasks, type TaskFilter } from '../store/task-queries.ts';
import { teamsOf } from '../store/teams.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import { agentsOf } from '../tasks/agent-account-rules.ts';
import { accountsSeen } from './account-choice.ts';
import { onlyText } from './account-view.ts';
import type { Arg, Command, Named } from './command.ts';
import { complete, type KnownNames, namedIn } from './complete.ts';
import { commands } from './registry.ts';
import { visibleProjects } from './subject.ts';
import { title } from './task-lines.ts';

export interface MenuDeps {
  database: Database;
  /** Names could not be looked up; commands are completed all the same. */
  onError(error: unknown): void;
  /** How long names are looked up, milliseconds (default 700): completions must be there within a second, whatever the database does. */
  lookMs?: number | undefined;
  now?: (() => Date) | undefined;
}

/** Discord shows no more of a description. */
const mostCharacters = 100;
/** Stand last, for not every platform has room for all; every one has a way to say them. */
const seldom: ReadonlySet<string> = new Set(['model', 'effort', 'fork', 'about', 'budget', 'unlink', 'claim', 'queue']);
/** In the order in which they are looked for: help is not to be missing where a menu is short. */
const parts: readonly Command['group'][] = ['work', 'deckhand', 'look', 'setup', 'people'];

function menuPlace({ name, group }: Command): number {
  return (seldom.has(name) ? parts.length : 0) + parts.indexOf(group);
}

const mostTasks = 200;
const mostPeople = 500;

/** What platforms are told about the commands, made from the registry. */
export function createCommandMenu({ database, onError, lookMs = 700, now = () => new Date() }: MenuDeps): CommandMenu {
  return {
    commands: commands.toSorted((a, b) => menuPlace(a) - menuPlace(b)).map(menuCommand),
    async complete({ text, conversation, user }) {
      const wanted = namedIn(text);
      const known = wanted.length === 0 ? {} : await within(lookMs, lookUp(wanted, conversation, user));
      return complete(text, known).map(({ value, hint }): MenuCompletion => ({ value, hint: line(hint) }));
    },
  };

  function lookUp(wanted: readonly Named[], conversation: Conversation, user: string): Promise<KnownNames> {
    return database
      .transaction((tx) => knownTo(tx, wanted, { conversation, user, now: now() }))
      .catch((error: unknown) => {
        onError(error);
        return {};
      });
  }
}

function menuCommand({ name, group, summary, positional, options, direct }: Command): MenuCommand {
  return {
    name,
    part: group,
    summary: line(summary),
    positional: Object.entries(positional).map(menuArgument),
    options: Object.entries(options).map(menuArgument),
    direct,
  };
}

function menuArgument([key, { about, required, values, names, takes }]: [string, Arg<unknown>]): MenuArgument {
  return {
    name: key.replaceAll('-', '_'),
    about: line(about),
    required,
    // Where there are other names than these few, the few are completed like the others.
    values: names === undefined ? values : [],
    rest: takes === 'words' || takes === 'verbatim',
  };
}

function line(text: string): string {
  return shorten(text.replaceAll('`', ''), mostCharacters);
}

/** What the person may see of the workspace from here. Nobody is made known by typing. */
async function knownTo(
  tx: Tx,
  wanted: readonly Named[],
  { conversation, user, now }: { conversation: Conversation; user: string; now: Date },
): Promise<KnownNames> {
  const { platform, tenant } = conversation;
  const workspace = (await workspaceOfTenant(tx, platform, tenant))?.id;
  if (workspace === undefined) return {};
  const identity = { platform, tenant, user };
  const member = await findPerson(tx, workspace, identity);
  const known = await findChannel(tx, workspace, conversation);
  const channel = known ?? {
    name: undefined,
    project: undefined,
    defaultRole: undefined,
    externalRole: undefined,
  };
  const unknown: Member = { user: '', name: '', role: undefined };
  const acting = await actingAs(tx, workspace, identity, member ?? unknown, channel);
  const rights = rightsSomewhere(acting);
  if (!may(rights, 'task.see')) return {};
  const projects = await visibleProjects({ ...acting, tx });
  const sight = { channel: known?.id, readers: conversation.kind === 'direct' && member !== undefined ? idsOf(member) : [] };
  const has = (kind: Named) => wanted.includes(kind);
  return {
    ...(has('task') ? { task: await tasks(tx, { workspace, projects, sight }) } : {}),
    ...(has('project') ? { project: await projectNames(tx, workspace, projects) } : {}),
    ...(has('account') && may(rights, 'agent.run') ? { account: await accounts({ ...acting, tx }) } : {}),
    ...(has('model') ? { model: await models(tx, now) } : {}),
    ...(has('folder') ? { folder: await folderNames(tx, workspace, acting, projects) } : {}),
    ...(has('team') ? { team: await teamNames(tx, workspace) } : {}),
    ...(has('permission') ? { permission: permissionNames() } : {}),
    ...(has('bundle') ? { bundle: await bundleNames(tx, workspace) } : {}),
    ...(has('role') ? { role: await roleNames(tx, workspace) } : {}),
    ...(has('person') ? { person: await people(tx, workspace, may(rights, 'member.manage')) } : {}),
  };
}

async function tasks(tx: Tx, filter: TaskFilter) {
  const found = await listTasks(tx, filter, { size: mostTasks, number: 1 });
  return found.tasks.map((task) => ({
    value: `#${task.number}`,
    also: title(task.title),
    hint: `${title(task.title)} · ${task.column}`,
  }));
}

async function accounts(acting: Acting & { tx: Tx }) {
  return (await accountsSeen(acting)).map((account) => ({
    value: account.name,
    also: '',
    hint: `for ${agentsOf(account).join(' and ')}${onlyText(account, ', ')}`,
  }));
}

/** Of all agents that can work now. */
async function models(tx: Tx, now: Date) {
  const agentsOf = new Map<string, string[]>();
  for (const { agent, available, models: known } of (await agentOffers(tx, now))?.values() ?? []) {
    if (!available) continue;
    for (const name of known?.names ?? []) agentsOf.set(name, [...(agentsOf.get(name) ?? []), agent]);
  }
  return [...agentsOf].map(([value, agents]) => ({ value, also: '', hint: `for ${agents.join(' and ')}` }));
}

async function projectNames(tx: Tx, workspace: string, projects: readonly string[] | undefined) {
  const all = await projectsOf(tx, workspace);
  return all
    .filter(({ id }) => projects === undefined || projects.includes(id))
    .map(({ name }) => ({ value: name, also: '', hint: 'project' }));
}

/** Those about which the person is something, or that hold a project they may see. */
async function folderNames(tx: Tx, workspace: string, acting: Acting, projects: readonly string[] | undefined) {
  const folderOf = await folderOfProjects(tx, workspace);
  const holding = new Set([...folderOf].flatMap(([id, folder]) => (projects?.includes(id) === false ? [] : [folder])));
  return (await foldersOf(tx, workspace))
    .filter(({ id }) => holding.has(id) || actingOn(acting, id).role !== undefined)
    .map(({ name }) => ({ value: name, also: '', hint: 'folder' }));
}

async function teamNames(tx: Tx, workspace: string) {
  return (await teamsOf(tx, workspace)).map(({ name }) => ({ value: name, also: '', hint: 'team' }));
}

function permissionNames() {
  return givablePermissions.map((value) => ({ value, also: value.replace('.', ' '), hint: permissions[value].may }));
}

async function roleNames(tx: Tx, workspace: string) {
  return (await customRolesOf(tx, workspace)).map(({ name }) => ({ value: name, also: '', hint: 'custom role' }));
}

async function bundleNames(tx: Tx, workspace: string) {
  return (await bundlesOf(tx, workspace)).map(({ name }) => ({ value: name, also: '', hint: 'access bundle' }));
}

/** Members; to those who give roles also people who have none yet. */
async function people(tx: Tx, workspace: string, all: boolean) {
  const members: readonly Member[] = await membersOf(tx, workspace);
  const others = all ? await peopleWithoutRole(tx, workspace, mostPeople) : [];
  return [...members, ...others].map((member) => {
    return { value: member.name, also: member.name, hint: isWords(member) === undefined ? 'has no role yet' : roleName(member) };
  });
}

async function within(ms: number, looked: Promise<KnownNames>): Promise<KnownNames> {
  const { promise, resolve } = Promise.withResolvers<KnownNames>();
  const timer = setTimeout(() => resolve({}), ms);
  try {
    return await Promise.race([looked, promise]);
  } finally {
    clearTimeout(timer);
  }
}
