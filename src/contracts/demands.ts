import { z } from 'zod';
import { maxApprovals } from './approvers.ts';
import { roleSchema } from './roles.ts';
import { riskKinds } from './run-event.ts';

/** What an action is, as far as demands tell them apart. Questions of agents are answered, not approved: nothing is demanded of them. */
export const demandKinds = ['command', 'tool', 'plan', 'spend', 'push'] as const;
export type DemandKind = (typeof demandKinds)[number];

/**
 * What can be risky: of commands and calls of tools `network`, `permissions`, `inline_script`, `outside`; of changes the kinds that their
 * card names (`ci`, `migration`, …); `lockfile` and `deletion` of both.
 */
export const demandRisks = [...riskKinds, 'network', 'permissions', 'inline_script', 'outside'] as const;
export type DemandRisk = (typeof demandRisks)[number];

/**
 * What some actions need besides what every request of the project needs. All of `when` must hold. Demands only add: the strictest of all
 * that apply counts. An action that meets `command`, `path` or `risk` is asked about, whatever the mode of the policy or of the agent.
 */
export const demandSchema = z.object({
  when: z.object({
    kind: z.enum(demandKinds).optional(),
    /** A pattern as in `allow` and `deny`: a command of the line meets it, or may. */
    command: z.string().min(1).optional(),
    /** A changed file meets it: `infra/**`, `*.tf`. */
    path: z.string().min(1).optional(),
    risk: z.enum(demandRisks).optional(),
  }),
  needs: z.object({
    role: roleSchema.optional(),
    /** Only these people (user ids). */
    people: z.array(z.string()).optional(),
    /** Only members of these teams, and who has these custom roles (ids). Together with `people`: who is named or in one of them. */
    teams: z.array(z.string()).optional(),
    /** Only what is pressed in one of these channels (ids) counts. */
    channels: z.array(z.string()).optional(),
    /** Of each changed file that CODEOWNERS of the base commit gives owners, one of them must say yes. Of changes that leave. */
    codeowners: z.literal(true).optional(),
    notRequester: z.boolean().optional(),
    count: z.number().int().min(1).max(maxApprovals).optional(),
    expiresMs: z.number().int().min(1000).optional(),
    remindMs: z.number().int().min(1000).optional(),
  }),
});
export type Demand = z.infer<typeof demandSchema>;

/** Most demands of a policy. */
export const maxDemands = 30;
