import type { AgentKind } from '../../src/contracts/agent.ts';
import type { Harness } from './port.ts';

/** Every harness this version knows. Adding one: its file, and a line here; see docs/add-an-agent.md. */
export type Harnesses = Partial<Record<AgentKind, Harness>>;
