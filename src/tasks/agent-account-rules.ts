import { type AgentKind, agentKinds } from '../contracts/agent.ts';
import {
  type AccountRefusal,
  type AgentAccount,
  type Credential,
  loginTokenPrefix,
  protocolOf,
} from '../contracts/agent-account.ts';

/** Shortest and longest key that can be one. Characters. */
export const shortestKey = 8;
export const longestKey = 500;

/** Whether tasks of a project may know of an account. Pure. */
export function isForProject({ project }: Pick<AgentAccount, 'project'>, id: string): boolean {
  return project === null || project.id === id;
}

/** Why an agent cannot work with an account; undefined: it can. Pure. */
export function accountRefusal(agent: AgentKind, account: AgentAccount): AccountRefusal | undefined {
  const { name, protocol } = account;
  if (account.removed) return removedRefusal(name);
  if (protocolOf[agent] !== protocol) {
    return {
      what: `The account \`${name}\` is of a server that speaks the protocol of ${protocol}, which \`${agent}\` does not.`,
      instead: `It is for ${agentsOf(account)
        .map((one) => `\`${one}\``)
        .join(' and ')}. \`account list\` shows the others.`,
    };
  }
  if (account.credential === 'login' && agent !== 'claude-code') {
    return {
      what: `The account \`${name}\` is a login of Claude Code, which its provider takes from that program alone.`,
      instead: `Use it with \`agent=claude-code\`, or an account with an API key for \`${agent}\`.`,
    };
  }
  if (!account.hasKey) return { what: `The account \`${name}\` has no key.`, instead: `\`account key ${name}\` asks for it.` };
  return undefined;
}

/** The agents that an account is for. */
export function agentsOf({ protocol, credential }: Pick<AgentAccount, 'protocol' | 'credential'>): AgentKind[] {
  return agentKinds.filter((agent) => protocolOf[agent] === protocol && (credential !== 'login' || agent === 'claude-code'));
}

/** The same for one that was removed and one that only tasks of another project work with. */
export function removedRefusal(name: string): AccountRefusal {
  return {
    what: `Tasks of this project have no account \`${name}\` any more.`,
    instead: '`retry account=…` goes on with another one, and `account list` shows which there are.',
  };
}

/** What is wrong with a text as a key; undefined: nothing that can be seen. */
export function keyProblem(key: string): string | undefined {
  if (key.length < shortestKey) return `A key has at least ${shortestKey} characters.`;
  if (key.length > longestKey) return `A key has at most ${longestKey} characters.`;
  return /^[\x21-\x7e]+$/.test(key) ? undefined : 'A key has no spaces, line breaks or special characters.';
}

/** How a key is sent: as the account says, unless the key itself is known to be a login. */
export function credentialFor(account: Pick<AgentAccount, 'protocol' | 'credential'>, key: string): Credential {
  if (account.protocol === 'anthropic' && key.startsWith(loginTokenPrefix)) return 'login';
  return account.credential === 'bearer' ? 'bearer' : 'key';
}

/** The last four characters, of a key that has many more. */
export function endOfKey(key: string): string | null {
  return key.length < 16 ? null : key.slice(-4);
}

/** Whether `Authorization: Bearer` is used where the protocol has another header. */
export function isBearer(credential: Credential): boolean {
  return credential === 'bearer' || credential === 'login';
}
