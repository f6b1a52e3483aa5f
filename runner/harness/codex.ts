import { codexConfig } from './codex-config.ts';
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
    const { home, cwd, gateway } = turn;
    return {
      argv,
      env: environmentOf(home),
      // It reads the rest of the file of its configuration.
      tell: [],
      files: [{ path: config, text: codexConfig({ cwd, url: gateway.url }, turn) }],
      keeps: ['.codex/sessions'],
    };
  },
  ahead({ home, cwd, url }) {
    return { argv, env: environmentOf(home), files: [{ path: `${home}/${config}`, text: codexConfig({ cwd, url }) }] };
  },
  drive: (session) => driveCli(codexProtocol, session),
};

const argv = ['codex', 'app-server'] as const;
const config = '.codex/config.toml';

function environmentOf(home: string): Record<string, string> {
  // What it logs would hide why it ended.
  return { CODEX_HOME: `${home}/.codex`, RUST_LOG: 'off' };
}
