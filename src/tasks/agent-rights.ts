import { notAllowed } from '../access/not-allowed.ts';
import type { AgentMode, AgentSettings } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { may, type Permission } from '../contracts/permissions.ts';
import { approvalsNeeded, type Policy } from '../contracts/policy.ts';
import type { Tx } from '../store/database.ts';
import type { TaskRecord } from '../store/tasks.ts';
import type { Person } from './task-engine.ts';

/** Longest text for an agent, in bytes. */
const longestPromptBytes = 100_000;

/** Letting an agent run without asking takes a permission of its own. */
export function mayBypass(by: Person): boolean {
  return may(by, 'agent.bypass');
}

/** Throws DH-202 unless this person may speak to an agent in this mode: what it does then is done for them. */
export async function checkMaySpeak(tx: Tx, by: Person, mode: AgentMode | undefined): Promise<void> {
  const missing = speakingTakes(mode).find((permission) => !may(by, permission));
  if (missing !== undefined) throw await notAllowed(tx, by, speaking[missing], missing);
}

/** What it takes to speak to an agent in this mode, and to answer what it asks. */
export function speakingTakes(mode: AgentMode | undefined): (keyof typeof speaking)[] {
  return mode === 'bypass' ? ['agent.run', 'agent.bypass'] : ['agent.run'];
}

/** For "Ada may not …". */
const speaking = {
  'agent.run': 'give work to an agent',
  'agent.bypass': 'speak to an agent that runs without asking',
} as const satisfies Partial<Record<Permission, string>>;

/** Throws DH-202 for a mode that is not this person's to choose, DH-300 for one that nobody can choose alone. */
export async function checkMode(
  tx: Tx,
  by: Person,
  mode: AgentMode | undefined,
  { approvers }: Pick<Policy, 'approvers'>,
): Promise<void> {
  if (mode !== 'bypass') return;
  if (!mayBypass(by)) throw await notAllowed(tx, by, 'let an agent run without asking', 'agent.bypass');
  refuseAlone(approvers, 'let an agent run without asking', '`mode auto` asks for what is risky only.');
}

/** Where several people must approve, or it counts in some channels only, one person does not grant alone what is to be asked for. Throws DH-300. */
export function refuseAlone(approvers: Policy['approvers'], what: string, instead: string): void {
  const needed = approvalsNeeded(approvers);
  if (approvers.channels !== undefined) {
    const where = 'In this project decisions count in certain channels only';
    throw new AppError('DH-300', { what: `${where}, so nobody can ${what} without being asked there.`, instead });
  }
  if (needed === 1) return;
  throw new AppError('DH-300', { what: `In this project ${needed} people must approve, so nobody can ${what} alone.`, instead });
}

/** What a further turn works with when this person begins it: never more than they could choose themselves. */
export function settingsFor(by: Person, settings: AgentSettings): AgentSettings {
  return settings.mode === 'bypass' && !mayBypass(by) ? { ...settings, mode: 'auto' } : settings;
}

/** Throws DH-201 for a text that no agent can be given. */
export function checkPrompt(text: string): void {
  const problem = problemOf(text);
  if (problem !== undefined) throw new AppError('DH-201', { problem, example: 'fix the failing test' });
}

function problemOf(text: string): string | undefined {
  if (text.trim() === '') return 'The text is empty.';
  if (Buffer.byteLength(text) <= longestPromptBytes) return undefined;
  return `The text is longer than ${longestPromptBytes.toLocaleString('en-US')} bytes; attach it as a file.`;
}

/** The settings of an agent's task. Throws DH-300 for the task of a command. */
export function agentOf(task: TaskRecord): AgentSettings {
  if (task.agent !== null) return task.agent;
  throw new AppError('DH-300', {
    what: `#${task.number} runs a command, which no agent works on.`,
    instead: 'Mention Deckhand with what an agent is to do.',
  });
}
