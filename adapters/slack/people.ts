import { z } from 'zod';
import type { Affiliation } from '../../src/contracts/affiliation.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createRemembered } from '../../src/runtime/remembered.ts';
import type { Installation } from './sign-in.ts';
import type { Web } from './web.ts';

/** What Slack tells about an account. Events carry ids only. */
export interface Account {
  name: string | undefined;
  bot: boolean;
  affiliation: Affiliation;
}

export interface People {
  /**
   * What is known now or within some time; `undefined` when Slack does not say in time. Never rejects. Costs one `users.info` an hour for
   * each person who acts, and for one of another organisation one `team.info` a day for that organisation.
   */
  find(user: string): Promise<Account | undefined>;
  /** Asks Slack, however long it takes. Rejects with `DeliveryError`. */
  ask(user: string): Promise<Account>;
}

/** Somebody who was known before can wait for newer facts; of others nobody knows whether they belong here. Slack waits for 3 s. */
const patienceMs = 400;
const firstPatienceMs = 1_500;
const freshMs = 60 * 60_000;
const freshTeamMs = 24 * 60 * 60_000;
/** After a failure, so that a missing scope or a rate limit is not asked about with every message. */
const failedMs = 60_000;
const longestName = 80;

const text = z.string().nullish();
const flag = z.boolean().nullish();
const answer = z.object({
  user: z.object({
    name: text,
    real_name: text,
    team_id: text,
    is_bot: flag,
    /** Guests of the workspace: of several channels, and of one. */
    is_restricted: flag,
    is_ultra_restricted: flag,
    /** Of another workspace, and in no channel that is shared with it. */
    is_stranger: flag,
    enterprise_user: z.object({ enterprise_id: text }).nullish().catch(undefined),
    profile: z.object({ display_name: text, real_name: text }).nullish(),
  }),
});
const teamAnswer = z.object({ team: z.object({ name: text }) });
type Info = z.infer<typeof answer>['user'];

export function createPeople(deps: {
  web: Web;
  clock: Clock;
  logger: Logger;
  /** Undefined before the sign-in. */
  own(): Pick<Installation, 'team' | 'enterprise'> | undefined;
}): People {
  const { web, clock, logger } = deps;
  const known = createRemembered<Account>({
    clock,
    freshMs,
    failedMs,
    patienceMs: { first: firstPatienceMs, again: patienceMs },
    onError: (error, user) => logger.warn({ err: error, user }, 'slack account not looked up'),
  });
  const teams = createRemembered<string>({
    clock,
    freshMs: freshTeamMs,
    failedMs: freshMs,
    onError: (error, team) => logger.debug({ err: error, team }, 'slack organisation not looked up'),
  });

  async function ask(user: string): Promise<Account> {
    const { user: info } = await web.read('users.info', { user }, answer);
    const names = [info.profile?.display_name, info.profile?.real_name, info.real_name, info.name];
    const kind = affiliationKind(info, deps.own());
    const organisation = kind === 'organisation' && info.team_id != null ? await teamName(info.team_id) : undefined;
    return {
      name: names.find((name) => name != null && name.trim() !== '') ?? undefined,
      bot: info.is_bot === true,
      affiliation: { kind, ...(organisation === undefined ? {} : { organisation }) },
    };
  }

  /** `undefined` where Slack does not tell: the app may lack the scope `team:read`. */
  function teamName(team: string): Promise<string | undefined> {
    return teams.find(team, async () => {
      const { team: info } = await web.read('team.info', { team }, teamAnswer);
      const name = (info.name ?? '').replace(/\s+/g, ' ').trim().slice(0, longestName);
      if (name === '') throw new Error('the organisation has no name');
      return name;
    });
  }

  return { ask, find: (user) => known.find(user, () => ask(user)) };
}

/** Inside an Enterprise organisation people of several workspaces share channels, and are members everywhere. */
function affiliationKind(info: Info, own: Pick<Installation, 'team' | 'enterprise'> | undefined): Affiliation['kind'] {
  if (info.is_stranger === true) return 'organisation';
  const away = own !== undefined && info.team_id != null && info.team_id !== own.team;
  const isSameEnterprise = own?.enterprise !== undefined && info.enterprise_user?.enterprise_id === own.enterprise;
  if (away && !isSameEnterprise) return 'organisation';
  return info.is_restricted === true || info.is_ultra_restricted === true ? 'guest' : 'member';
}
