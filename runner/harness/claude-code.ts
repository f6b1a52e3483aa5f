import { claudeCodeProtocol } from './claude-code-protocol.ts';
import { withheldTools } from './claude-code-tools.ts';
import { driveCli } from './drive-cli.ts';
import type { Harness } from './port.ts';
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
    const { settings, session } = turn;
    const option = (name: string, value: string | null | undefined) => (value == null ? [] : [name, value]);
    return {
      argv: [
        'claude',
        '-p',
        ...['--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
        ...['--include-partial-messages', '--replay-user-messages', '--permission-prompt-tool', 'stdio'],
        ...['--setting-sources', '', '--strict-mcp-config', '--disallowedTools', withheldTools.join(',')],
        ...['--permission-mode', settings.mode === 'plan' ? 'plan' : 'default'],
        ...option('--model', settings.model),
        ...option('--effort', settings.effort),
        ...option('--resume', session),
        ...['--append-system-prompt', instructionsOf(turn)],
      ],
      env: {
        CLAUDE_CONFIG_DIR: `${turn.home}/.claude`,
        ANTHROPIC_BASE_URL: `${turn.gateway.url}/anthropic`,
        ANTHROPIC_API_KEY: turn.gateway.token,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        CLAUDE_CODE_MAX_RETRIES: '4',
        // A request may wait for the budget to be raised; people may take days, and the gateway knows when nobody listens.
        API_TIMEOUT_MS: '2147483647',
      },
      files: [{ path: '.claude/.keep', text: '' }],
      keeps: ['.claude/projects'],
    };
  },
  drive: (session) => driveCli(claudeCodeProtocol, session),
};
