import { createHash } from 'node:crypto';
import type { Ask } from '../contracts/agent.ts';
import type { Action, AgentAction } from '../contracts/policy.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import type { RunRecord } from '../store/runs.ts';
import { storableJson, storableText } from '../store/storable.ts';
import { actionHash } from './action.ts';

/** Where an agent works. `/workspace` stands for the working copy, wherever the sandbox really keeps it. */
export interface AgentPlace {
  cwd: string;
  sandbox: 'docker' | 'local';
  image: string | null;
  network: 'none' | 'host';
  /** Entries of the project's list of hosts; absent: none. */
  hosts?: string[] | undefined;
}

/** The place a run's sandbox is. What is not known to be a container counts as the machine of the runner. */
export function placeOf(run: Pick<RunRecord, 'sandboxKind' | 'image' | 'isolated'>, hosts: readonly string[]): AgentPlace {
  const contained = run.sandboxKind === 'docker' && run.isolated === true;
  return {
    cwd: '/workspace',
    sandbox: contained ? 'docker' : 'local',
    image: run.image,
    network: contained ? 'none' : 'host',
    ...(hosts.length === 0 ? {} : { hosts: [...hosts] }),
  };
}

/** Names a place for rules: sha256, in hex. */
export function placeDigest({ cwd, sandbox, image, network, hosts }: AgentPlace): string {
  return createHash('sha256').update(canonicalJson({ cwd, sandbox, image, network, hosts })).digest('hex');
}

/**
 * What a person decides on when an agent asks. Undefined when it contains characters that can be neither stored nor shown (NUL, half a
 * surrogate pair): what people would see is not what would run.
 */
export function agentAction(
  run: RunRecord,
  { id: project, hosts }: { id: string; hosts: readonly string[] },
  ask: Ask,
): AgentAction | undefined {
  if (run.agent === null) throw new Error(`run ${run.id} has no agent`);
  const base = { ask: ask.ask, agent: run.agent.agent, project, ...placeOf(run, hosts) };
  const action = actionOf(base, ask);
  return storableJson(action) === JSON.stringify(action) ? action : undefined;
}

function actionOf(base: Omit<AgentAction, 'type' | 'call' | 'text' | 'questions'>, ask: Ask): AgentAction {
  switch (ask.type) {
    case 'tool':
      return { ...base, type: 'tool', call: ask.call, ...reasonOf(ask) };
    case 'plan':
      return { ...base, type: 'plan', text: ask.text };
    case 'question':
      return { ...base, type: 'question', questions: ask.questions };
  }
}

const longestReason = 2000;

function reasonOf({ because }: Extract<Ask, { type: 'tool' }>): { because?: string } {
  const said = storableText(because?.trim().slice(0, longestReason) ?? '');
  return said === '' ? {} : { because: said };
}

/** The same for calls that differ in nothing but the agent's name for them, and what it says about them. */
export function callHash(action: Action): string {
  if (action.type !== 'tool') return actionHash('ask' in action ? { ...action, ask: '' } : action);
  const { because: _, ...call } = action;
  return actionHash({ ...call, ask: '' });
}
