import { type Core, NotAnswered } from './core.ts';
import type { Json } from './json.ts';
import type { User } from './model.ts';
import { APP_ID, TEAM } from './seed.ts';

/** What all interactions share: the fields every payload begins with, and what the person is told when nobody answers. */

export const TOKEN = 'lab-verification-token';

/** Where the person is told about a failure. */
export interface Where {
  user: string;
  channel?: string | undefined;
  thread_ts?: string | undefined;
}

export function head(type: string, user: User): Json {
  return {
    type,
    token: TOKEN,
    api_app_id: APP_ID,
    // Of a form it is the workspace of the person who filled it in.
    team:
      type === 'view_submission' && user.team
        ? { id: user.team.id, domain: user.team.domain }
        : { id: TEAM.id, domain: TEAM.domain },
    enterprise: null,
    is_enterprise_install: false,
    user: { id: user.id, username: user.name, name: user.name, team_id: user.team?.id ?? TEAM.id },
  };
}

/** Runs a request and tells the person when the app did not answer, in the words of the Slack client. */
export async function answered(
  core: Core,
  where: Where,
  command: string | undefined,
  run: () => Promise<Json | undefined>,
): Promise<Json | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof NotAnswered) {
      if (command) error.told = `${command} failed with the error "${error.code}"`;
      notify(core, where, error.told);
    }
    throw error;
  }
}

export function notify(core: Core, where: Where, text: string): void {
  core.state.emit({ type: 'notice', ...where, tone: 'error', text });
}
