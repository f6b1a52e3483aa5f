import {
  type AgentKind,
  type AgentMode,
  type AgentOffer,
  agentKinds,
  agentModeSchema,
  effortSchema,
} from '../contracts/agent.ts';
import type { AgentAccount } from '../contracts/agent-account.ts';
import { AppError } from '../contracts/errors.ts';
import { agentOffers } from '../store/runners.ts';
import { accountFor } from './account-choice.ts';
import { accountWord } from './account-words.ts';
import { budgetWord, modelWord } from './agent-words.ts';
import { oneOf, optional } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { checkModel } from './model-choice.ts';

/** What of an agent is to be used. */
export interface Wanted {
  agent: AgentKind;
  mode?: AgentMode | undefined;
  effort?: AgentOffer['efforts'][number] | null | undefined;
  /** Name of an account; null or undefined: what the runner is configured with. */
  account?: string | null | undefined;
  model?: string | null | undefined;
  /** Id of the project in which it is to work. */
  project: string;
  /** Labels that a runner must have: contracts/labels.ts `labelList`. */
  runsOn: string;
}

/** Options by which requests say which agent works, and how. */
export const agentOptions = {
  agent: optional({ hint: 'codex', about: 'which agent works', values: agentKinds, schema: oneOf(agentKinds) }),
  mode: optional({
    hint: 'plan',
    about: 'how much it may do without asking',
    values: agentModeSchema.options,
    schema: oneOf(agentModeSchema.options),
  }),
  model: optional({
    hint: 'name',
    about: 'the model it thinks with; `default` for its own choice',
    values: ['default'],
    names: 'model',
    schema: modelWord,
  }),
  effort: optional({
    hint: 'high',
    about: 'how hard it thinks',
    values: effortSchema.options,
    schema: oneOf(effortSchema.options),
  }),
  account: optional({
    hint: 'main',
    about: 'the account it works with; `none` for what the runner is configured with',
    names: 'account',
    schema: accountWord,
  }),
};

export const budgetOption = optional({
  hint: '5',
  about: 'US dollars it may cost before it asks; `none` for no limit',
  schema: budgetWord,
});

/**
 * Throws DH-215 when the agent cannot work on any runner that is up, takes runs and has the labels, DH-216 for what it cannot do, and DH-217 for
 * an account that it cannot use. While there is no such runner nothing is known of agents: the task waits in the queue.
 */
export async function checkAgent(
  ctx: CommandContext,
  { agent, mode, effort, account: name, model, project, runsOn }: Wanted,
): Promise<AgentOffer | undefined> {
  const account = name == null ? undefined : await accountFor(ctx, name, { agent, model, project });
  const offers = await agentOffers(ctx.tx, ctx.deps.now(), { runsOn });
  if (offers === undefined) return undefined;
  const offer = offers.get(agent);
  if (offer === undefined || !works(offer, account)) {
    const others = [...offers.values()].filter(({ available }) => available).map((other) => other.agent);
    const instead = others.length === 0 ? '' : ` Or use ${others.map((name) => `\`run agent=${name} …\``).join(' or ')}.`;
    throw new AppError('DH-215', {
      agent,
      why: offer?.why ?? (runsOn === '' ? 'no runner that is up has it.' : `no runner that is up and has \`${runsOn}\` has it.`),
      remedy: `${offer?.remedy ?? '`agents` shows which agents there are.'}${instead}`,
    });
  }
  refuseUnless(offer, 'mode', mode, offer.modes);
  refuseUnless(offer, 'effort', effort ?? undefined, offer.efforts);
  // A server that an account brings has models of its own.
  if (name == null && model != null) checkModel(offer, model);
  return offer;
}

/** An account brings the model server, and its own image the program. */
function works(offer: AgentOffer, account: AgentAccount | undefined): boolean {
  if (account === undefined) return offer.available;
  return offer.available || offer.installed === true || account.image !== null;
}

function refuseUnless(offer: AgentOffer, what: 'mode' | 'effort', wanted: string | undefined, possible: readonly string[]): void {
  if (wanted === undefined || possible.includes(wanted)) return;
  throw new AppError('DH-216', {
    what: `\`${offer.agent}\` has no ${what} \`${wanted}\`.`,
    instead: possible.length === 0 ? `It has none to choose.` : `It has ${possible.map((one) => `\`${one}\``).join(', ')}.`,
  });
}

/** Throws DH-216 when an agent at work cannot change this before its next run. */
export function checkChange(offer: AgentOffer | undefined, what: 'mode' | 'model' | 'effort', number: number): void {
  if (offer === undefined || offer.changes[what]) return;
  throw new AppError('DH-216', {
    what: `\`${offer.agent}\` cannot change its ${what} while it works.`,
    instead: `Stop it first, then \`retry #${number} ${what}=…\`, or wait until it is at rest.`,
  });
}
