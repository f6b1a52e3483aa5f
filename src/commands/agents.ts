import type { AgentKind, AgentOffer } from '../contracts/agent.ts';
import type { AgentAccount } from '../contracts/agent-account.ts';
import { type Block, bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { agentOffers } from '../store/runners.ts';
import { agentsOf } from '../tasks/agent-account-rules.ts';
import { accountsSeen } from './account-choice.ts';
import { onlyText } from './account-view.ts';
import { budgetText } from './agent-words.ts';
import { defineCommand } from './command.ts';
import { listed } from './model-choice.ts';

const names: Record<AgentKind, string> = {
  claude: 'the built-in loop on Claude models',
  'claude-code': 'Claude Code',
  codex: 'Codex',
};

export const agents = defineCommand({
  name: 'agents',
  group: 'look',
  summary: 'Shows which agents there are, whether they can work, and how',
  details: ['`help modes` says what the modes mean, `help talk` how to speak to an agent.'],
  permission: 'task.see',
  action: 'see agents',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['agents', 'which can work, with their versions and modes']],
  async run(ctx) {
    const offers = await agentOffers(ctx.tx, ctx.deps.now());
    const blocks: Block[] =
      offers === undefined
        ? [
            {
              type: 'text',
              spans: marked('No runner is up, so it is not known which agents there are. Work waits in the queue.'),
            },
          ]
        : [...offers.values()].flatMap(agentBlocks);
    return {
      view: withFallback([
        { type: 'text', spans: [bold('Agents')] },
        ...blocks,
        ...accountBlocks(await accountsSeen(ctx)),
        ...(ctx.bound === undefined ? [] : [{ type: 'context' as const, spans: marked(usualText(ctx.bound)) }]),
      ]),
      audience: 'asked',
    };
  },
});

/** Beside what the runner is configured with. */
function accountBlocks(accounts: readonly AgentAccount[]): Block[] {
  if (accounts.length === 0) return [];
  const named = accounts.map((account) => `\`${account.name}\` for ${agentsOf(account).join(' and ')}${onlyText(account, ', ')}`);
  return [{ type: 'context', spans: marked(`Accounts, chosen with \`run account=…\`: ${named.join('; ')}.`) }];
}

function agentBlocks(offer: AgentOffer): Block[] {
  const { agent, available, version, why, remedy, account, modes, efforts } = offer;
  const title: Span[] = [
    plain(available ? '✔ ' : '✖ '),
    code(agent),
    plain(` ${names[agent]}${version === null ? '' : ` ${version}`}`),
  ];
  if (!available) return [{ type: 'text', spans: [...title, plain(': '), ...marked(`${why ?? ''} ${remedy ?? ''}`.trim())] }];
  const more = [
    ...(account === null ? [] : [`server: ${account}`]),
    `modes: ${modes.join(', ')}`,
    ...(efforts.length === 0 ? [] : [`effort: ${efforts.join(', ')}`]),
    ...limits(offer),
  ];
  return [{ type: 'text', spans: title }, { type: 'context', spans: [plain(more.join(' · '))] }, ...modelLine(offer)];
}

/** What it can think with, the default marked. */
function modelLine({ models }: AgentOffer): Block[] {
  if (models === undefined || (models.names.length === 0 && models.usual === null)) return [];
  const others = models.from === 'prices' ? '; its server does not list its models, others are possible' : '';
  const own = models.usual === null ? '; the default is its own choice' : '';
  return [{ type: 'context', spans: marked(`models: ${listed(models)}${own}${others}`) }];
}

/** What it cannot do while it works, so that nobody has to find out. */
function limits({ changes, steering }: AgentOffer): string[] {
  const fixed = (['mode', 'model', 'effort'] as const).filter((what) => !changes[what]);
  return [
    ...(fixed.length === 0 ? [] : [`fixed while it works: ${fixed.join(', ')}`]),
    ...(steering.now ? [] : ['cannot be interrupted']),
  ];
}

function usualText({
  name,
  agent,
}: {
  name: string;
  agent: { agent: AgentKind; mode: string; budgetUsd: number | null };
}): string {
  return `\`${name}\` uses \`${agent.agent}\` in mode \`${agent.mode}\`, budget of a task: ${budgetText(agent.budgetUsd)}. \`settings agent=…\` changes it.`;
}
