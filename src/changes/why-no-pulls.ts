import type { CodeHost } from '../contracts/code-host.ts';

/** Asks `whyNoPulls` of the code host that is configured. */
export type NoPullsAt = (address: string) => string | undefined;

/** Why no pull request can be opened for the repository at an address, to follow a colon; undefined: nothing is known to be in the way. */
export function whyNoPulls(codeHost: Pick<CodeHost, 'repositoryOf'> | undefined, address: string): string | undefined {
  if (codeHost === undefined) return 'no code host is configured';
  return codeHost.repositoryOf(address) === undefined ? 'its address is not one of the code host' : undefined;
}
