import type { AgentKind } from '../../src/contracts/agent.ts';
import { claude } from './claude.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import type { Harness } from './port.ts';

export type Harnesses = Partial<Record<AgentKind, Harness>>;

/** Every harness this version knows. Adding one: its file, and a line here; see docs/add-an-agent.md. */
export const harnesses: Harnesses = { claude, 'claude-code': claudeCode, codex };
