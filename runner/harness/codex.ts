import { codexConfig, tokenVariable } from './codex-config.ts';
import { codexProtocol } from './codex-protocol.ts';
import { driveCli } from './drive-cli.ts';
import type { Harness } from './port.ts';

/** Codex by its app server, as the main process of the sandbox. It asks before every command and every change of a file. */
export const codex: Harness = {
  kind: 'codex',
  program: { name: 'codex', product: 'Codex' },
  capabilities: {
    asks: true,
    modes: ['auto', 'ask', 'acceptEdits', 'plan', 'bypass'],
    efforts: ['low', 'medium', 'high', 'max'],
    changes: { mode: true, model: true, effort: true },
    questions: true,
    steering: { next: true, now: true },
    resume: true,
    models: ['openai'],
  },
  launch(turn) {
    return {
      argv: ['codex', 'app-server'],
      env: {
        CODEX_HOME: `${turn.home}/.codex`,
        [tokenVariable]: turn.gateway.token,
        // What it logs would hide why it ended.
        RUST_LOG: 'off',
      },
      files: [{ path: '.codex/config.toml', text: codexConfig(turn) }],
      keeps: ['.codex/sessions'],
    };
  },
  drive: (session) => driveCli(codexProtocol, session),
};
