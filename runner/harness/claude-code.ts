import type { AgentSettings } from '../../src/contracts/agent.ts';
import { claudeCodeProtocol } from './claude-code-protocol.ts';
import { withheldTools } from './claude-code-tools.ts';
import { control } from './claude-code-wire.ts';
import { commandVariables } from './command-variables.ts';
import { driveCli } from './drive-cli.ts';
import type { AheadPlace, Harness, Turn } from './port.ts';
import { instructionsOf } from './prompt.ts';

/**
 * Claude Code as the main process of the sandbox. Nothing of the repository's own settings counts: no setting sources, no MCP servers but
 * those of the command line, and managed settings in the image besides.
 */
export const claudeCode: Harness = {
  kind: 'claude-code',
  program: { name: 'claude', product: 'Claude Code' },
  capabilities: {
    asks: true,
    modes: ['auto', 'ask', 'acceptEdits', 'plan', 'bypass'],
    efforts: ['low', 'medium', 'high', 'max'],
    changes: { mode: true, model: true, effort: false },
    questions: true,
    steering: { next: true, now: true },
    resume: true,
    models: ['anthropic'],
  },
  launch(turn) {
    const { settings, home, gateway } = turn;
    const key = { ANTHROPIC_API_KEY: gateway.token };
    const rest = { ...key, ...commandVariables(turn) };
    return {
      argv: turn.session === undefined ? argvOf(settings) : [...argvOf(settings), ...continuing(turn.session, turn)],
      env: { ...environmentOf({ home, url: gateway.url }), ...key },
      tell: [JSON.stringify(control('told', { subtype: 'apply_flag_settings', settings: { env: rest } }))],
      files: [{ path: kept, text: '' }],
      keeps: ['.claude/projects'],
    };
  },
  ahead({ settings, home, url }) {
    return { argv: argvOf(settings), env: environmentOf({ home, url }), files: [{ path: `${home}/${kept}`, text: '' }] };
  },
  drive: (session) => driveCli(claudeCodeProtocol, session),
};

const kept = '.claude/.keep';

function option(name: string, value: string | null | undefined): string[] {
  return value == null ? [] : [name, value];
}

function continuing(session: string, turn: Turn): string[] {
  return ['--resume', session, '--append-system-prompt', instructionsOf(turn)];
}

function argvOf({ mode, model, effort }: AgentSettings): [string, ...string[]] {
  return [
    'claude',
    '-p',
    ...['--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
    ...['--include-partial-messages', '--replay-user-messages', '--permission-prompt-tool', 'stdio'],
    ...['--setting-sources', '', '--strict-mcp-config', '--disallowedTools', withheldTools.join(',')],
    ...['--permission-mode', mode === 'plan' ? 'plan' : 'default'],
    ...option('--model', model),
    ...option('--effort', effort),
  ];
}

function environmentOf({ home, url }: Pick<AheadPlace, 'home' | 'url'>): Record<string, string> {
  return {
    CLAUDE_CONFIG_DIR: `${home}/.claude`,
    ANTHROPIC_BASE_URL: `${url}/anthropic`,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    // It is told that committing is not its work; and started ahead it would look before the repository is there.
    CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS: '1',
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_MAX_RETRIES: '4',
    // A request may wait for the budget to be raised; people may take days, and the gateway knows when nobody listens.
    API_TIMEOUT_MS: '2147483647',
  };
}
