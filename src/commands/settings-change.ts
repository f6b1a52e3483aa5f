import { isDeepStrictEqual } from 'node:util';
import { roleName } from '../access/not-allowed.ts';
import { actingOn } from '../access/who-acts.ts';
import { type Approvers, isRoleId } from '../contracts/approvers.ts';
import { givenWith } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { isHostName } from '../contracts/hosts.ts';
import { approvalsNeeded, defaultCheckMs, type Policy } from '../contracts/policy.ts';
import type { Role } from '../contracts/roles.ts';
import type { ProjectLimits, Verbosity } from '../contracts/settings.ts';
import { recordAudit } from '../store/audit.ts';
import { type Channel, setDefaultRole, setExternalRole, setPrivate, setVerbosity } from '../store/channels.ts';
import { changeBaseBranch, changeLimits, type Project, projectById } from '../store/projects.ts';
import { applyChange, type ListChange } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { checkNamedAlone, deciderRole, withDeciderRole } from './decider-role.ts';
import { changedHostList } from './host-list.ts';
import { changedChannels, changedPeople, changedTeams } from './named-targets.ts';
import { showWhereItCounts } from './opened-channel.ts';
import { holdProject, storePolicy } from './policy-change.ts';
import { roleForChannel } from './role-argument.ts';
import type { AgentSettingsChange } from './settings-agent.ts';

/** What `settings` is told to change. */
export interface SettingsChange extends AgentSettingsChange {
  verbosity?: Verbosity | undefined;
  /** Name of a role, or `none`. */
  role?: string | undefined;
  private?: boolean | undefined;
  external?: 'guest' | 'none' | undefined;
  policy?: Policy['mode'] | undefined;
  allow?: ListChange | undefined;
  deny?: ListChange | undefined;
  /** Name of a role. */
  approvers?: string | undefined;
  people?: ListChange | undefined;
  team?: ListChange | undefined;
  'decide-in'?: ListChange | undefined;
  approvals?: number | undefined;
  'not-requester'?: boolean | undefined;
  expires?: number | 'never' | undefined;
  remind?: number | undefined;
  escalate?: number | 'none' | undefined;
  'escalate-to'?: Role | undefined;
  timeout?: number | undefined;
  concurrency?: number | undefined;
  check?: string | undefined;
  'check-timeout'?: number | undefined;
  branch?: string | undefined;
  branches?: ProjectLimits['branches'];
  'runs-on'?: readonly string[] | undefined;
  mentions?: ProjectLimits['mentions'];
  links?: ListChange | undefined;
}

const mostPatterns = 100;

/** Changes verbosity, the roles that the channel gives and its privacy; returns the channel as it is then. */
export async function applyChannelSettings(ctx: CommandContext, change: SettingsChange): Promise<Channel> {
  const channel = { ...ctx.channel };
  if (change.verbosity !== undefined) {
    channel.verbosity = change.verbosity;
    await setVerbosity(ctx.tx, channel.id, change.verbosity);
  }
  if (change.role !== undefined) {
    const role = await roleForChannel(ctx, change.role, ctx.bound === undefined ? ctx.ownRights : actingOn(ctx, ctx.bound.id));
    const { role: defaultRole, extra, named } = givenWith(role);
    Object.assign(channel, { defaultRole, extra, named });
    await setDefaultRole(ctx.tx, channel.id, role);
  }
  if (change.private !== undefined) {
    channel.isPrivate = change.private;
    await setPrivate(ctx.tx, channel.id, change.private);
    await audit(ctx, 'channel.private', channel.id, { private: change.private });
    if (!change.private) await showWhereItCounts(ctx, channel.id);
  }
  if (change.external !== undefined) {
    channel.externalRole = change.external === 'none' ? undefined : change.external;
    await setExternalRole(ctx.tx, channel.id, channel.externalRole);
  }
  if (change.verbosity !== undefined || change.role !== undefined || change.external !== undefined) {
    const { verbosity, externalRole: external = 'none' } = channel;
    const role = roleName({ ...channel, role: channel.defaultRole });
    await audit(ctx, 'channel.settings', channel.id, { verbosity, role, external });
  }
  return channel;
}

/** Changes policy, limits and base branch; returns the project as it is then, and what people should know about the change. */
export async function applyProjectSettings(
  ctx: CommandContext,
  asked: Project,
  change: SettingsChange,
): Promise<{ project: Project; notes: string[] }> {
  const project = await holdProject(ctx, asked);
  const notes: string[] = [];
  const policy = await changedPolicy(ctx, project.policy, change);
  const stored = await storePolicy(ctx, project, policy);
  if (stored.length > 0) {
    notes.push(`The policy is at version ${project.policyVersion + 1}.`, ...stored);
    if (policy.mode === 'yolo') notes.push('Every command runs without asking now, except what `deny` names.');
    if (policy.mode !== 'custom' && policy.allow.length > 0) notes.push('`allow` counts with `policy=custom` only.');
  }
  const limits: ProjectLimits = {
    concurrency: change.concurrency ?? project.limits.concurrency,
    timeoutMs: change.timeout ?? project.limits.timeoutMs,
    branches: change.branches ?? project.limits.branches ?? 'delete',
    mentions: change.mentions ?? project.limits.mentions ?? 'write',
    runsOn: [...(change['runs-on'] ?? project.limits.runsOn ?? [])],
    links: changedLinks(project.limits.links ?? [], change.links),
  };
  const { branches = 'delete', mentions = 'write', runsOn = [], links = [], ...others } = project.limits;
  if (!isDeepStrictEqual(limits, { ...others, branches, mentions, runsOn, links })) {
    await changeLimits(ctx.tx, project.id, limits);
    await audit(ctx, 'project.limits', project.id, { ...limits });
  }
  const branch = change.branch === 'default' ? undefined : change.branch;
  if (change.branch !== undefined && branch !== project.baseBranch) {
    await changeBaseBranch(ctx.tx, project.id, branch);
    await audit(ctx, 'project.branch', project.id, { branch: branch ?? 'default' });
    ctx.tx.afterCommit(() => ctx.deps.syncProject(project.id));
    notes.push('The repository is being checked for the branch; `project list` says what is found.');
  }
  return { project: (await projectById(ctx.tx, project.workspace, project.id)) ?? project, notes };
}

function changedLinks(current: readonly string[], change: ListChange | undefined): string[] {
  if (change === undefined) return [...current];
  const rules = { isEntry: isHostName, what: 'not the name of a host', most: 50, example: '`settings links=docs.example.org`' };
  return changedHostList(current, change, rules);
}

async function changedPolicy(ctx: CommandContext, now: Policy, change: SettingsChange): Promise<Policy> {
  const needed = change.approvals ?? approvalsNeeded(now.approvers);
  const chosen = change.approvers === undefined ? undefined : await deciderRole(ctx, change.approvers);
  const { role, teams } = withDeciderRole(now.approvers, chosen);
  const policy: Policy = {
    mode: change.policy ?? now.mode,
    allow: change.allow === undefined ? now.allow : patterns(now.allow, change.allow),
    deny: change.deny === undefined ? now.deny : patterns(now.deny, change.deny),
    approvers: {
      role,
      people:
        change.people === undefined
          ? now.approvers.people
          : await changedPeople(ctx, now.approvers.people, change.people, 'settings people+=@ada'),
      ...(await changedPlaces(ctx, { ...now.approvers, teams }, change)),
      notRequester: change['not-requester'] ?? now.approvers.notRequester,
      ...(needed === 1 ? {} : { count: needed }),
    },
    ...changedEnd(now, change),
    remindMs: change.remind ?? now.remindMs,
    ...changedEscalation(now, change),
    ...changedCheck(now, change),
    ...(now.demands === undefined ? {} : { demands: now.demands }),
  };
  checkNamedAlone(policy.approvers, 'settings approvers=release-manager people=none team=none');
  return policy;
}

function changedEnd({ expiresMs, waits }: Policy, { expires }: SettingsChange): Pick<Policy, 'expiresMs' | 'waits'> {
  if (expires === 'never') return { expiresMs, waits: true };
  if (expires !== undefined) return { expiresMs: expires };
  return { expiresMs, ...(waits === undefined ? {} : { waits }) };
}

function changedEscalation({ escalate }: Policy, change: SettingsChange): Pick<Policy, 'escalate'> {
  if (change.escalate === 'none') return {};
  const afterMs = change.escalate ?? escalate?.afterMs;
  if (afterMs !== undefined) return { escalate: { afterMs, to: change['escalate-to'] ?? escalate?.to ?? 'owner' } };
  if (change['escalate-to'] === undefined) return {};
  throw new AppError('DH-201', {
    problem: 'When others are asked is missing.',
    example: '`settings escalate=30m escalate-to=owner`',
  });
}

function changedCheck({ check }: Policy, change: SettingsChange): Pick<Policy, 'check'> {
  if (change.check === 'none') return {};
  const command = change.check ?? check?.command;
  if (command === undefined) {
    if (change['check-timeout'] === undefined) return {};
    throw new AppError('DH-201', {
      problem: 'There is no check whose time could be limited.',
      example: '`settings check="npm test" check-timeout=10m`',
    });
  }
  return { check: { command, timeoutMs: change['check-timeout'] ?? check?.timeoutMs ?? defaultCheckMs } };
}

function patterns(current: readonly string[], change: ListChange): string[] {
  const list = applyChange(current, change);
  const wrong = list.find((pattern) => pattern.trim() === '' || pattern.length > 300 || /[\n\r\0]/.test(pattern));
  const problem =
    list.length > mostPatterns
      ? `There is room for ${mostPatterns} patterns.`
      : wrong === undefined
        ? undefined
        : 'A pattern is one command on one line, at most 300 characters.';
  if (problem === undefined) return list;
  throw new AppError('DH-201', { problem, example: '`settings allow+="npm test"`' });
}

async function changedPlaces(
  ctx: CommandContext,
  { teams = [], channels = [] }: Approvers,
  change: SettingsChange,
): Promise<Pick<Approvers, 'teams' | 'channels'>> {
  const { team, 'decide-in': decideIn } = change;
  const named = teams.filter((id) => !isRoleId(id));
  const now = {
    teams: team === undefined ? teams : [...(await changedTeams(ctx, named, team)), ...teams.filter(isRoleId)],
    channels: decideIn === undefined ? channels : await changedChannels(ctx, channels, decideIn, 'settings decide-in=here'),
  };
  return {
    ...(now.teams.length === 0 ? {} : { teams: now.teams }),
    ...(now.channels.length === 0 ? {} : { channels: now.channels }),
  };
}

async function audit(
  ctx: CommandContext,
  action: string,
  subject: string,
  data: Parameters<typeof recordAudit>[1]['data'],
): Promise<void> {
  await recordAudit(ctx.tx, { workspace: ctx.person.workspace, actor: ctx.person.user, action, subject, data });
}
