import { roleName, rolesFrom } from '../access/not-allowed.ts';
import { bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import type { Project } from '../store/projects.ts';
import { budgetText } from './agent-words.ts';
import { shortDuration } from './arguments.ts';
import { permissionSpans } from './bundle-words.ts';
import type { CommandContext } from './command.ts';
import { namesIn } from './named-targets.ts';
import { decidersText } from './pending.ts';
import { sourceText } from './project-source.ts';

const modeWords: Record<Project['policy']['mode'], string> = {
  safe: 'what only reads runs, the rest asks',
  ask: 'every command asks',
  custom: 'what `allow` names runs, the rest asks',
  yolo: 'every command runs without asking',
};

/** What external people get of the role of the channel. */
function externalText({ defaultRole, externalRole }: CommandContext['channel']): string {
  if (externalRole === undefined) return 'none: external people need a role of their own';
  return defaultRole === undefined ? 'guest, as soon as `role` gives one' : 'guest: external people may look';
}

/** What limits the channel, in a line. */
function bundleSpans({ bundle }: CommandContext['channel']): Span[] {
  if (bundle === undefined) return [plain('none: people may here what their roles allow')];
  return [code(bundle.name), plain(': '), ...permissionSpans(bundle)];
}

/** The settings as they are, each under the name that changes it. */
export async function settingsView(
  ctx: Pick<CommandContext, 'tx' | 'person' | 'channel' | 'bound'>,
  project: Project,
  notes: readonly string[],
): Promise<View> {
  const { policy, limits, agent } = project;
  const names = await namesIn(ctx, [policy.approvers]);
  const field = (label: string, ...spans: Span[]) => ({ label, spans });
  const list = (patterns: readonly string[]) =>
    patterns.length === 0
      ? [plain('none')]
      : patterns.flatMap((pattern, at) => [...(at === 0 ? [] : [plain(', ')]), code(pattern)]);
  const inChannel = ctx.channel.kind === 'channel' && ctx.bound?.id === project.id;
  const remind =
    policy.waits === true || policy.remindMs < policy.expiresMs
      ? `after ${shortDuration(policy.remindMs)}`
      : 'not before the end';
  return withFallback([
    { type: 'text', spans: [bold(`Settings of ${project.name}`)] },
    ...notes.map((note) => ({ type: 'text' as const, spans: marked(note) })),
    {
      type: 'fields',
      items: [
        field('policy', code(policy.mode), ...marked(`: ${modeWords[policy.mode]} (version ${project.policyVersion})`)),
        ...(policy.mode === 'custom' || policy.allow.length > 0 ? [field('allow', ...list(policy.allow))] : []),
        field('deny', ...list(policy.deny)),
        field('approvers', plain(decidersText(policy.approvers, names))),
        field(
          'expires',
          plain(
            `${policy.waits === true ? 'never: it waits until somebody decides' : shortDuration(policy.expiresMs)}, reminder ${remind}`,
          ),
        ),
        ...(policy.escalate === undefined
          ? []
          : [
              field(
                'escalate',
                plain(`${rolesFrom(policy.escalate.to)} are asked after ${shortDuration(policy.escalate.afterMs)}`),
              ),
            ]),
        field('timeout', plain(shortDuration(limits.timeoutMs))),
        field(
          'check',
          ...(policy.check === undefined
            ? [plain('none')]
            : [
                code(policy.check.command),
                plain(`, at most ${shortDuration(Math.min(policy.check.timeoutMs, limits.timeoutMs))}`),
              ]),
        ),
        field('concurrency', plain(`${limits.concurrency} at once`)),
        ...(limits.runsOn === undefined || limits.runsOn.length === 0 ? [] : [field('runs-on', ...list(limits.runsOn))]),
        field(
          'branch',
          plain(project.baseBranch ?? `default${project.defaultBranch === undefined ? '' : ` (${project.defaultBranch})`}`),
        ),
        field('branches', code(limits.branches ?? 'delete'), plain(' when their pull request is over')),
        field('mentions', code(limits.mentions ?? 'write'), plain(' in issues and pull requests')),
        field('links', ...list(limits.links ?? [])),
        field('agent', code(agent.agent), ...marked(` in mode \`${agent.mode}\``)),
        ...(agent.model === null ? [] : [field('model', code(agent.model))]),
        ...(agent.effort === null ? [] : [field('effort', code(agent.effort))]),
        ...(agent.account === null ? [] : [field('account', code(agent.account))]),
        field('budget', plain(agent.budgetUsd === null ? 'no limit' : `${budgetText(agent.budgetUsd)} a task`)),
        field('hosts', ...list(agent.hosts)),
        field('repository', plain(sourceText(project.source))),
      ],
    },
    ...(inChannel
      ? [
          { type: 'divider' as const },
          {
            type: 'fields' as const,
            items: [
              field('verbosity', code(ctx.channel.verbosity)),
              field('private', plain(ctx.channel.isPrivate ? 'on: what is asked here is shown nowhere else' : 'off')),
              field(
                'role',
                plain(
                  ctx.channel.defaultRole === undefined
                    ? 'none: people need a role of their own'
                    : roleName({ ...ctx.channel, role: ctx.channel.defaultRole }),
                ),
              ),
              field('external', ...marked(externalText(ctx.channel))),
              field('bundle', ...bundleSpans(ctx.channel)),
            ],
          },
        ]
      : []),
    { type: 'context', spans: marked('`help settings` says how to change them.') },
  ]);
}
