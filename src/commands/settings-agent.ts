import type { AgentDefaults, AgentKind, AgentMode, Effort } from '../contracts/agent.ts';
import { hostProfiles, isHostEntry } from '../contracts/hosts.ts';
import { labelList } from '../contracts/labels.ts';
import { recordAudit } from '../store/audit.ts';
import { changeAgentDefaults, type Project } from '../store/projects.ts';
import { checkAgent } from './agent-choice.ts';
import type { ListChange } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { changedHostList } from './host-list.ts';

/** What `settings` is told to change about agents. */
export interface AgentSettingsChange {
  agent?: AgentKind | undefined;
  mode?: AgentMode | undefined;
  model?: string | null | undefined;
  effort?: Effort | 'default' | undefined;
  account?: string | null | undefined;
  budget?: number | null | undefined;
  hosts?: ListChange | undefined;
}

const mostHosts = 50;

/** Changes what tasks of agents begin with; returns what people should know. The caller holds the project. */
export async function applyAgentSettings(ctx: CommandContext, project: Project, change: AgentSettingsChange): Promise<string[]> {
  const was = project.agent;
  const other = change.agent !== undefined && change.agent !== was.agent;
  const effort = change.effort === 'default' ? null : change.effort;
  const now: AgentDefaults = {
    ...was,
    // Models, effort and account are an agent's own.
    ...(other ? { model: null, effort: null, account: null } : {}),
    agent: change.agent ?? was.agent,
    mode: change.mode ?? was.mode,
    ...(change.model === undefined ? {} : { model: change.model }),
    ...(effort === undefined ? {} : { effort }),
    ...(change.account === undefined ? {} : { account: change.account }),
    ...(change.budget === undefined ? {} : { budgetUsd: change.budget }),
    ...(change.hosts === undefined ? {} : { hosts: changedHosts(was.hosts, change.hosts) }),
  };
  if (JSON.stringify(now) === JSON.stringify(was)) return [];
  const isOther = now.account !== null && (change.account !== undefined || change.model !== undefined);
  if (other || isOther || change.mode !== undefined || change.effort !== undefined)
    await checkAgent(ctx, { ...now, project: project.id, runsOn: labelList(project.limits.runsOn ?? []) });
  await changeAgentDefaults(ctx.tx, project.id, now);
  await recordAudit(ctx.tx, {
    workspace: ctx.person.workspace,
    actor: ctx.person.user,
    action: 'project.agent',
    subject: project.id,
    data: { from: { ...was }, to: { ...now } },
  });
  const bypass = now.mode === 'bypass' && was.mode !== 'bypass';
  return [
    'Tasks of agents begin with this from now on; those that exist keep what they have.',
    ...(bypass ? ['`bypass` asks for nothing, and only maintainers can begin work in it; others get `auto`.'] : []),
    ...(change.hosts === undefined ? [] : ['The hosts count from the next run of each task.']),
  ];
}

function changedHosts(current: readonly string[], change: ListChange): string[] {
  return changedHostList(current, change, {
    isEntry: isHostEntry,
    what: `neither one of ${Object.keys(hostProfiles).join(', ')} nor the name of a host`,
    most: mostHosts,
    example: '`settings hosts=npm,files.example.org`',
  });
}
