import type { AgentKind } from '../../src/contracts/agent.ts';
import { claude } from './claude.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import type { CommandSession, Harness } from './port.ts';
import { shell } from './shell.ts';

/** Every harness this version knows. Adding one: its file, and a line here; see docs/add-an-agent.md. */
export const harnesses = {
  shell,
  claude,
  'claude-code': claudeCode,
  codex,
} satisfies { shell: Harness<CommandSession> } & Record<AgentKind, Harness>;
