import { type CodeHost, CodeHostError, type Repository, repositoryNamed } from '../contracts/code-host.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { Platform } from '../contracts/platform.ts';

/** Conversations at a code host, its issues and pull requests: whoever may write to the repository may ask there, and nobody else. */
export interface RepositoryTalk {
  /** The platform of these conversations. */
  platform: Platform;
  host: Pick<CodeHost, 'repositoryOf' | 'permission' | 'pull'>;
}

/** What cannot be found out now and may be later: what asked for it is left as it is and tried again. */
export class TryLater extends Error {
  override name = 'TryLater';
}

/** An act holds its lane, and a connection of the database, while this is asked. */
const withinMs = 8_000;

/** Does the event come from an issue or a pull request? */
export function isRepositoryTalk(talk: RepositoryTalk | undefined, event: InboundEvent): talk is RepositoryTalk {
  return talk !== undefined && talk.platform === event.conversation.platform;
}

/** The repository that such an event is about. */
export function repositoryOfEvent({ conversation: { channel } }: InboundEvent): Repository {
  return repositoryNamed(channel);
}

/** Are they the same? Code hosts take names for the same whatever the case of their letters. */
export function sameRepository(one: Repository, other: Repository): boolean {
  const key = ({ owner, name }: Repository) => `${owner}/${name}`.toLowerCase();
  return key(one) === key(other);
}

/**
 * May whoever did this write to the repository, now? Asked at every act, of the account that acted: a login that is another's by now is nobody.
 * Throws `TryLater` when the code host does not say, and `CodeHostError` when it will not.
 */
export async function mayWrite({ host }: RepositoryTalk, event: InboundEvent): Promise<boolean> {
  const { user, name } = event.actor;
  if (name === undefined) return false;
  const permission = await asking((signal) => host.permission(repositoryOfEvent(event), name, signal, user));
  return permission === 'write' || permission === 'admin';
}

/** The branch that a pull request in the same repository wants to have merged; undefined: it comes from a fork, or is over. */
export async function branchOfPull({ host }: RepositoryTalk, event: InboundEvent): Promise<string | undefined> {
  const pull = await asking((signal) => host.pull(repositoryOfEvent(event), Number(event.conversation.thread), signal));
  return pull.state !== 'open' || pull.head.elsewhere === true ? undefined : pull.head.branch;
}

async function asking<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(withinMs);
  try {
    return await ask(signal);
  } catch (error) {
    if (signal.aborted || (error instanceof CodeHostError && error.reason === 'unreachable')) {
      throw new TryLater('the code host does not answer', { cause: error });
    }
    throw error;
  }
}
