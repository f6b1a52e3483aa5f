import { z } from 'zod';
import { type AgentKind, agentKinds } from '../contracts/agent.ts';
import { attemptsLimits } from '../contracts/comparison.ts';
import { AppError } from '../contracts/errors.ts';
import type { SettingsChoice } from '../tasks/agent-tasks.ts';
import { count, oneOf, optional } from './arguments.ts';

const { least, most } = attemptsLimits;

const agentsWord = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(oneOf(agentKinds)));

/** Options by which a request asks for several attempts side by side. */
export const attemptsOptions = {
  attempts: optional({
    hint: '3',
    about: `how many attempts are made side by side, ${least} to ${most}; you choose one of them`,
    schema: count(most),
  }),
  agents: optional({
    hint: 'claude-code,codex',
    about: 'attempts side by side by these agents, in turn',
    schema: agentsWord,
  }),
};

/**
 * What each of several attempts has of its own; undefined: one run, as usual. Throws DH-201 where the words do not fit together: models
 * and accounts are an agent's own.
 */
export function attemptsOf(
  attempts: number | undefined,
  agents: readonly AgentKind[] | undefined,
  settings: SettingsChoice,
): SettingsChoice[] | undefined {
  const example = 'run attempts=3 agents=claude-code,codex fix the flaky login test';
  if (agents !== undefined && settings.agent !== undefined) {
    throw new AppError('DH-201', { problem: '`agent` and `agents` say the same in two ways; one of them is enough.', example });
  }
  const many = attempts ?? (agents === undefined ? 1 : agents.length);
  if (agents !== undefined && agents.length > many) {
    throw new AppError('DH-201', { problem: `${agents.length} agents do not fit ${many} attempts.`, example });
  }
  if (many > most) throw new AppError('DH-201', { problem: `At most ${most} attempts are made side by side.`, example });
  const different = new Set(agents).size > 1;
  if (different && [settings.model, settings.account].some((one) => one != null)) {
    throw new AppError('DH-201', {
      problem: "A model or an account is one agent's own; different agents cannot share it.",
      example,
    });
  }
  if (many < least) return agents?.[0] === undefined ? undefined : refuseOne(example);
  return Array.from({ length: many }, (_, place) => {
    const agent = agents?.[place % agents.length];
    return agent === undefined ? {} : { agent };
  });
}

function refuseOne(example: string): never {
  throw new AppError('DH-201', { problem: '`agents` names several; `agent` is for one.', example });
}
